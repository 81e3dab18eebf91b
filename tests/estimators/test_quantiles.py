"""Perceptrons that learn quantiles."""

import warnings

import numpy as np
import pytest
from exported_models import exported
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import EnsembleRegressor, MLPRegressor, load, save

SMALL = {"hidden_layer_sizes": (16,), "max_iter": 150, "random_state": 0, "dropout": 0.05}
RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (800, 2))
Y = X[:, 0] + RNG.exponential(size=800) * (1.5 + X[:, 1])


def fitted(*args, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the few epochs
        return MLPRegressor("quantile", *args, **SMALL | settings).fit(X, Y)


@pytest.fixture(scope="module")
def model():
    return fitted()


def test_intervals_are_as_wide_as_the_noise_of_a_row(model):
    low, high = model.predict_interval(X).T
    assert 0.8 < ((low <= Y) & (high >= Y)).mean() < 0.97
    far, near = X[:, 1] > 0.5, X[:, 1] < -0.5
    assert (high - low)[far].mean() > 1.5 * (high - low)[near].mean()
    assert (np.diff(model.predict_quantiles(X, np.linspace(0.02, 0.98, 9)), axis=1) > 0).all()
    assert abs((model.predict(X) >= Y).mean() - 0.5) < 0.1


def test_one_level_is_predicted():
    assert abs((fitted(quantile=0.9, learning_rate_init=0.01).predict(X) >= Y).mean() - 0.9) < 0.05


@pytest.mark.parametrize("quantile", [0.3, (0.1, 0.5, 0.9)])
def test_they_are_saved_exported_and_put_together(quantile, tmp_path):
    model = fitted(quantile=quantile, max_iter=2)
    save(model, tmp_path / "m.thinnet")
    again = load(tmp_path / "m.thinnet")
    assert_array_equal(again.predict(X), model.predict(X))
    found = exported(model, {"X": X}, tmp_path / "m.onnx")["variable"]
    assert_allclose(found[:, 0], model.predict(X), rtol=1e-9, atol=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        several = EnsembleRegressor(model, 2, random_state=0).fit(X, np.stack([Y, -Y], axis=1))
    assert several.predict(X).shape == (800, 2)
    if several.head_.has_distributions:
        assert several.predict_quantiles(X[:9]).shape == (9, 3, 2)
    save(several, tmp_path / "e.thinnet")
    assert_array_equal(load(tmp_path / "e.thinnet").predict(X), several.predict(X))
    several.estimators_[1].quantile = 0.4 if quantile == 0.3 else (0.1, 0.5, 0.8)
    with pytest.raises(ValueError, match="estimators_ must have one loss, got 2"):
        save(several, tmp_path / "e.thinnet")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"quantile": 1.0}, r"quantile must be a number in \(0, 1\), or several that ascend"),
        ({"solver": "lbfgs", "dropout": 0.0}, "with loss='quantile', which has corners"),
        ({"dropout_kind": "concrete"}, "loss must be a likelihood with dropout_kind='concrete'"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        fitted(**settings)


def test_it_goes_on_by_parts():
    model = MLPRegressor("quantile", **SMALL)
    for _ in range(3):
        model.partial_fit(X, Y)
    assert model.head_.width == 5
