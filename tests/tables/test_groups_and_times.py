"""Fits whose folds keep groups together, or go forward in time."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from thinnet import TableClassifier, TableEncoder, TableRegressor, load, save
from thinnet.tables import base, efforts, members
from thinnet.tables.beside import times_in
from thinnet.tables.columns.crossing import crossed, crossed_again
from thinnet.tables.columns.transformers import mean_targets

QUICK = {"n_networks": 3, "max_iter": 3, "random_state": 0, "hidden_layer_sizes": (8,)}
ROWS = 150
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": RNG.normal(size=ROWS), "b": RNG.choice(list("xyz"), ROWS)})
NUMBERS = TABLE["a"].to_numpy() ** 2 + 0.1 * RNG.normal(size=ROWS)
GROUPS = RNG.integers(0, 12, ROWS)
DAYS = RNG.permutation(ROWS) // 2


@pytest.fixture
def training_sets(monkeypatch):
    """All training sets of the fits of a test."""
    found, fit_members = [], base.fit_members

    def noted(estimator, loss, sets, stream, flag):
        found.append(list(sets))
        return fit_members(estimator, loss, sets, stream, flag)

    monkeypatch.setattr(base, "fit_members", noted)
    return found


def places(some):
    return np.arange(len(some.table.y))[some.places]


@pytest.mark.parametrize("networks", [1, 3])
@pytest.mark.parametrize("kind", [TableClassifier, TableRegressor])
def test_no_network_stops_by_a_group_that_it_has_learned_from(kind, networks, training_sets):
    y = NUMBERS if kind is TableRegressor else np.where(NUMBERS > 0.5, "high", "low")
    model = kind(**(QUICK | {"n_networks": networks}))
    model.fit(TABLE.assign(g=GROUPS.astype(str)), y, groups="g")
    assert list(model.feature_names_in_) == ["a", "b"]
    for each in training_sets[0]:
        assert not set(GROUPS[places(each.rows)]) & set(GROUPS[places(each.held)])
    model.predict(TABLE)


def test_an_array_of_groups_means_the_same_as_their_column():
    named = TableRegressor(**QUICK).fit(TABLE.assign(g=GROUPS), NUMBERS, groups="g")
    given = TableRegressor(**QUICK).fit(TABLE, NUMBERS, groups=[f"g{i}" for i in GROUPS])
    assert_array_equal(named.predict(TABLE), given.predict(TABLE))
    assert named.group_name_ == "g"
    assert not hasattr(given, "group_name_")


FORMS = {
    "dates": lambda day: pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D"),
    "texts": lambda day: pd.Series(
        pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D")
    ).dt.strftime("%d.%m.%Y"),
    "numbers": lambda day: day + 1990.5,
    "texts of numbers": lambda day: pd.Series(day).astype(str),
    "months": lambda day: pd.Series(pd.period_range("2001-01", periods=ROWS, freq="M"))[day].array,
}


@pytest.mark.parametrize("form", FORMS)
def test_nothing_later_than_rows_held_out_is_learned_from(form, training_sets):
    table = TABLE.assign(when=np.asarray(FORMS[form](DAYS)))
    model = TableRegressor(**QUICK).fit(table, NUMBERS, time="when")
    folds, final = training_sets
    for each in folds:
        assert DAYS[places(each.rows)].max() < DAYS[places(each.held)].min()
    assert max(DAYS[places(each.held)].max() for each in folds) == DAYS.max()
    for each in final:
        assert each.held is None
        assert len(places(each.rows)) == ROWS
        assert each.epochs == members.common_epochs(model.histories_)
    assert "when" in model.feature_names_in_
    array = TableRegressor(**QUICK).fit(table, NUMBERS, time=DAYS)
    assert_array_equal(array.predict(table), model.predict(table))


def test_an_hour_that_comes_twice_is_put_in_order():
    hours = pd.date_range("2024-10-26", periods=60, freq="30min", tz="Europe/Berlin")
    found = times_in(pd.Series(hours), (), np.arange(60))
    assert (np.diff(found) == found[1] - found[0]).all()


def test_a_time_that_kinds_drop_orders_rows_all_the_same(training_sets):
    table = TABLE.assign(when=DAYS)
    model = TableRegressor(**QUICK, kinds={"when": "drop"}).fit(table, NUMBERS, time="when")
    kinds = {column.name: column.kind for column in model.encoder_.columns_}
    assert kinds["when"] == "left out"
    held = training_sets[0][-1].held
    assert DAYS[places(held)].max() == DAYS.max()


def test_a_single_network_holds_the_last_rows_out(training_sets):
    settings = QUICK | {"n_networks": 1, "validation_fraction": 0.2}
    TableRegressor(**settings).fit(TABLE, NUMBERS, time=DAYS)
    ((only,),) = training_sets
    assert set(DAYS[places(only.held)]) == set(range(60, 75))


def test_final_networks_know_the_last_rows_however_many_there_are(monkeypatch, training_sets):
    monkeypatch.setattr(efforts, "FEW_ROWS", 10)
    TableRegressor(**QUICK).fit(TABLE, NUMBERS, time=DAYS)
    assert len(training_sets) == 2
    TableRegressor(**QUICK).fit(TABLE, NUMBERS, groups=GROUPS)
    assert len(training_sets) == 3


@pytest.mark.parametrize("by", ["groups", "time"])
def test_mean_targets_of_rows_held_out_come_from_their_networks_rows(by, monkeypatch):
    """A target of rows held out must not reach what their network learns from, nor their own."""
    names = [f"c{i}" for i in RNG.integers(0, 60, ROWS)]
    table = TABLE.assign(many=names)
    found, fit_part = [], TableEncoder.fit_part

    def noted(encoder, X, y, whole, folds):
        encoded = fit_part(encoder, X, y, whole, folds)
        found.append((encoder, y, folds, encoded))
        return encoded

    monkeypatch.setattr(TableEncoder, "fit_part", noted)
    encoder = TableEncoder(max_categories=5)
    beside = {by: GROUPS if by == "groups" else DAYS}
    TableRegressor(**QUICK, encoder=encoder).fit(table, NUMBERS, **beside)
    ((fitted, y, folds, encoded),) = found
    part = next(i for i, part in enumerate(fitted.parts_.parts) if part.name == "mean")
    means = encoded[:, fitted.parts_.layout.places[part]].ravel()
    for kept, held in folds:
        other = y.copy()
        other[held] = RNG.normal(size=len(held))
        again = fit_part(TableEncoder(max_categories=5), table, other, None, folds)
        assert_array_equal(again[held][:, -1:], encoded[held][:, -1:])
        if by == "time":
            assert_array_equal(again[kept], encoded[kept])
    assert len(np.unique(means)) > 10


def test_names_of_groups_and_times_stay_with_the_model(tmp_path):
    table = TABLE.assign(y=NUMBERS, g=GROUPS, t=DAYS)
    table.to_csv(tmp_path / "t.csv", index=False)
    for role, attribute, name in (("groups", "group_name_", "g"), ("time", "time_name_", "t")):
        model = TableRegressor(**QUICK).fit(tmp_path / "t.csv", "y", **{role: name})
        save(model, tmp_path / "m.thinnet")
        assert getattr(load(tmp_path / "m.thinnet"), attribute) == name
        assert_array_equal(model.predict(tmp_path / "t.csv"), model.predict(table))


def hole(values):
    return [None if i == 9 else value for i, value in enumerate(values.tolist())]


BAD = {
    "one group": ({"groups": np.zeros(ROWS)}, "groups must be of two different ones at least"),
    "more networks than groups": (
        {"groups": np.arange(ROWS) % 2},
        "n_networks must be at most the number of groups, 2, got 3",
    ),
    "no group": ({"groups": hole(GROUPS)}, "the group of each row, got a missing cell in row 9"),
    "one time": ({"time": np.zeros(ROWS)}, "time must be of two different times at least"),
    "more networks than times": (
        {"time": np.arange(ROWS) % 3},
        "n_networks must be at most 2, one less than the different times, got 3",
    ),
    "no time": ({"time": hole(DAYS)}, "the time of each row, got a missing cell in row 9"),
    "no date": (
        {"time": ["2024-01-01"] * 9 + ["soon"] + ["2024-01-02"] * (ROWS - 10)},
        "the times must hold dates or numbers, got 'soon' in row 9",
    ),
    "a number that is none": (
        {"time": [*range(9), "soon", *range(9, ROWS - 1)]},
        "the times must hold dates or numbers, got 'soon' in row 9",
    ),
    "both": ({"time": DAYS, "groups": GROUPS}, "groups must be None with time, got both"),
    "an own table": (
        {"time": DAYS, "eval_set": (TABLE, NUMBERS)},
        "time must be None with eval_set, got both",
    ),
    "too few": ({"groups": GROUPS[:5]}, "groups must have as many rows as X, got 5 and 150"),
    "two axes": ({"groups": GROUPS[:, None]}, "groups must be one-dimensional"),
    "no column": ({"time": "when"}, "time must be an array or a column .* got 'when'"),
}


@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD)
def test_groups_and_times_that_cannot_be_are_refused_in_a_sentence(given, message):
    with pytest.raises(ValueError, match=message):
        TableRegressor(**QUICK).fit(TABLE, NUMBERS, **given)


def test_a_bad_cell_of_a_column_is_named_by_its_row_in_the_table():
    table = TABLE.assign(y=NUMBERS, g=[None if i == 9 else "g" for i in range(ROWS)])
    table.loc[2, "y"] = None
    with pytest.raises(ValueError, match=r"group column 'g' must hold .* missing cell in row 9"):
        TableRegressor(**QUICK).fit(table, "y", groups="g")


@pytest.mark.parametrize("classes", [2, 3])
def test_a_part_without_some_class_has_mean_targets_all_the_same(classes):
    """Of random folds they are scikit-learn's."""
    rng = np.random.default_rng(0)
    cells = pd.DataFrame({"a": rng.integers(0, 20, 90), "b": rng.integers(0, 9, 90)}).astype(str)
    y = np.repeat(np.arange(classes), 90 // classes)
    means = mean_targets()
    expected = crossed(means, cells, y, None)
    np.testing.assert_allclose(crossed_again(means, cells, y, None), expected, rtol=1e-9)
    early, late = np.arange(45), np.arange(45, 90)
    found = crossed(mean_targets(), cells, y, [(early, late)])
    assert found.shape == expected.shape
    last = found[late].reshape(45, 2, -1)[:, :, -1]
    assert (last == (y[early] == classes - 1).mean()).all() or classes == 2
