"""Error bars of table regressors that are calibrated by the rows held out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris

from thinnet import (
    Dense,
    MLPClassifier,
    MLPRegressor,
    Network,
    SplitConformalClassifier,
    SplitConformalRegressor,
    TableRegressor,
    TemperatureScaling,
    load,
    save,
)
from thinnet.tables import calibrating
from thinnet.tables.members import TableRows
from thinnet.uncertainty.draws.mixtures import Gaussians, OwnUnits
from thinnet.uncertainty.draws.shapes import shape_of


def table(rows, seed):
    """With noise that is far from Gaussian."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    return pd.DataFrame(x, columns=["a", "b"]), x[:, 0] + 0.5 * rng.standard_t(2, size=rows)


@pytest.fixture(scope="module")
def model():
    settings = {"hidden_layer_sizes": (16,), "max_iter": 15, "n_networks": 3, "random_state": 0}
    return TableRegressor(**settings).fit(*table(2400, 0))


def test_intervals_hold_what_they_promise_and_are_reported(model):
    X, y = table(3000, 1)
    q = model.predict_quantiles(X, (0.05, 0.25, 0.75, 0.95))
    assert 0.45 < ((q[:, 1] <= y) & (y <= q[:, 2])).mean() < 0.56
    assert 0.87 < ((q[:, 0] <= y) & (y <= q[:, 3])).mean() < 0.93
    assert_allclose(model.calibration_.held, model.calibration_.coverages, atol=0.03)


def test_all_results_are_of_one_distribution(model):
    X, y = table(4, 2)
    levels = ((np.arange(4000) + 0.5) / 4000).tolist()
    q = model.predict_quantiles(X, levels)
    assert (np.diff(q, axis=1) > 0).all()
    assert_allclose(model.distribution(X, q[:, 1300]), levels[1300], rtol=1e-9)
    mean, std = model.predict(X, return_std=True)
    assert_allclose(q.mean(axis=1), mean, atol=0.02)
    assert_allclose(q.std(axis=1), std, rtol=0.05)
    d = 1e-5
    slope = (model.distribution(X, y + d) - model.distribution(X, y - d)) / (2 * d)
    assert_allclose(np.exp(model.log_likelihood(X, y)), slope, rtol=1e-3)
    found = model.uncertainty(X)
    assert_allclose(found.std**2, found.epistemic**2 + found.aleatoric**2)


def test_a_file_keeps_calibration_and_without_it_noise_is_gaussian(model, tmp_path):
    X, _ = table(50, 3)
    save(model, tmp_path / "m.thinnet")
    again = load(tmp_path / "m.thinnet")
    assert (again.predict_interval(X) == model.predict_interval(X)).all()
    del again.calibration_
    assert (again.predict(X) == model.predict(X)).all()
    assert (again.predict_interval(X) != model.predict_interval(X)).all()


@pytest.mark.parametrize("rows", [2, 10, 39, 40, 400])
def test_a_shape_of_any_number_of_errors_increases(rows):
    errors = np.random.default_rng(0).normal(size=(rows, 2)).round(1)
    shape = shape_of(errors)
    assert (np.diff(shape.errors) > 0).all()
    scores, _ = shape.score(shape.at(np.array([-3.0, 0.1, 4.0])))
    assert_allclose(scores, np.array([[-3.0, 0.1, 4.0]] * 2).T)


@pytest.mark.parametrize("rows", [3, 8, 30])
def test_few_rows_give_intervals_too(rows):
    X, y = table(rows, 4)
    model = TableRegressor((4,), max_iter=2, n_networks=2, random_state=0).fit(X, y)
    low, high = model.predict_interval(X).T
    assert (low < high).all()


def test_wrappers_are_saved_and_loaded(tmp_path):
    X, y = load_iris(return_X_y=True)
    classes = MLPClassifier((8,), max_iter=1500, random_state=0).fit(X[::2], y[::2])
    numbers = MLPRegressor(hidden_layer_sizes=(8,), dropout=0.1, max_iter=1500, random_state=0).fit(
        X[::2], X[::2, 0]
    )
    rest, of_rest = X[1::2], y[1::2]
    made = [
        (SplitConformalClassifier(classes, method="aps").calibrate(rest, of_rest), "predict_set"),
        (SplitConformalRegressor(numbers).calibrate(rest, rest[:, 0]), "predict_interval"),
        (SplitConformalRegressor(numbers, normalise=True).calibrate(rest, rest[:, 0]),
         "predict_interval"),
        (TemperatureScaling(classes).calibrate(rest, of_rest), "predict_proba"),
    ]  # fmt: skip
    for i, (wrapper, method) in enumerate(made):
        save(wrapper, tmp_path / f"{i}.thinnet")
        again = load(tmp_path / f"{i}.thinnet")
        assert (getattr(again, method)(X) == getattr(wrapper, method)(X)).all()


@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_the_mean_of_networks_errs_less_than_one_by_how_little_their_errors_are_alike(
    alike, monkeypatch
):
    rng, k, rows = np.random.default_rng(0), 4, 4000
    y = rng.normal(size=(rows, 1))
    common, own = rng.normal(size=(rows, 1)), rng.normal(size=(rows, k))
    X = np.hstack([y, np.sqrt(alike) * common + np.sqrt(1 - alike) * own])
    networks = [Network([Dense(1)], features=1 + k, dtype=np.float64) for _ in range(k)]
    for i, network in enumerate(networks):
        network.theta[:] = 0
        network.theta[[0, 1 + i]] = 1  # the truth, and an error of its own
    held = [TableRows(X[i::k], y[i::k], None) for i in range(k)]

    def mixture(outputs):
        return Gaussians(outputs, 0.1, OwnUnits())

    def size():
        found = calibrating.of_folds(mixture, held, networks, [*networks[::-1]])  # or any others
        return np.ptp(found.shape.errors)

    of_mean = size()
    monkeypatch.setattr(calibrating, "_of_mean", lambda *_: 1.0)
    assert_allclose(of_mean / size(), np.sqrt((1 + 3 * alike) / 4), rtol=0.03)
