"""Importances where rows have weights, groups or times."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.inspection import permutation_importance

from thinnet import TableClassifier, TableRegressor
from thinnet.tables import importances

QUICK = {"hidden_layer_sizes": (16,), "max_iter": 15, "n_networks": 3, "random_state": 0}
ROWS = 2400


def table_of(rows, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": rng.normal(size=rows),
            "noise": rng.normal(size=rows),
            "w": rng.integers(0, 6, rows),
            "g": rng.integers(0, 40, rows),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows) // 4, "D"),
        }
    )


def numbers_of(table):
    return np.where(table["w"] > 3, 2 * table["x"], 0) + table["noise"] / 4


CASES = {
    "numbers": (TableRegressor, numbers_of, "neg_mean_squared_error"),
    "classes": (TableClassifier, lambda table: numbers_of(table) > 0.5, "neg_log_loss"),
}


@pytest.mark.parametrize("case", CASES)
def test_rows_count_as_they_weigh(case):
    kind, target_of, scoring = CASES[case]
    train, held = table_of(ROWS), table_of(800, seed=1)
    model = kind(**QUICK)
    model.fit(train, target_of(train), (held, target_of(held)), sample_weight="w")
    there = held[held["w"] > 0]
    found, w = model.importances_, there["w"]
    wanted = permutation_importance(
        model, there.drop(columns="w"), target_of(there), scoring=scoring, n_repeats=10,
        random_state=0, sample_weight=w,
    )  # fmt: skip
    assert found.rows == len(there)
    error = np.hypot(found.std, wanted.importances_std) / np.sqrt(10)
    assert (np.abs(found.mean - wanted.importances_mean) < 5 * error + 1e-9).all()
    if case == "numbers":
        errors = np.square(model.predict(there) - target_of(there))
        assert_allclose(found.loss, np.average(errors, weights=w), rtol=1e-5)
        assert abs(found.loss - errors.mean()) > 0.01 * found.loss


@pytest.fixture
def asked(monkeypatch):
    """The places of the rows that networks are asked about, fold by fold."""
    kept, places = importances.kept, []

    def watched(encoder, head, held):
        places.extend(part.places for _, part in held)
        return kept(encoder, head, held)

    monkeypatch.setattr("thinnet.tables.base.kept", watched)
    return places


@pytest.mark.parametrize("rows", [300, 2100])
def test_with_groups_each_network_is_asked_about_groups_that_it_has_not_met(rows, asked):
    table = table_of(rows)
    model = TableRegressor(**QUICK | {"max_iter": 2})
    model.fit(table, numbers_of(table), groups="g")
    assert_array_equal(np.sort(np.concatenate(asked)), np.arange(rows))
    for held in asked:
        groups = table["g"].to_numpy()
        assert not np.isin(groups[held], np.delete(groups, held)).any()
    assert "g" not in model.importances_.columns


@pytest.mark.parametrize("rows", [300, 2100])
def test_with_times_each_network_is_asked_about_later_rows_than_it_has_met(rows, asked):
    table = table_of(rows).sample(frac=1, random_state=0)
    model = TableRegressor(**QUICK | {"max_iter": 2})
    model.fit(table, numbers_of(table), time="day")
    assert len(asked) == 3
    days = table["day"].to_numpy()
    for held, (network,) in zip(asked, (part.networks for part in model._held_out.parts),
                                strict=True):  # fmt: skip
        learned = np.unique(np.concatenate([network.rows(step) for step in range(3)]))
        assert learned.max() < (days < days[held].min()).sum()


def test_a_fit_that_goes_on_has_importances_of_its_own():
    table = table_of(300)
    y = numbers_of(table)
    model = TableRegressor(**QUICK | {"max_iter": 4, "warm_start": True}).fit(table, y)
    before = model.importances_
    after = model.fit(table, y).importances_
    assert after is not before
    assert after.columns == before.columns
