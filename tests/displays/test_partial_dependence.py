"""Mean predictions by one column."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.inspection import partial_dependence

from thinnet import MLPRegressor, PartialDependence, TableClassifier, TableRegressor
from thinnet.tables import dependence

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
ROWS = 240
QUICK = {"hidden_layer_sizes": (16,), "max_iter": 25, "n_networks": 2, "random_state": 0}
TABLE = pd.DataFrame(
    {
        "x": RNG.normal(size=ROWS),
        "whole": RNG.integers(0, 4, ROWS),
        "group": RNG.choice(["a", "b", "c", None], ROWS, p=[0.5, 0.3, 0.1, 0.1]),
        "day": pd.Timestamp("2021-01-01") + pd.to_timedelta(RNG.integers(0, 500, ROWS), "D"),
        "says": [" ".join(RNG.choice([*"abcdefg"], 6)) for _ in range(ROWS)],
    }
)
Y = 2 * TABLE["x"] + 3 * (TABLE["group"] == "b") + 0.5 * TABLE["whole"]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def regressor():
    return TableRegressor(**QUICK).fit(TABLE, Y)


@pytest.fixture(scope="module")
def classifier():
    return TableClassifier(**QUICK).fit(TABLE, np.digitize(Y, [0, 2]))


NUMBERS = TABLE[["x", "whole"]].astype(float)


@pytest.mark.parametrize("column", ["x", "whole"])
def test_means_are_those_of_scikit_learn(column):
    model = TableRegressor(**QUICK).fit(NUMBERS, Y)
    found = PartialDependence.from_estimator(model, NUMBERS, column, subsample=None)
    wanted = partial_dependence(
        model, NUMBERS, [column], method="brute", kind="average", custom_values={column: found.x}
    )
    assert_allclose(found.mean, wanted["average"][0], rtol=1e-5)


def test_means_of_classes_are_those_of_scikit_learn():
    model = TableClassifier(**QUICK).fit(NUMBERS, np.digitize(Y, [0, 2]))
    for place, label in enumerate(model.classes_):
        found = PartialDependence.from_estimator(model, NUMBERS, "x", target=label, subsample=None)
        wanted = partial_dependence(
            model, NUMBERS, ["x"], method="brute", kind="average", custom_values={"x": found.x}
        )
        assert_allclose(found.mean, wanted["average"][place], rtol=1e-5)
        assert found.predicted == f"probability of '{label}'"


def test_the_band_holds_the_draws_means(regressor):
    found = PartialDependence.from_estimator(regressor, TABLE, "x", n_draws=30, subsample=None)
    for point in (0, 7, 19):
        draws = regressor.sample(TABLE.assign(x=found.x[point]), 30)[..., 0].mean(axis=1)
        assert_allclose(found.band[point], np.quantile(draws, [0.05, 0.95]), rtol=1e-5)


def test_points_are_quantiles_all_values_or_the_most_frequent_labels(regressor):
    found = PartialDependence.from_estimator(regressor, TABLE, "x", grid_resolution=5)
    levels = [0.05, 0.275, 0.5, 0.725, 0.95]
    assert_array_equal(found.x, np.quantile(TABLE["x"], levels, method="lower"))
    assert_array_equal(PartialDependence.from_estimator(regressor, TABLE, "whole").x, range(4))
    found = PartialDependence.from_estimator(regressor, TABLE, "group", grid_resolution=3)
    assert list(found.x) == ["a", "b", TABLE["group"].fillna("(missing)").value_counts().index[2]]
    found = PartialDependence.from_estimator(regressor, TABLE, "day", grid_resolution=3)
    days = (TABLE["day"] - pd.Timestamp(0)).dt.days
    assert_array_equal(found.x, np.quantile(days, [0.05, 0.5, 0.95], method="lower"))


def test_it_shows_what_the_target_depends_on(regressor, classifier):
    rises = PartialDependence.from_estimator(regressor, TABLE, "x").mean
    assert (np.diff(rises) > 0).all()
    bars = PartialDependence.from_estimator(regressor, TABLE, "group")
    assert bars.x[bars.mean.argmax()] == "b"
    last = PartialDependence.from_estimator(classifier, TABLE, "x", target=2).mean
    assert last[-1] > last[0] + 0.3


def test_dates_that_mean_never_are_no_points():
    table = TABLE.assign(day=TABLE["day"].astype(str))
    table.loc[::4, "day"] = "9999-12-31"
    model = TableRegressor(**QUICK).fit(table, Y)
    found = PartialDependence.from_estimator(model, table, "day", grid_resolution=200)
    assert found.x.max() < 20_000
    assert found.ax_.get_xlabel() == "day"


def test_a_file_shows_what_its_frame_does(regressor, tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    model = TableRegressor(**QUICK).fit(tmp_path / "t.csv", "x")
    found = PartialDependence.from_estimator(model, tmp_path / "t.csv", "group")
    again = PartialDependence.from_estimator(model, TABLE, "group")
    assert list(found.x) == list(again.x)
    assert_allclose(found.mean, again.mean, rtol=1e-4)


def test_few_draws_at_once_are_as_many_as_all(regressor, monkeypatch):
    whole = PartialDependence.from_estimator(regressor, TABLE, "x", n_draws=5)
    monkeypatch.setattr(dependence, "MOST_NUMBERS", 1)
    parts = PartialDependence.from_estimator(regressor, TABLE, "x", n_draws=5)
    assert_array_equal(whole.mean, parts.mean)
    assert_array_equal(whole.band, parts.band)


def test_a_network_that_never_draws_has_no_band():
    sure = TableRegressor(**QUICK | {"n_networks": 1, "dropout": 0}).fit(TABLE, Y)
    for column in ("x", "group"):
        assert PartialDependence.from_estimator(sure, TABLE, column).band is None


def test_some_rows_stand_for_all(regressor):
    found = PartialDependence.from_estimator(regressor, TABLE, "x", subsample=50)
    wanted = PartialDependence.from_estimator(regressor, TABLE, "x", subsample=None)
    assert not np.array_equal(found.mean, wanted.mean)
    assert np.abs(found.mean - wanted.mean).max() < 0.3 * np.ptp(wanted.mean)


def test_curves_and_bars_can_be_read(regressor, classifier):
    axes = PartialDependence.from_estimator(regressor, TABLE, "x").ax_
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "prediction")
    fig, ax = plt.subplots()
    table = TABLE.replace({"group": {"a": "w" * 90}})
    shown = PartialDependence.from_estimator(classifier, table, "group", target=1, ax=ax)
    assert shown.figure_ is fig
    names = [label.get_text() for label in shown.ax_.get_xticklabels()]
    assert names[0] == "w" * 23 + "…"
    assert len(shown.ax_.patches) == len(names) == 4


@pytest.mark.usefixtures("untyped")
def test_what_cannot_be_asked_is_refused(regressor, classifier):
    shown = PartialDependence.from_estimator
    with pytest.raises(NotFittedError):
        shown(TableRegressor(), TABLE, "x")
    with pytest.raises(ValueError, match=r"column must be a column of numbers, dates or .* 'says'"):
        shown(regressor, TABLE, "says")
    with pytest.raises(ValueError, match=r"column must be a column of .*got 'nowhere'"):
        shown(regressor, TABLE, "nowhere")
    with pytest.raises(ValueError, match="target must be left out for numbers, got 3"):
        shown(regressor, TABLE, "x", target=3)
    with pytest.raises(ValueError, match="target must be one of the classes 0, 1, 2, got None"):
        shown(classifier, TABLE, "x")
    with pytest.raises(ValueError, match="grid_resolution must be an integer >= 2, got 1"):
        shown(regressor, TABLE, "x", grid_resolution=1)
    with pytest.raises(ValueError, match="subsample must be an integer >= 1, got 0"):
        shown(regressor, TABLE, "x", subsample=0)
    with pytest.raises(ValueError, match="n_draws must be an integer >= 2, got 1"):
        shown(regressor, TABLE, "x", n_draws=1)
    with pytest.raises(ValueError, match="X must be a table with column 'x', got"):
        shown(regressor, TABLE.drop(columns="x"), "x")
    with pytest.raises(ValueError, match="column 'x' must hold a value, got none"):
        shown(regressor, TABLE.assign(x=np.nan), "x")
    rows = NUMBERS.to_numpy()
    other = MLPRegressor(hidden_layer_sizes=(4,), dropout=0.2, max_iter=500).fit(rows, Y)
    with pytest.raises(ValueError, match="a TableClassifier or TableRegressor, got 'MLPReg"):
        shown(other, rows, "x")
