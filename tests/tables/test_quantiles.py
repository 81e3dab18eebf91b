"""Tables' regressors that learn quantiles."""

import copy

import numpy as np
import onnx
import pandas as pd
import pytest
from exported_tables import assert_table_is_alike, feed_of
from numpy.testing import assert_allclose, assert_array_equal
from onnx.reference import ReferenceEvaluator
from sklearn.base import clone
from sklearn.metrics import mean_pinball_loss

from thinnet import (
    Pinball,
    SplitConformalRegressor,
    TableRegressor,
    export_onnx,
    load,
    save,
    uncertain_rows,
)

ROWS = 3000
SMALL = {"hidden_layer_sizes": (32,), "n_networks": 2, "max_iter": 30, "random_state": 0}
TINY = {"hidden_layer_sizes": (4,), "n_networks": 2, "max_iter": 2, "random_state": 0}


def noisy(rng, rows=ROWS):
    """Noise whose size and skewness are those of a row."""
    table = pd.DataFrame({"x": rng.uniform(-2, 2, rows), "c": rng.choice(["a", "b"], rows)})
    noise = np.where(table.c == "a", rng.exponential(size=rows) - 1, rng.normal(size=rows))
    return table, np.sin(2 * table.x) + (0.3 + 0.5 * (table.x + 2)) * noise


@pytest.fixture(scope="module")
def fitted():
    table, y = noisy(np.random.default_rng(5))
    return TableRegressor(loss="quantile", **SMALL).fit(table[:2000], y[:2000])


@pytest.fixture(scope="module")
def others():
    table, y = noisy(np.random.default_rng(6))
    return table, y.to_numpy()


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_intervals_hold_what_they_promise_and_are_as_wide_as_a_rows_noise(fitted, others, coverage):
    table, y = others
    low, high = fitted.predict_interval(table, coverage).T
    assert abs(((low <= y) & (y <= high)).mean() - coverage) < 0.03
    far, near = table.x > 1, table.x < -1
    assert (high - low)[far].mean() > 2 * (high - low)[near].mean()
    middle = fitted.predict_quantiles(table, 0.5)[:, 0]
    skewed = (table.c == "a") & far
    assert (high - middle)[skewed].mean() > 1.2 * (middle - low)[skewed].mean()


def test_they_beat_one_noise_for_all_rows(fitted, others):
    table, y = others
    train, targets = noisy(np.random.default_rng(5))
    plain = TableRegressor(**SMALL).fit(train[:2000], targets[:2000])
    levels = (0.1, 0.5, 0.9)
    losses = [
        np.mean([
            mean_pinball_loss(y, q, alpha=p)
            for p, q in zip(levels, model.predict_quantiles(table, levels).T, strict=True)
        ])
        for model in (fitted, plain)
    ]  # fmt: skip
    assert losses[0] < 0.95 * losses[1]
    assert fitted.log_likelihood(table, y).mean() > plain.log_likelihood(table, y).mean()


def test_quantiles_never_cross_and_predictions_are_the_median(fitted, others):
    table, _ = others
    levels = np.linspace(0.01, 0.99, 33)
    found = fitted.predict_quantiles(table, levels)
    assert (np.diff(found, axis=1) > 0).all()
    head = fitted.head_
    x = fitted.encoder_.lookups(table).astype(np.float32)
    raw = np.stack([network.outputs(x) for network in fitted.networks_])
    sorted_ = np.sort(raw.astype(float), axis=-1).mean(axis=0)
    assert_allclose(fitted.predict(table), head.units.back(sorted_[:, [2]])[:, 0], rtol=1e-5)
    assert head.loss == Pinball((0.05, 0.25, 0.5, 0.75, 0.95))


def test_the_calibration_says_how_many_held_out_targets_intervals_hold(fitted):
    found = fitted.calibration_
    assert found.rows == 2000
    assert_allclose(found.held, found.coverages, atol=0.03)
    plain = copy.copy(fitted)
    del plain.calibration_
    table = pd.DataFrame({"x": [0.5], "c": ["a"]})
    assert (plain.predict_quantiles(table, 0.9) != fitted.predict_quantiles(table, 0.9)).all()


def test_one_level_is_predicted_as_scikit_learn_does(others):
    table, y = noisy(np.random.default_rng(7))
    model = TableRegressor(loss="quantile", quantile=0.9, **SMALL).fit(table[:2000], y[:2000])
    new, truth = others
    assert abs((truth <= model.predict(new)).mean() - 0.9) < 0.04
    assert not hasattr(model, "calibration_")
    assert model.sample(new[:3], 4, progress=False).shape == (4, 3, 1)
    for method in (model.uncertainty, model.predict_quantiles, model.predict_interval):
        with pytest.raises(ValueError, match="quantile must be two levels at least"):
            method(new[:3])


@pytest.mark.parametrize("quantile", [0.3, (0.1, 0.9), (0.05, 0.25, 0.5, 0.75, 0.95)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_they_are_saved_and_exported(quantile, dtype, n_outputs, tmp_path, rng):
    table, y = noisy(rng, 100)
    y = np.exp(y) if n_outputs == 1 else np.stack([np.exp(y), y], axis=1)
    model = TableRegressor(loss="quantile", quantile=quantile, dtype=dtype, **TINY).fit(table, y)
    save(model, tmp_path / "m.thinnet")
    again = load(tmp_path / "m.thinnet")
    assert_array_equal(again.predict(table), model.predict(table))
    if model.head_.has_distributions:
        wanted = model.predict_quantiles(table)
        assert_array_equal(again.predict_quantiles(table), wanted)
    assert clone(again).get_params()["quantile"] == quantile
    assert_table_is_alike(model, table, tmp_path / "m.onnx")
    (found,) = ReferenceEvaluator(onnx.load(tmp_path / "m.onnx")).run(
        None, feed_of(model.encoder_.columns_, table)
    )
    wanted = model.predict(table).reshape(found.shape)
    assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def test_skewed_targets_stay_above_0(rng):
    table, y = noisy(rng, 400)
    y = np.exp(1.5 * y)
    model = TableRegressor(loss="quantile", **TINY).fit(table, y)
    assert (model.target_scale_.unit > 0).all()
    assert (model.predict_quantiles(table, (0.001, 0.01)) >= 0).all()
    assert np.isfinite(model.uncertainty(table).std).all()


def test_held_out_rows_of_ones_own_calibrate_too(rng, others):
    table, y = noisy(rng, 600)
    model = TableRegressor(loss="quantile", **TINY)
    model.fit(table[:400], y[:400], eval_set=(table[400:], y[400:]))
    assert model.calibration_.rows == 200
    wrapped = SplitConformalRegressor(model, normalise=True).calibrate(table[400:], y[400:])
    assert wrapped.predict_interval(table[:5]).shape == (5, 2)
    assert len(uncertain_rows(model, table, n=2, n_draws=5)) == 2


def test_without_calibration_they_are_the_learned_ones(rng):
    table, y = noisy(rng, 100)
    model = TableRegressor(loss="quantile", calibrated=False, quantile=(0.2, 0.8), **TINY)
    assert not hasattr(model.fit(table, y), "calibration_")
    assert model.predict_quantiles(table, (0.2, 0.8)).shape == (100, 2)


@pytest.mark.parametrize("quantile", [0, 1.0, (), (0.5, 0.5), (0.9, 0.1), "0.5", None])
def test_levels_that_can_not_be_are_refused(quantile, rng, tmp_path):
    table, y = noisy(rng, 40)
    message = r"quantile must be a number in \(0, 1\), or several that ascend, got"
    with pytest.raises(ValueError, match=message):
        TableRegressor(loss="quantile", quantile=quantile).fit(table, y)
    model = TableRegressor(loss="quantile", **TINY).fit(table, y)
    model.quantile = quantile
    with pytest.raises(ValueError, match=message):
        save(model, tmp_path / "m.thinnet")


def test_levels_of_another_network_are_refused_in_a_file(rng, tmp_path):
    table, y = noisy(rng, 40)
    model = TableRegressor(loss="quantile", **TINY).fit(table, y)
    model.quantile = (0.1, 0.9)
    with pytest.raises(ValueError, match="networks_ must take 3 numbers and give 2"):
        save(model, tmp_path / "m.thinnet")
    with pytest.raises(ValueError, match="loss must be 'squared_error' or 'gaussian_nll' or 'qu"):
        TableRegressor(loss="pinball").fit(table, y)
    export_onnx(TableRegressor(loss="quantile", **TINY).fit(table, y), tmp_path / "m.onnx")


def test_a_constant_target_has_no_width(rng):
    table, _ = noisy(rng, 60)
    model = TableRegressor(loss="quantile", **TINY).fit(table, np.ones(60))
    found = model.uncertainty(table, 4)
    for part in (found.mean, found.std, found.epistemic, found.aleatoric):
        assert np.isfinite(part).all()
    assert np.isfinite(model.predict_interval(table)).all()
