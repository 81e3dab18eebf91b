"""How long tables are learned: efforts, limits of time, and inputs with their means off."""

import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from thinnet import TableClassifier, TableEncoder, TableRegressor
from thinnet.tables import efforts
from thinnet.tables.time_limits import IS_OVER, TimeLimit

RNG = np.random.default_rng(0)
N = 2400
X = pd.DataFrame(
    {"x": RNG.uniform(-3, 3, N), "z": RNG.normal(size=N), "c": RNG.choice(list("abc"), N)}
)
SHARP = np.sin(4 * X["x"]) * np.where(X["c"] == "a", 1, -1)
NOISY = (X["z"] + 3 * RNG.normal(size=N)).to_numpy()


def first_layer(model):
    return model.networks_[0].layers[0]


def test_high_effort_has_larger_networks_that_are_trained_for_longer():
    few = X[:300]
    models = [
        TableRegressor(effort=effort, n_networks=2, random_state=0).fit(few, SHARP[:300])
        for effort in ("normal", "high")
    ]
    widths = [first_layer(model).dense.units for model in models]
    assert widths == [128, 256]
    assert models[0].n_iter_ < models[1].n_iter_


@pytest.mark.parametrize(
    ("settings", "rows", "batch", "epochs"),
    [
        ({}, 5000, 128, 6),  # 40 steps an epoch
        ({}, 2000, 256, 26),  # 200 steps
        ({"effort": "high"}, 5000, 128, 20),
        ({"effort": "high"}, 2000, 256, 52),
        ({}, 1000, 25, 12),  # twice as many with few rows
        ({}, 100, 25, 100),
        ({"n_iter_no_change": 3}, 20_000, 256, 3),
        ({"n_iter_no_change": 3}, 5000, 128, 6),
    ],
)
def test_training_waits_for_some_epochs_and_for_some_steps(settings, rows, batch, epochs):
    assert efforts.patience(TableRegressor(**settings), rows, batch) == epochs


def test_settings_that_are_given_are_taken_whatever_the_effort():
    how = {"hidden_layer_sizes": (7,), "n_iter_no_change": 1, "learning_rate_init": 0.5}
    model = TableRegressor(effort="high", max_iter=3, n_networks=2, random_state=0, **how)
    model.fit(X[:200], SHARP[:200])
    assert first_layer(model).dense.units == 7
    assert set(model.history_["learning_rate"]) == {0.5}


def test_the_better_of_inputs_with_and_without_their_means_is_taken():
    best = []
    for center in (False, True):
        encoder = TableEncoder(center=center)
        model = TableRegressor(encoder=encoder, n_networks=2, max_iter=15, random_state=0)
        model.fit(X, SHARP)
        assert any(each.means for each in first_layer(model).columns) == center
        best.append(min(model.history_["validation_loss"]))
    model = TableRegressor(n_networks=2, max_iter=15, random_state=0).fit(X, SHARP)
    assert model.encoder_.center
    assert best[1] < 0.9 * best[0]
    assert min(model.history_["validation_loss"]) == min(best)
    for network in model.networks_:
        assert network.layers[0].columns == model.encoder_.encodings_


def test_inputs_are_as_they_are_where_means_off_are_not_clearly_better():
    model = TableRegressor(n_networks=2, random_state=0).fit(X[:200], NOISY[:200])
    assert not model.encoder_.center
    assert not any(each.means for each in first_layer(model).columns)


def test_what_is_given_as_an_encoder_is_not_decided_anew():
    model = TableClassifier(encoder=TableEncoder(), n_networks=2, max_iter=2, random_state=0)
    model.fit(X[:300], SHARP[:300] > 0)
    assert not any(each.means for each in model.encoder_.encodings_)


@pytest.mark.parametrize("n", [600, N])  # all rows are learned from, or folds
def test_a_time_limit_is_kept(n):
    TableRegressor(n_networks=2, max_iter=2, random_state=0).fit(X[:n], NOISY[:n])  # compiled now
    start = time.perf_counter()
    how = {"n_iter_no_change": 10_000, "max_iter": 1_000_000, "n_networks": 3}
    model = TableRegressor(time_limit=1.5, random_state=0, **how).fit(X[:n], NOISY[:n])
    assert time.perf_counter() - start < 4  # where nothing else limits, it would take an hour
    assert len(model.networks_) == 3
    assert {history.stopped for history in model.histories_} == {IS_OVER}
    assert "time_limit of 1.5 s ended the training of 3 of 3 networks" in model.notes_
    assert np.isfinite(model.predict(X)).all()


def test_a_limit_that_is_not_reached_changes_no_bit():
    how = {"n_networks": 2, "max_iter": 3, "random_state": 0}
    models = [TableRegressor(time_limit=t, **how).fit(X, SHARP) for t in (None, 1000.0)]
    for networks in zip(*(model.networks_ for model in models), strict=True):
        assert_array_equal(*(network.theta for network in networks))
    assert models[0].notes_ == models[1].notes_


def test_networks_share_the_time_that_is_left():
    limit = TimeLimit(100.0)
    limit.expect(3)
    ends = [callback._end - time.perf_counter() for _ in range(4) for callback in limit.next()]
    assert ends == pytest.approx([30, 45, 90, 90], abs=1)
    limit.expect(5)
    ends = [limit.next(n)[0]._end - time.perf_counter() for n in (2, 2, 2, 2, 1)]
    assert ends == pytest.approx([36, 45, 60, 90, 90], abs=1)
    assert TimeLimit(None).next() == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"effort": "most"}, "effort must be 'normal' or 'high', got 'most'"),
        ({"time_limit": 0}, "time_limit must be a finite number > 0, got 0"),
        ({"time_limit": "1 h"}, "time_limit must be a finite number > 0, got '1 h'"),
        ({"learning_rate_init": 0}, "learning_rate_init must be a finite number > 0, got 0"),
        ({"n_iter_no_change": 0}, "n_iter_no_change must be an integer >= 1, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TableRegressor(**settings).fit(X[:50], NOISY[:50])
