"""What each layer does, by closed forms; and what it refuses."""

import dataclasses
import math
import pickle
from dataclasses import dataclass

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from thinnet import (
    ELU,
    GELU,
    SELU,
    AlphaDropout,
    BatchNorm,
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    FixedMasks,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    LayerNorm,
    LeakyReLU,
    Network,
    ReLU,
    Run,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from thinnet.layers import Layer
from thinnet.schedules import Constant, Linear
from thinnet.schedules.plateau import ReduceOnPlateau

ALL = [
    Dense(3),
    DropConnect(Dense(3), 0.4),
    ConcreteDropout(Dense(3)),
    FixedMasks(0.4),
    Dropout(0.4),
    Dropout(0.4, scaling="classical"),
    AlphaDropout(0.4),
    GaussianDropout(0.4),
    GaussianNoise(0.4),
    BatchNorm(),
    LayerNorm(),
    Flatten(),
    Identity(),
    ReLU(),
    LeakyReLU(np.float64(0.2)),
    ELU(np.float64(2.0)),
    SELU(),
    GELU(),
    SiLU(),
    Softplus(),
    Tanh(),
    Sigmoid(),
    Softmax(),
]
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772
FLOATS = [np.float16, np.float32, np.float64, np.longdouble]


def alone(layer, features=6, dtype=np.float64, seed=3):
    return Network([layer], features, seed=seed, dtype=dtype)


def run_through(layer, x, run=None, **settings):
    y, _ = alone(layer, x.shape[1:], x.dtype, **settings).forward(x, run or Run.train(0))
    return y


def ones(rows, width):
    return np.ones((rows, width))


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("layer", ALL, ids=str)
def test_a_pass_keeps_the_type_of_its_network(layer, dtype, rng):
    network = alone(layer, dtype=dtype)
    for run in (Run.train(1), Run.predict(), Run.sample(1)):
        y, cache = network.forward(rng.normal(size=(5, 6)), run)
        dx = network.backward(cache, np.ones_like(y))
        assert (y.dtype, dx.dtype) == (dtype, dtype)


@pytest.mark.parametrize("layer", ALL, ids=str)
def test_a_layer_is_a_frozen_value(layer):
    assert isinstance(layer, Layer)
    assert pickle.loads(pickle.dumps(layer)) == layer == dataclasses.replace(layer)
    assert hash(layer) == hash(dataclasses.replace(layer))
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
        layer.anything = 1


@pytest.mark.parametrize("layer", ALL, ids=str)
def test_one_layer_object_may_stand_in_a_network_twice(layer, rng):
    twice = Network([Flatten(), layer, Flatten(), layer], 3, seed=1, dtype=np.float64)
    apart = Network(
        [Flatten(), layer, Flatten(), dataclasses.replace(layer)], 3, seed=1, dtype=np.float64
    )
    x = rng.normal(size=(5, 3))
    for run in (Run.train(1), Run.predict()):
        assert_array_equal(twice.forward(x, run)[0], apart.forward(x, run)[0])


@pytest.mark.parametrize(
    ("layer", "formula"),
    [
        (Identity(), lambda x: x),
        (ReLU(), lambda x: max(x, 0)),
        (LeakyReLU(), lambda x: x if x > 0 else 0.01 * x),
        (LeakyReLU(0.3), lambda x: x if x > 0 else 0.3 * x),
        (ELU(), lambda x: x if x > 0 else math.expm1(x)),
        (ELU(2.0), lambda x: x if x > 0 else 2 * math.expm1(x)),
        (SELU(), lambda x: SCALE * (x if x > 0 else ALPHA * math.expm1(x))),
        (GELU(), lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
        (SiLU(), lambda x: x / (1 + math.exp(-x))),
        (Softplus(), lambda x: math.log1p(math.exp(x))),
        (Tanh(), math.tanh),
        (Sigmoid(), lambda x: 1 / (1 + math.exp(-x))),
    ],
)
def test_an_activation_is_its_formula(layer, formula):
    x = np.array([[-30.0, -2.0, -1e-8, 0.0, 1e-8, 0.5, 30.0]])
    expected = [[formula(float(v)) for v in x[0]]]
    assert_allclose(run_through(layer, x), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layer", [a for a in ALL if hasattr(a, "weights_before")], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_an_activation_far_from_zero_is_finite_and_so_is_its_slope(layer, dtype):
    network = alone(layer, 4, dtype)
    y, cache = network.forward(np.array([[-3e4, -100, 100, 3e4]]), Run.train(0))
    assert np.isfinite(y).all()
    assert np.isfinite(network.backward(cache, np.ones_like(y))).all()


def test_softmax_is_over_the_last_axis_and_sums_to_one(rng):
    x = rng.normal(size=(4, 2, 5))
    y = run_through(Softmax(), x)
    assert_allclose(y.sum(axis=-1), 1)
    assert_allclose(y, np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True))


def test_the_slope_of_relu_and_leaky_relu_at_zero_is_that_from_below():
    for layer, slope in [(ReLU(), 0.0), (LeakyReLU(0.2), 0.2)]:
        network = alone(layer, 1)
        y, cache = network.forward(np.zeros((1, 1)), Run.train(0))
        assert network.backward(cache, np.ones_like(y)) == slope


def test_flatten_puts_features_in_c_order(rng):
    x = rng.normal(size=(3, 2, 4, 5))
    network = alone(Flatten(), (2, 4, 5))
    y, cache = network.forward(x, Run.train(0))
    assert_array_equal(y, x.reshape(3, 40))
    assert_array_equal(network.backward(cache, y), x)


def test_dense_is_an_affine_map(rng):
    network, x = alone(Dense(3)), rng.normal(size=(5, 6))
    W, b = network.sites[0].p
    b[:] = [1, 2, 3]
    expected = [[sum(W[j] * x[i]) + b[j] for j in range(3)] for i in range(5)]
    assert_allclose(network.outputs(x), expected)


# Dropout and its relatives


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("scaling", ["inverted", "classical"])
def test_dropout_draws_and_scales_where_its_convention_says(rate, scaling):
    network = alone(Dropout(rate, scaling=scaling), 64)
    q = 1 - round(rate * 65536) / 65536
    keep = oracles.keep_rows(3, "train", 0, 5, [0, 1], 64, rate)
    drawn, _ = network.forward(ones(2, 64), Run.train(5))
    still, _ = network.forward(ones(2, 64), Run.predict())
    inverted = scaling == "inverted"
    assert_array_equal(drawn, keep / (q or 1) if inverted else keep)
    assert_array_equal(still, ones(2, 64) * (1 if inverted else q))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_classical_and_inverted_dropout_agree_in_the_mean_over_draws(rate, untyped):
    """2000 draws of 64 units: a mean off by 1.5 % at rate 0.5 is found with power over 0.8
    (standard error 0.28 %, threshold 4); a factor q left out is tens of standard errors off."""
    for scaling in ("inverted", "classical"):
        network = alone(Dropout(rate, scaling=scaling), 64)
        drawn = np.array([network.forward(ones(1, 64), Run.sample(d))[0] for d in range(2000)])
        expected = network.outputs(ones(1, 64)).mean()
        assert abs(drawn.mean() - expected) < 4 * drawn.std() / math.sqrt(drawn.size)


@pytest.mark.parametrize("layer", [Dropout(0.5), Dropout(0.5, scaling="classical")], ids=str)
def test_backward_uses_the_mask_of_its_own_pass(layer, rng):
    network = alone(layer, 64)
    y, cache = network.forward(ones(3, 64), Run.train(9, [5, 5, 2]))
    assert_array_equal(network.backward(cache, ones(3, 64)), y)


@pytest.mark.parametrize("cls", [Dropout, AlphaDropout, GaussianDropout])
def test_a_mask_shared_by_the_batch_is_one_for_all_rows(cls, rng):
    row = rng.normal(size=(1, 50))
    y = run_through(cls(0.5, share="batch"), np.repeat(row, 4, axis=0), Run.train(1, [4, 7, 1, 0]))
    assert_array_equal(y, np.repeat(y[:1], 4, axis=0))
    assert (y != row).any()


@pytest.mark.parametrize("cls", [Dropout, AlphaDropout, GaussianDropout])
def test_a_mask_of_each_row_differs_between_rows(cls, rng):
    row = rng.normal(size=(1, 50))
    y = run_through(cls(0.5), np.repeat(row, 2, axis=0))
    assert (y[0] != y[1]).any()


@pytest.mark.parametrize("cls", [Dropout, AlphaDropout, GaussianDropout])
@pytest.mark.parametrize("rate", [0, 0.0, Constant(0.0)], ids=str)
def test_at_rate_zero_nothing_changes(cls, rate, rng):
    x = rng.normal(size=(3, 5))
    assert_array_equal(run_through(cls(rate), x), x)


@pytest.mark.parametrize(
    "layer", [AlphaDropout(0.3), GaussianDropout(0.3), GaussianNoise(0.3)], ids=str
)
def test_noise_is_off_in_prediction(layer, rng):
    x = rng.normal(size=(3, 5))
    assert_array_equal(run_through(layer, x, Run.predict()), x)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
def test_alpha_dropout_keeps_mean_zero_and_variance_one(rate, rng):
    """400,000 standard normal inputs: a mean off by 0.015 or a variance off by 2.5 % is found
    with power over 0.99."""
    y = run_through(AlphaDropout(rate), rng.normal(size=(2000, 200)))
    n = y.size
    assert abs(y.mean()) < 4 / math.sqrt(n)
    assert abs(y.var() - 1) < 4 * math.sqrt((np.mean((y - y.mean()) ** 4) - 1) / n)


def test_alpha_dropout_sets_dropped_units_to_selus_limit_before_its_affine_map():
    q, limit = 0.75, -SCALE * ALPHA
    a = (q + limit**2 * q * (1 - q)) ** -0.5
    keep = oracles.keep_rows(3, "train", 0, 0, [0], 64, 0.25)
    y = run_through(AlphaDropout(0.25), 2 * ones(1, 64))
    expected = a * np.where(keep, 2.0, limit) - a * (1 - q) * limit
    assert_allclose(y, expected, rtol=1e-12)


def test_alpha_dropout_at_rate_one_gives_zeros():
    assert not run_through(AlphaDropout(1.0), ones(2, 8)).any()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_gaussian_dropout_has_dropouts_mean_and_variance(rate):
    """200,000 factors: a variance off by 2 % is found with power over 0.99."""
    y = run_through(GaussianDropout(rate), ones(200, 1000))
    spread = rate / (1 - rate)
    assert abs(y.mean() - 1) < 4 * math.sqrt(spread / y.size)
    assert abs(y.var() / spread - 1) < 4 * math.sqrt(2 / y.size)


def test_gaussian_dropout_multiplies_by_the_normals_of_the_specification():
    n = oracles.normal_rows(3, "train", 0, 7, [4, 9], 10)
    y = run_through(GaussianDropout(0.2), 3 * ones(2, 10), Run.train(7, [4, 9]))
    assert_allclose(y, 3 * (1 + 0.5 * n), rtol=1e-6)


def test_gaussian_noise_adds_the_normals_of_the_specification():
    n = oracles.normal_rows(3, "predict", 0, 7, [4, 9], 10)
    y = run_through(GaussianNoise(0.3), 3 * ones(2, 10), Run.sample(7, [4, 9]))
    assert_allclose(y, 3 + 0.3 * n, rtol=0, atol=1e-6)


def test_gaussian_noise_has_mean_zero_and_its_standard_deviation():
    """200,000 numbers: a standard deviation off by 1.2 % is found with power over 0.99."""
    y = run_through(GaussianNoise(0.3), np.zeros((200, 1000)))
    assert abs(y.mean()) < 4 * 0.3 / math.sqrt(y.size)
    assert abs(y.std() / 0.3 - 1) < 4 / math.sqrt(2 * y.size)


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_drop_connect_multiplies_by_kept_weights_over_q(rate, rng):
    network, x = alone(DropConnect(Dense(4), rate)), rng.normal(size=(5, 6))
    W, b = network.sites[0].p
    b[:] = 1.5
    keep = oracles.keep_rows(3, "train", 0, 2, [2**32 - 1], 24, rate).reshape(4, 6)
    q = 1 - round(rate * 65536) / 65536
    y, _ = network.forward(x, Run.train(2))
    assert_allclose(y, x @ (W * keep / (q or 1)).T + 1.5, rtol=1e-12)
    assert_allclose(network.outputs(x), x @ W.T + 1.5, rtol=1e-12)


def test_drop_connect_leaves_its_weights_as_they_are(rng):
    network = alone(DropConnect(Dense(4), 0.5))
    before = network.theta.copy()
    y, cache = network.forward(rng.normal(size=(5, 6)), Run.train(2))
    network.backward(cache, y)
    assert_array_equal(network.theta, before)


# Normalisation


def test_a_learning_batch_norm_standardises_the_batch(rng):
    x = rng.normal(5, 3, size=(50, 4))
    y = run_through(BatchNorm(epsilon=1e-12), x)
    assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    assert_allclose(y.std(axis=0), 1)


def test_after_one_batch_the_running_statistics_are_that_batchs(rng):
    x, network = rng.normal(5, 3, size=(50, 4)), alone(BatchNorm(), 4)
    network.forward(x, Run.train(0))
    assert_allclose(network.sites[0].s.mean, x.mean(axis=0), rtol=1e-14)
    assert_allclose(network.sites[0].s.variance, x.var(axis=0, ddof=1), rtol=1e-13)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
def test_running_statistics_are_an_average_first_and_exponential_then(momentum, rng):
    network = alone(BatchNorm(momentum=momentum), 4)
    mean = variance = 0.0
    for i in range(20):
        x = rng.normal(i, 1 + i, size=(7, 4))
        network.forward(x, Run.train(i))
        new = max(1 - momentum, 1 / (i + 1))
        mean = (1 - new) * mean + new * x.mean(axis=0)
        variance = (1 - new) * variance + new * x.var(axis=0, ddof=1)
    assert_allclose(network.sites[0].s.mean, mean, rtol=1e-12)
    assert_allclose(network.sites[0].s.variance, variance, rtol=1e-12)


def test_after_many_batches_a_standardised_column_has_standard_deviation_one(rng):
    """A hundred batches of 4 rows: a variance without n / (n - 1) would be 25 % too small."""
    data = rng.normal([0, 10, -3], [1, 5, 0.1], size=(4000, 3))
    network = alone(BatchNorm(momentum=0.999, epsilon=1e-12), 3)
    for batch in data.reshape(-1, 4, 3):
        network.forward(batch, Run.train(0))
    y = network.outputs(data)
    assert_allclose(y.std(axis=0), 1, atol=0.03)
    assert_allclose(y.mean(axis=0), 0, atol=0.03)


@pytest.mark.parametrize(
    ("axis", "shape"), [(0, (3, 1, 1)), (1, (4, 1)), (-1, (5,)), (-3, (3, 1, 1))]
)
def test_batch_norm_keeps_statistics_along_its_axis(axis, shape, rng):
    x, network = rng.normal(2, 3, size=(6, 3, 4, 5)), alone(BatchNorm(axis=axis), (3, 4, 5))
    others = tuple(i for i in range(4) if i != 1 + axis % 3)
    gamma, beta = network.sites[0].p
    gamma[:], beta[:] = 2, 7
    mean, variance = x.mean(axis=others).reshape(shape), x.var(axis=others).reshape(shape)
    y, _ = network.forward(x, Run.train(0))
    assert_allclose(y, 2 * (x - mean) / np.sqrt(variance + 1e-5) + 7)
    n = x.size / gamma.size
    assert_allclose(network.sites[0].s.variance, variance.ravel() * n / (n - 1))


@pytest.mark.parametrize("run", [Run.predict(), Run.sample(3)], ids=["predict", "sample"])
def test_a_batch_norm_that_does_not_learn_uses_what_it_remembers(run, rng):
    network = alone(BatchNorm(), 4)
    (gamma, beta), (mean, variance) = network.sites[0].p, network.sites[0].s
    gamma[:], beta[:], mean[:], variance[:] = 2, 3, 4, 9
    x = rng.normal(size=(1, 4))
    assert_allclose(network.forward(x, run)[0], 2 * (x - 4) / np.sqrt(9 + 1e-5) + 3)


@pytest.mark.parametrize("features", [(4,), (1, 4)], ids=str)
def test_batch_norm_cannot_learn_from_one_value_per_feature(features):
    with pytest.raises(
        ValueError, match=r"^BatchNorm\(\) must learn from at least 2 values per feature, got 1$"
    ):
        run_through(BatchNorm(), np.ones((1, *features)))


def test_batch_norm_of_a_constant_column_is_beta():
    assert_array_equal(run_through(BatchNorm(), np.full((5, 2), 3.0)), np.zeros((5, 2)))


def test_layer_norm_standardises_each_row_over_all_its_features(rng):
    x, network = rng.normal(5, 3, size=(6, 3, 4)), alone(LayerNorm(), (3, 4))
    gamma, beta = network.sites[0].p
    gamma[:], beta[:] = rng.normal(size=(2, 3, 4))
    for run in (Run.train(0), Run.predict()):
        y, _ = network.forward(x, run)
        for i in range(6):
            x_hat = (x[i] - x[i].mean()) / np.sqrt(x[i].var() + 1e-5)
            assert_allclose(y[i], gamma * x_hat + beta)


# Bad settings


BAD = [
    (lambda: Dense(0), "units must be an integer >= 1, got 0"),
    (lambda: Dense(-3), "units must be an integer >= 1, got -3"),
    (lambda: Dense(2.0), "units must be an integer >= 1, got 2.0"),
    (lambda: Dense(True), "units must be an integer >= 1, got True"),
    (lambda: Dense("3"), "units must be an integer >= 1, got '3'"),
    (lambda: Dense(3, l1=-1), "l1 must be a finite number >= 0, got -1"),
    (lambda: Dense(3, l2=math.nan), "l2 must be a finite number >= 0, got nan"),
    (lambda: Dense(3, bias_l1=math.inf), "bias_l1 must be a finite number >= 0, got inf"),
    (lambda: Dense(3, bias_l2="0"), "bias_l2 must be a finite number >= 0, got '0'"),
    (lambda: Dense(3, max_norm=0), "max_norm must be a finite number > 0, got 0"),
    (lambda: Dense(3, max_norm=math.inf), "max_norm must be a finite number > 0, got inf"),
    (lambda: DropConnect(ReLU(), 0.5), "dense must be a Dense layer, got"),
    (lambda: DropConnect(Dense(3), 1.5), r"rate must be a number in \[0, 1\], got 1.5"),
    (lambda: Dropout(-0.1), r"rate must be a number in \[0, 1\], got -0.1"),
    (lambda: Dropout(1.1), r"rate must be a number in \[0, 1\], got 1.1"),
    (lambda: Dropout(math.nan), r"rate must be a number in \[0, 1\], got nan"),
    (lambda: Dropout("0.5"), r"rate must be a number in \[0, 1\], got '0.5'"),
    (lambda: Dropout(None), r"rate must be a number in \[0, 1\], got None"),
    (lambda: Dropout(0.5, share="row"), "share must be None or 'batch', got 'row'"),
    (lambda: Dropout(0.5, share=True), "share must be None or 'batch', got True"),
    (lambda: Dropout(0.5, share_axes=("a",)), "each of share_axes must be an integer"),
    (lambda: Dropout(0.5, scaling="none"), "scaling must be 'inverted' or 'classical', got 'none'"),
    (lambda: AlphaDropout(1.5), r"rate must be a number in \[0, 1\], got 1.5"),
    (lambda: AlphaDropout(0.5, share="row"), "share must be None or 'batch', got 'row'"),
    (lambda: GaussianDropout(1.0), r"rate must be a number in \[0, 1\), got 1.0"),
    (lambda: GaussianDropout(-0.5), r"rate must be a number in \[0, 1\), got -0.5"),
    (lambda: GaussianNoise(-1), "scale must be a finite number >= 0, got -1"),
    (lambda: GaussianNoise(math.nan), "scale must be a finite number >= 0, got nan"),
    (lambda: BatchNorm(momentum=1.0), r"momentum must be a number in \[0, 1\), got 1.0"),
    (lambda: BatchNorm(momentum=-0.1), r"momentum must be a number in \[0, 1\), got -0.1"),
    (lambda: BatchNorm(epsilon=0), "epsilon must be a finite number > 0, got 0"),
    (lambda: BatchNorm(axis=1.0), "axis must be an integer from -32 to 31, got 1.0"),
    (lambda: LayerNorm(epsilon=-1), "epsilon must be a finite number > 0, got -1"),
    (lambda: LeakyReLU(math.nan), "slope must be a finite number, got nan"),
    (lambda: ELU(0), "alpha must be a finite number > 0, got 0"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message for _, message in BAD])
def test_a_setting_out_of_its_range_is_refused_by_name(make, message, untyped):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


@pytest.mark.parametrize(
    "make", [lambda: Dropout(0.5, share_axes=0), lambda: Dropout(0.5, share_axes=None)]
)
def test_axes_that_are_no_sequence_are_refused(make, untyped):
    with pytest.raises(ValueError, match=r"share_axes must be"):
        make()


def test_a_list_of_axes_does_not_cost_a_layer_its_hash(untyped):
    assert hash(Dropout(0.5, share_axes=[0])) == hash(Dropout(0.5, share_axes=(0,)))


@pytest.mark.parametrize("cls", [Dropout, AlphaDropout, GaussianDropout])
def test_a_scheduled_rate_out_of_its_range_is_refused(cls):
    for rate in (Constant(1.5), Linear(0.0, 1.5, n_steps=3)):
        with pytest.raises(ValueError, match=r"^rate at step [03] must be .*\[0, 1.*, got 1.5$"):
            cls(rate)


@dataclass(frozen=True)
class Late:
    """Out of its range from step 5 on."""

    def at(self, step):
        return 0.5 if step < 5 else 1.5


@pytest.mark.parametrize("cls", [Dropout, AlphaDropout, GaussianDropout])
def test_a_scheduled_rate_that_leaves_its_range_is_refused_when_it_is_read(cls):
    network = Network([cls(Late())], features=3, seed=0)
    with pytest.raises(ValueError, match=r"^rate must be .*\[0, 1.*, got 1.5$"):
        network.forward(ones(2, 3), Run.train(5))


@pytest.mark.parametrize("cls", [Dropout, AlphaDropout, GaussianDropout])
def test_a_rate_that_would_watch_the_loss_is_refused(cls):
    with pytest.raises(ValueError, match="rate must be a number or a schedule of the step alone"):
        cls(ReduceOnPlateau(0.5))


def test_gelu_is_exact_and_not_the_tanh_approximation():
    x = np.linspace(-4, 4, 50)[None]
    assert_allclose(run_through(GELU(), x), x * special.ndtr(x), rtol=1e-13)
