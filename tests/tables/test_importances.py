"""Permutation importances of held-out rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from mixed_table import mixed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import permutation_importance
from trying import given_few_or_many

from thinnet import TableClassifier, TableEncoder, TableRegressor, load, save
from thinnet.tables import Importances, importances

ROWS = 2400  # above those with which networks are trained on all rows
QUICK = {"hidden_layer_sizes": (16,), "max_iter": 15, "n_networks": 2, "random_state": 0}


def table_of(rows, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "x": rng.normal(size=rows),
            "group": rng.choice(["a", "b", "c"], rows),
            "noise": rng.normal(size=rows),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), "D"),
        }
    )


def numbers_of(table):
    days = (table["day"] - table["day"].min()).dt.days
    return 2 * table["x"] + 3 * (table["group"] == "b") + days / 350


@pytest.fixture(scope="module")
def regressor():
    """A regressor that stopped by rows of its own, and these rows."""
    train, held = table_of(ROWS), table_of(800, seed=1)
    model = TableRegressor(**QUICK)
    return model.fit(train, numbers_of(train), (held, numbers_of(held))), held


@pytest.fixture(scope="module")
def classifier():
    train, held = table_of(ROWS), table_of(800, seed=1)
    model = TableClassifier(**QUICK)
    return model.fit(train, numbers_of(train) > 2, (held, numbers_of(held) > 2)), held


SCORERS = {"regressor": "neg_mean_squared_error", "classifier": "neg_log_loss"}


@pytest.mark.parametrize("which", SCORERS)
def test_importances_are_those_of_scikit_learn_within_error_bars(which, request):
    model, held = request.getfixturevalue(which)
    y = numbers_of(held) if which == "regressor" else numbers_of(held) > 2
    wanted = permutation_importance(
        model, held, y, scoring=SCORERS[which], n_repeats=10, random_state=1
    )
    found = model.importances_
    error = np.hypot(found.std, wanted.importances_std) / np.sqrt(10)
    assert (np.abs(found.mean - wanted.importances_mean) <= 4.5 * error).all()
    assert (found.std < 4 * wanted.importances_std + 1e-12).all()
    assert (wanted.importances_std < 4 * found.std + 1e-12).all()
    assert found.rows == 800
    assert found.columns == tuple(held.columns)


def test_loss_is_that_of_predictions(regressor, classifier):
    model, held = regressor
    squares = np.square(model.predict(held) - numbers_of(held))
    assert_allclose(model.importances_.loss, squares.mean(), rtol=1e-5)
    model, held = classifier
    p = model.predict_proba(held)[np.arange(800), (numbers_of(held) > 2).astype(int)]
    assert_allclose(model.importances_.loss, -np.log(p).mean(), rtol=1e-5)


@pytest.mark.parametrize("which", SCORERS)
def test_noise_and_columns_left_out_matter_nothing(which, request):
    model, _ = request.getfixturevalue(which)
    found = dict(zip(model.feature_names_in_, model.feature_importances_, strict=True))
    spread = dict(zip(model.feature_names_in_, model.feature_importances_std_, strict=True))
    assert (found["id"], spread["id"]) == (0, 0)
    assert abs(found["noise"]) <= 3 * spread["noise"]
    for name in ("x", "group", "day"):
        assert found[name] > 5 * spread[name] > 0


@pytest.mark.parametrize("n_networks", [1, 3])
@pytest.mark.parametrize("rows", [90, 2100])
def test_each_network_is_asked_about_its_own_held_out_rows(rows, n_networks, monkeypatch):
    asked = []

    def watched(encoder, head, held):
        asked.extend((networks, part.places) for networks, part in held)
        return kept(encoder, head, held)

    kept = importances.kept
    monkeypatch.setattr("thinnet.tables.base.kept", watched)
    table = table_of(rows)
    model = TableRegressor(**QUICK | {"n_networks": n_networks, "max_iter": 3})
    model.fit(table, numbers_of(table))
    assert len(asked) == n_networks
    places = np.concatenate([held for _, held in asked])
    assert len(places) == len(np.unique(places))
    if n_networks > 1:
        assert_array_equal(np.sort(places), np.arange(rows))
    for (network,), held in asked:
        learned = np.unique(np.concatenate([network.rows(step) for step in range(5)]))
        assert learned.max() < rows - len(held)  # places among all rows but these
    parts = model._held_out.parts
    assert [part.networks for part in parts] == [tuple(each) for each, _ in asked]
    wanted = min(len(places), importances.MOST_ROWS // n_networks * n_networks)
    assert sum(len(part.rows.y) for part in parts) == wanted


def test_importances_follow_from_the_seed_alone():
    table = table_of(200)
    y = numbers_of(table)
    np.random.seed(3)  # noqa: NPY002
    first = TableRegressor(**QUICK).fit(table, y)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    values = first.importances_.values
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    np.random.seed(4)  # noqa: NPY002
    again = clone(first).fit(table, y)
    assert_array_equal(again.importances_.values, values)
    assert again.importances_ is again.importances_
    other = TableRegressor(**QUICK | {"random_state": 1}).fit(table, y)
    assert (other.importances_.values != values).any()


def test_a_new_fit_forgets_the_importances_of_the_old_one():
    table = table_of(200)
    model = TableRegressor(**QUICK).fit(table, numbers_of(table))
    before = model.importances_
    model.fit(table[["x", "noise"]], table["noise"])
    assert model.importances_ is not before
    assert model.importances_.columns == ("x", "noise")
    assert model.feature_importances_.argmax() == 1


def test_fit_computes_nothing_and_no_row_goes_into_a_file(tmp_path, monkeypatch):
    table = table_of(200)
    calls = []
    real = importances.importances
    monkeypatch.setattr(
        "thinnet.tables.inspected.importances", lambda held: calls.append(1) or real(held)
    )
    model = TableClassifier(**QUICK).fit(table, numbers_of(table) > 2)
    model.predict(table)
    assert "importances_" not in vars(model)
    assert not calls
    copied = pickle.loads(pickle.dumps(model))
    save(model, tmp_path / "m.thinnet")
    assert calls == [1]
    loaded = load(tmp_path / "m.thinnet")
    assert "_held_out" not in vars(loaded)
    assert_array_equal(loaded.importances_.values, model.importances_.values)
    assert loaded.importances_.columns == model.importances_.columns
    assert_array_equal(copied.feature_importances_, model.feature_importances_)
    save(loaded, tmp_path / "again.thinnet")
    assert calls == [1, 1]  # the copy's own


def test_scikit_learn_selects_columns_by_importances(regressor):
    model, held = regressor
    chosen = SelectFromModel(model, prefit=True, threshold="mean").fit(held)
    assert set(chosen.get_feature_names_out()) <= {"x", "group", "day"}


def test_before_fit_and_for_models_of_before_there_are_none(tmp_path):
    with pytest.raises(NotFittedError):
        TableRegressor().feature_importances_  # noqa: B018
    table = table_of(60)
    model = TableRegressor(**QUICK).fit(table, numbers_of(table))
    del model._held_out
    with pytest.raises(AttributeError, match="an earlier version: fit it again"):
        model.importances_  # noqa: B018
    assert not hasattr(model, "feature_importances_")
    save(model, tmp_path / "m.thinnet")
    assert not hasattr(load(tmp_path / "m.thinnet"), "importances_")


def test_each_slot_of_every_kind_of_column_belongs_to_one_column():
    table = mixed(60)
    encoder = TableEncoder().fit(table, np.arange(60.0))
    slots = importances.slots_of(encoder)
    assert list(slots) == list(table.columns)
    places = sorted(place for of in slots.values() for place in of)
    assert places == list(range(encoder.width))


@given_few_or_many(few=10, many=300, seed=st.integers(0, 2**32 - 1))
def test_only_the_slots_of_one_column_move(seed):
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(2, 30))
    table = mixed(60).sample(rows + 20, random_state=seed % 2**31, ignore_index=True)
    encoder = TableEncoder().fit(table)
    encoded = encoder.lookups(table)
    name = rng.choice([column.name for column in encoder.columns_ if column.kind != "left out"])
    slots = importances.slots_of(encoder)[name]
    order = rng.permutation(len(table))
    shuffled = table.assign(**{name: table[name].to_numpy()[order]}).astype(table.dtypes)
    wanted = encoded.copy()
    wanted[:, slots] = encoded[order][:, slots]
    assert_array_equal(encoder.lookups(shuffled), wanted)


def test_columns_that_say_the_same_share_their_importance():
    table = table_of(600)[["x", "noise"]]
    y = 3 * table["x"]
    alone = TableRegressor(**QUICK | {"max_iter": 60}).fit(table, y)
    twice = clone(alone).fit(table.assign(copy=table["x"]), y)
    assert twice.feature_importances_[0] < 0.6 * alone.feature_importances_[0]


def test_each_column_that_one_of_several_targets_needs_is_important():
    table = table_of(80)
    y = np.c_[numbers_of(table), table["noise"]]
    model = TableRegressor(**QUICK | {"max_iter": 200}).fit(table, y)
    assert (model.feature_importances_[[1, 3]] > 0).all()


def test_order_begins_with_the_most_important():
    values = np.array([[1.0, 3.0], [5.0, 5.0], [2.0, 2.0], [0.0, 0.0]])
    found = Importances(("a", "b", "c", "d"), values, 1.0, "log loss", 9)
    assert_array_equal(found.order, [1, 0, 2, 3])
    assert_array_equal(found.mean, [2, 5, 2, 0])
    assert_array_equal(found.std, [1, 0, 0, 0])


def test_wide_tables_keep_few_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 120))
    model = TableRegressor(**QUICK | {"max_iter": 1}).fit(X, X[:, 0])
    assert importances.LEAST_ROWS <= model.importances_.rows < 300
    kept = sum(part.rows.X.size for part in model._held_out.parts)
    assert kept <= importances.MOST_NUMBERS
