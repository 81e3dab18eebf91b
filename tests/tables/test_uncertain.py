"""The least certain rows of a table, and the cells that make them so."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from thinnet import MLPRegressor, TableClassifier, TableRegressor, uncertain_rows
from thinnet.tables import uncertain

ROWS = 400
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def numbers():
    """A target that depends on `x` alone, which in a few rows is far from all others."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "other": rng.normal(size=ROWS),
            "x": rng.normal(size=ROWS),
            "c": rng.choice([*"abc"], ROWS),
        }
    )
    table.loc[7, "x"], table.loc[90, "x"] = 9.0, -11.0
    model = TableRegressor((32,), max_iter=40, n_networks=2, random_state=0)
    return model.fit(table, 3 * table["x"]), table


@pytest.fixture(scope="module")
def classes():
    """Labels that are the sign of `x` where the group is clear, and chance where it is murky."""
    rng = np.random.default_rng(1)
    murky = rng.random(3 * ROWS) < 0.25
    table = pd.DataFrame(
        {
            "x": rng.choice([-2.0, 2.0], 3 * ROWS) + rng.normal(scale=0.3, size=3 * ROWS),
            "other": rng.normal(size=3 * ROWS),
            "group": np.where(murky, "murky", "clear"),
        }
    )
    chance = rng.random(3 * ROWS) < 0.5
    labels = np.where(np.where(murky, chance, table["x"] > 0), "yes", "no")
    model = TableClassifier((32,), max_iter=40, n_networks=2, random_state=0)
    return model.fit(table, labels), table


def named(why):
    return [re.split(" = | is missing", part)[0] for part in why.split("; ") if part]


def test_the_column_that_lies_outside_is_named_first(numbers):
    found = uncertain_rows(*numbers, n=2)
    assert set(found["row"]) == {7, 90}
    assert [named(why)[0] for why in found["why"]] == ["x", "x"]
    assert any("x = 9 (-" in why for why in found["why"])


def test_the_column_that_says_where_labels_are_chance_is_named_first(classes):
    model, table = classes
    found = uncertain_rows(model, table, n=10)
    assert (table["group"].iloc[found["row"]] == "murky").all()
    assert [named(why)[0] for why in found["why"]] == ["group"] * 10


def test_the_column_that_says_where_numbers_are_noisy_is_named_first():
    rng = np.random.default_rng(2)
    loud = rng.random(800) < 0.3
    table = pd.DataFrame(
        {
            "kind": np.where(loud, "loud", "calm"),
            "x": rng.normal(size=800),
            "z": rng.normal(size=800),
        }
    )
    y = rng.normal(size=800) * np.where(loud, 5, 0.1)
    model = TableRegressor((32,), loss="gaussian_nll", max_iter=60, n_networks=2, random_state=0)
    found = uncertain_rows(model.fit(table, y), table, n=5, measure="aleatoric")
    assert list(found.columns) == ["row", "prediction", "std", "aleatoric", "why"]
    assert all(why.startswith("kind = loud (-") for why in found["why"])


@pytest.mark.parametrize("which", ["numbers", "classes"])
def test_rows_are_the_least_certain_in_order(which, request):
    model, table = request.getfixturevalue(which)
    found = uncertain_rows(model, table, n=12, n_draws=30)
    measure = "std" if which == "numbers" else "predictive_entropy"
    values = getattr(model.uncertainty(table, 30), measure)
    np.testing.assert_allclose(found[measure], np.sort(values)[::-1][:12], rtol=1e-6)
    np.testing.assert_allclose(values[found["row"]], found[measure], rtol=1e-6)
    if which == "classes":
        p = model.uncertainty(table, 30).probabilities[found["row"]]
        assert (found["prediction"] == model.classes_[p.argmax(axis=1)]).all()


def test_a_share_is_how_far_the_uncertainty_falls_with_the_typical_value(numbers):
    model, table = numbers
    found = uncertain_rows(model, table, n=6, n_draws=40)
    typical = {name: table[name].sort_values().iloc[ROWS // 2 - 1] for name in ("x", "other")}
    typical["c"] = table["c"].mode()[0]
    for row, why in zip(found["row"], found["why"], strict=True):
        before = model.uncertainty(table, 40).std[row]
        for part in why.split("; "):
            (name,), share = named(part), int(re.search(r"\(-(\d+) %\)$", part)[1])
            changed = table.assign(**{name: typical[name]})
            after = model.uncertainty(changed, 40).std[row]
            assert 100 * (1 - after / before) == pytest.approx(share, abs=0.51)


def test_a_row_of_typical_values_has_no_reason(numbers):
    model, table = numbers
    usual = uncertain.typical_row(table, uncertain.used(model))
    assert usual["x"][0] == table["x"].quantile(0.5, interpolation="lower")
    same = pd.concat([usual] * 3, ignore_index=True)
    assert list(uncertain_rows(model, same, n=5)["why"]) == ["", "", ""]


def test_reasons_do_not_depend_on_how_many_are_asked_about_at_once(numbers, monkeypatch):
    whole = uncertain_rows(*numbers, n=4)
    monkeypatch.setattr(uncertain, "BATCH_CELLS", 1)
    pd.testing.assert_frame_equal(uncertain_rows(*numbers, n=4), whole)


def test_a_hole_is_shown_as_missing_and_can_be_typical(numbers):
    model, _ = numbers
    rows = pd.DataFrame({"x": [np.nan, np.nan, 9.0], "other": 0.0, "c": [None, None, "a"]})
    cells = uncertain.typical_row(rows, uncertain.used(model))
    assert cells["x"][0] == 9.0
    assert cells["c"].isna()[0]
    assert uncertain.cell_text(np.nan, "x") == "x is missing"
    nothing = uncertain.typical_row(rows[:2], uncertain.used(model))
    assert nothing["x"].isna()[0]


@pytest.mark.parametrize(
    ("cell", "message"),
    [(512.3292, "512.3"), (123456.7, "123457"), ("512.30", "512.3"), (True, "true"), (3, "3"),
     ("w" * 99, "w" * 37 + "...")],
)  # fmt: skip
def test_cells_are_shown_briefly(cell, message):
    assert uncertain.cell_text(cell, "fare") == f"fare = {message}"


def test_dates_have_a_median_and_labels_a_most_frequent_one():
    rng = np.random.default_rng(0)
    dates = pd.date_range("2020-01-01", periods=101, freq="D")
    table = pd.DataFrame({"when": rng.permutation(dates), "city": ["Ulm"] * 60 + ["Bonn"] * 41})
    model = TableRegressor((4,), max_iter=2, random_state=0).fit(table, rng.normal(size=101))
    found = uncertain.typical_row(table, uncertain.used(model))
    assert found["when"][0] == dates[50]
    assert found["city"][0] == "Ulm"
    assert len(uncertain_rows(model, table, n=3)) == 3


def test_a_file_says_what_its_frame_says(numbers, tmp_path):
    model, table = numbers
    table.to_csv(tmp_path / "t.csv", index=False)
    found = uncertain_rows(model, tmp_path / "t.csv", n=3)
    pd.testing.assert_frame_equal(found, uncertain_rows(model, table, n=3), rtol=1e-5)


def test_arrays_and_odd_row_labels_will_do():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    model = TableRegressor((8,), max_iter=5, random_state=0).fit(X, X[:, 0])
    found = uncertain_rows(model, X, n=100, n_draws=5)
    assert sorted(found["row"]) == list(range(60))
    assert {name for why in found["why"] for name in named(why)} <= {"x0", "x1"}


@pytest.mark.usefixtures("untyped")
def test_what_cannot_be_asked_is_refused(numbers, classes):
    model, table = numbers
    with pytest.raises(NotFittedError):
        uncertain_rows(TableRegressor(), table)
    with pytest.raises(ValueError, match=r"measure must be 'std' or .*got 'entropy'"):
        uncertain_rows(model, table, measure="entropy")
    with pytest.raises(ValueError, match=r"measure must be 'predictive_entropy' or .*got 'std'"):
        uncertain_rows(*classes, measure="std")
    with pytest.raises(ValueError, match="n must be an integer >= 1, got 0"):
        uncertain_rows(model, table, 0)
    with pytest.raises(ValueError, match="column 'x' must be in the table"):
        uncertain_rows(model, table.drop(columns=["x"]))
    x = table[["x"]].to_numpy()
    other = MLPRegressor(hidden_layer_sizes=(4,), dropout=0.2, max_iter=500).fit(x, x[:, 0])
    with pytest.raises(ValueError, match="TableClassifier or TableRegressor, got 'MLPRegressor'"):
        uncertain_rows(other, x)
    two = TableRegressor((4,), max_iter=2).fit(x, np.c_[x, x])
    with pytest.raises(ValueError, match="a regressor of one number, got 2"):
        uncertain_rows(two, x)
    sure = TableRegressor((4,), dropout=0, input_dropout=0, n_networks=1, max_iter=2).fit(
        x, x[:, 0]
    )
    with pytest.raises(ValueError, match="must have active dropout"):
        uncertain_rows(sure, x)
