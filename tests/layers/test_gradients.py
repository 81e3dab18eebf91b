"""Every derivative has a numerical oracle, in every kind of pass."""

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from oracles import numeric_gradient, unchecked_types
from trying import given_few_or_many

from thinnet import (
    ELU,
    GELU,
    SELU,
    AbsoluteError,
    AlphaDropout,
    BatchNorm,
    BinaryCrossEntropy,
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    FixedMasks,
    Flatten,
    GaussianDropout,
    GaussianNLL,
    GaussianNoise,
    Huber,
    Identity,
    LayerNorm,
    LeakyReLU,
    Network,
    Pinball,
    Poisson,
    ReLU,
    Run,
    Sigmoid,
    SiLU,
    Softmax,
    SoftmaxCrossEntropy,
    Softplus,
    SquaredError,
    Tanh,
)
from thinnet.masks import threshold
from thinnet.schedules import Linear
from thinnet.training.penalties import add_penalty_gradient, penalty_value

ROWS = 4
IDS = [17, 3, 40, 5]
RUNS = {
    "train": Run.train(step=11, samples=IDS),
    "train without ids": Run.train(step=0),
    "predict": Run.predict(),
    "sample": Run.sample(draw=7, samples=IDS),
    "sample shared": Run.sample(draw=2, share="batch"),
}
KINKED = (ReLU, LeakyReLU, ELU, SELU)  # ELU too: its slope jumps where alpha is not 1

ELEMENTWISE = [
    Identity(),
    ReLU(),
    LeakyReLU(),
    LeakyReLU(0.3),
    LeakyReLU(-0.5),
    ELU(),
    ELU(1.7),
    SELU(),
    GELU(),
    SiLU(),
    Softplus(),
    Tanh(),
    Sigmoid(),
    Softmax(),
    Dropout(0.0),
    Dropout(0.3),
    Dropout(1.0),
    Dropout(0.4, share="batch"),
    Dropout(0.4, scaling="classical"),
    Dropout(Linear(0.1, 0.6, n_steps=20)),
    GaussianDropout(0.3),
    GaussianDropout(0.3, share="batch"),
    AlphaDropout(0.3),
    AlphaDropout(0.3, share="batch"),
    AlphaDropout(1.0),
    GaussianNoise(0.5),
    FixedMasks(0.4),
    FixedMasks(1.0, n_masks=2),
    LayerNorm(epsilon=0.1),
    BatchNorm(epsilon=0.1),
    BatchNorm(momentum=0.0, epsilon=0.1),
]
ONE_AXIS = [
    Dense(3),
    Dense(1),
    DropConnect(Dense(4), 0.4),
    DropConnect(Dense(2), Linear(0.0, 0.5, n_steps=5)),
    ConcreteDropout(Dense(4)),
    ConcreteDropout(Dense(2), temperature=0.7),
]
MANY_AXES = [
    Flatten(),
    BatchNorm(epsilon=0.1, axis=0),
    BatchNorm(epsilon=0.1, axis=-2),
    Dropout(0.3, share_axes=(0,)),
    Dropout(0.5, share="batch", share_axes=(-1,)),
    GaussianDropout(0.3, share_axes=(1,)),
    AlphaDropout(0.3, share_axes=(-1,)),
]
upstream_is_meant = pytest.mark.filterwarnings("ignore:dropout stands upstream")


@st.composite
def chains(draw):
    """(layers, features) that fit each other, with all layers anywhere."""
    features = draw(st.sampled_from([(1,), (5,), (2, 3), (2, 1, 2)]))
    layers, now = [], features
    for _ in range(draw(st.integers(1, 5))):
        layers.append(
            draw(st.sampled_from(ELEMENTWISE + (ONE_AXIS if len(now) == 1 else MANY_AXES)))
        )
        with unchecked_types():  # beartype draws random numbers, which hypothesis forbids here
            now = layers[-1].shapes(now).out
    return layers, features


def ready(layers, features, rng):
    """A network with random parameters, and running statistics that are not 0 and 1."""
    network = Network(layers, features, seed=2**40 + 9, dtype=np.float64)
    network.theta[:] = rng.normal(size=network.theta.size)
    for _ in range(2):
        network.forward(rng.normal(1, 2, size=(ROWS, *network.features)), Run.train(5))
    return network


def walk(network, x, run):
    """The outputs, the signs of all that enters a layer with a kink, and thresholds of masks."""
    signs = [np.zeros(0)]
    for layer, site in network.places():
        if isinstance(layer, ConcreteDropout):  # sampling masks jump where a learned rate rounds
            signs.append([threshold(layer.learned_rate(site))])
        if isinstance(layer, KINKED):
            signs.append(np.sign(x).ravel())
        x, _ = layer.forward(site, x, run)
    return x, np.concatenate(signs)


class CrossedError(Exception):
    """A difference step has crossed a kink: the numerical slope means nothing there."""


def check_backward(network, x, run, rng):
    outputs, cache = network.forward(x, run)
    w = rng.normal(size=outputs.shape)  # loss = <w, y>, so every entry of dy counts
    dx = network.backward(cache, w).copy()
    dtheta = network.gradient.copy()
    _, signs = walk(network, x, run)

    def loss():
        y, now = walk(network, x, run)
        if not np.array_equal(now, signs):
            raise CrossedError
        return float(np.vdot(w, y))

    numeric = numeric_gradient(loss, network.theta), numeric_gradient(loss, x)
    for exact, approximate in zip((dtheta, dx), numeric, strict=True):
        scale = max(1, np.abs(approximate).max(initial=0))
        assert_allclose(exact, approximate, rtol=1e-6, atol=1e-8 * scale)


def tried_until_smooth(layers, features, run, seed=1):
    """Some draw of inputs and weights lies further than a step from every kink."""
    for attempt in range(20):
        rng = np.random.default_rng([seed, attempt])
        network = ready(layers, features, rng)
        try:
            return check_backward(network, rng.normal(size=(ROWS, *features)), run, rng)
        except CrossedError:
            continue
    raise AssertionError("no smooth point in 20 draws")


@upstream_is_meant
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("layer", ELEMENTWISE + ONE_AXIS, ids=str)
def test_backward_of_a_layer_is_the_derivative_of_its_forward(layer, run):
    tried_until_smooth([Dense(5), layer, Dense(2)], (3,), run)


@upstream_is_meant
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("layer", ELEMENTWISE + MANY_AXES, ids=str)
def test_backward_holds_on_rows_with_two_axes(layer, run):
    tried_until_smooth([LayerNorm(epsilon=0.1), layer, Tanh(), Flatten(), Dense(2)], (2, 3), run)


@upstream_is_meant
@given_few_or_many(30, 100, chains(), st.sampled_from(sorted(RUNS)), st.integers(0, 2**32))
def test_backward_of_any_chain_is_the_derivative_of_its_forward(chain, run, seed):
    layers, features = chain
    rng = np.random.default_rng(seed)
    network = ready(layers, features, rng)
    try:
        check_backward(network, rng.normal(size=(ROWS, *features)), RUNS[run], rng)
    except CrossedError:
        assume(False)


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm()], ids=str)
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_normalisation_with_its_own_epsilon_has_the_derivative_of_its_forward(layer, run):
    tried_until_smooth([Dense(6), layer, GELU(), Dense(2)], (5,), run)


def labels(rng, rows, out):
    return rng.integers(0, out, size=rows)


def soft(rng, rows, out):
    return rng.dirichlet(np.ones(out), size=rows)


def reals(rng, rows, out):
    return rng.normal(size=(rows, out))


def half_as_many(rng, rows, out):
    return rng.normal(size=(rows, out // 2))


def fractions(rng, rows, out):
    return rng.uniform(size=(rows, out))


def counts(rng, rows, out):
    return rng.poisson(2.0, size=(rows, out))


LOSSES = [
    (SoftmaxCrossEntropy(), labels),
    (SoftmaxCrossEntropy(), soft),
    (SoftmaxCrossEntropy(label_smoothing=0.2), labels),
    (SoftmaxCrossEntropy(label_smoothing=0.2), soft),
    (BinaryCrossEntropy(), fractions),
    (SquaredError(), reals),
    (AbsoluteError(), reals),
    (Huber(), reals),
    (Huber(delta=0.3), reals),
    (GaussianNLL(), half_as_many),
    (Poisson(), counts),
    (Pinball(0.3), reals),
    (Pinball((0.1, 0.8)), half_as_many),
]


@pytest.mark.parametrize(
    "weights", [None, [0.5, 2.0, 0.0, 1.0, 3.0, 0.1]], ids=["plain", "weighted"]
)
@pytest.mark.parametrize(
    ("loss", "make"), LOSSES, ids=lambda part: getattr(part, "__name__", str(part))
)
def test_the_slope_of_a_loss_is_the_derivative_of_its_value(loss, make, weights, rng):
    outputs = rng.normal(size=(6, 4))
    targets = loss.targets(make(rng, 6, 4), (4,))
    weights = None if weights is None else np.array(weights)
    _, slope = loss(outputs, targets, weights)
    numeric = numeric_gradient(lambda: loss(outputs, targets, weights)[0], outputs)
    assert_allclose(slope, numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0]], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "loss", [SquaredError(), BinaryCrossEntropy(), Poisson(), Huber(0.5)], ids=str
)
def test_a_loss_over_outputs_of_two_axes_has_the_derivative_of_its_value(loss, weights, rng):
    outputs = rng.normal(size=(3, 2, 2))
    targets = loss.targets(rng.uniform(size=(3, 2, 2)), (2, 2))
    weights = None if weights is None else np.array(weights)
    _, slope = loss(outputs, targets, weights)
    numeric = numeric_gradient(lambda: loss(outputs, targets, weights)[0], outputs)
    assert_allclose(slope, numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("loss", [loss for loss, make in LOSSES if make is reals], ids=str)
def test_network_loss_and_penalties_together_have_the_derivative_of_their_sum(loss, run, rng):
    layers = [
        Dense(5, l1=0.01, l2=0.02, bias_l1=0.03, bias_l2=0.04),
        Tanh(),
        Dropout(0.3),
        ConcreteDropout(Dense(4, l1=0.01), weight_penalty=0.3, rate_penalty=0.2),
        DropConnect(Dense(2, l2=0.1, bias_l1=0.2), 0.2),
    ]
    network = ready(layers, (3,), rng)
    x, targets = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 2))

    def value():
        return loss(network.forward(x, run)[0], targets)[0] + penalty_value(network)

    outputs, cache = network.forward(x, run)
    network.backward(cache, loss(outputs, targets)[1])
    add_penalty_gradient(network)
    exact = network.gradient.copy()
    assert_allclose(exact, numeric_gradient(value, network.theta), rtol=1e-6, atol=1e-9)
