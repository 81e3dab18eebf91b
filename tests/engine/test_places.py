"""What compiled code makes of a number does not depend on its place or on its neighbours.

Most of a loop is done in vectors, and the rest one by one: both must round alike.
"""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from random_networks import OPTIMIZERS

import thinnet
from thinnet import (
    ELU,
    GELU,
    SELU,
    SGD,
    BatchNorm,
    Dense,
    GaussianNoise,
    LayerNorm,
    LeakyReLU,
    Network,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    SoftmaxCrossEntropy,
    Softplus,
    SquaredError,
    Tanh,
    train,
)

ALONE = [ReLU(), LeakyReLU(), ELU(), SELU(), GELU(), SiLU(), Softplus(), Tanh(), Sigmoid()]
TOGETHER = [Softmax(), LayerNorm(), BatchNorm()]
LOSSES = [
    SquaredError(),
    thinnet.AbsoluteError(),
    thinnet.Huber(),
    thinnet.BinaryCrossEntropy(),
    thinnet.Poisson(),
    thinnet.Pinball(0.3),
    SoftmaxCrossEntropy(label_smoothing=0.1),
]
SOME, FEW = [1, 3, 15, 17, 63, 130], [7, 63]
KINDS = 5  # of columns, which stand at random places

each_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def numbers(dtype, n=90):
    """Of several sizes, with both zeros, and what overflows."""
    rng = np.random.default_rng(0)
    scaled = rng.normal(size=n) * 10.0 ** rng.integers(-3, 3, n)
    return np.concatenate([scaled, [0.0, -0.0, 1e3, -1e3]]).astype(dtype)


def outputs(layer, X):
    return Network([layer], X.shape[1], seed=0, dtype=X.dtype).outputs(X)


def check_values(layer, dtype, widths):
    values, one = numbers(dtype), Network([layer], 1, seed=0, dtype=dtype)
    alone = np.concatenate([one.outputs(value.reshape(1, 1)) for value in values])[:, 0]
    for width in widths:
        places = (np.arange(60)[:, None] * 7 + np.arange(width) * 31) % len(values)
        network = Network([layer], width, seed=0, dtype=dtype)
        for rows in (1, 60):
            found = network.outputs(values[places[:rows]])
            assert found.tobytes() == alone[places[:rows]].tobytes(), (width, rows)


@each_type
@pytest.mark.parametrize("layer", ALONE)
def test_a_value_has_the_same_activation_wherever_it_stands(layer, dtype):
    check_values(layer, dtype, SOME)


@pytest.mark.slow
@each_type
@pytest.mark.parametrize("layer", ALONE)
def test_a_value_has_the_same_activation_at_every_width(layer, dtype):
    check_values(layer, dtype, range(1, 131))


def like_columns(of_kinds, width):
    """Columns of a few kinds at random places, and which kind stands where."""
    kinds = np.random.default_rng(width).integers(0, of_kinds.shape[1], width)
    return of_kinds[:, kinds], kinds


def assert_alike(columns, kinds):
    for kind in np.unique(kinds):
        same = columns[:, kinds == kind]
        assert_array_equal(same, np.broadcast_to(same[:, :1], same.shape))


@each_type
@pytest.mark.parametrize("layer", TOGETHER)
def test_equal_columns_have_equal_outputs(layer, dtype, rng):
    for width in SOME:
        X, kinds = like_columns(rng.normal(size=(50, KINDS)).astype(dtype) * 3, width)
        assert_alike(outputs(layer, X), kinds)


def check_steps(layers, width, dtype, loss=None, optimizer=None):
    """Units that are alike in weights and targets are alike after some steps of training."""
    rng = np.random.default_rng(1)
    first, kinds = like_columns(rng.normal(size=(4, KINDS)), width)
    net = Network([Dense(width, l1=1e-3, l2=1e-3), *layers], 4, seed=0, dtype=dtype)
    net.sites[0].p.W[:], net.sites[0].p.b[:] = first.T, first[0]
    X = rng.normal(size=(17, 4))
    targets = (rng.poisson(1.0, (17, KINDS)) % 2.0)[:, kinds]
    if isinstance(loss, SoftmaxCrossEntropy):
        targets[:] = 1 / width
    train(
        net,
        X,
        targets,
        loss=SquaredError() if loss is None else loss,
        optimizer=SGD(0.1) if optimizer is None else optimizer,
        batch_size=5,
        epochs=2,
        clean_rows=0,
        progress=False,
    )
    for site in net.sites:
        for part in site.p:
            assert_alike(part.reshape(width, -1).T, kinds)
    assert_alike(net.outputs(X), kinds)


@each_type
@pytest.mark.parametrize("layer", [*ALONE, *TOGETHER])
def test_equal_units_learn_the_same(layer, dtype):
    for width in FEW:
        check_steps([layer], width, dtype)


@pytest.mark.slow
@each_type
@pytest.mark.parametrize("layer", [*ALONE, *TOGETHER])
def test_equal_units_learn_the_same_at_every_width(layer, dtype):
    for width in range(1, 131):
        check_steps([layer], width, dtype)


@each_type
@pytest.mark.parametrize("loss", LOSSES)
def test_equal_outputs_have_the_same_slope(loss, dtype):
    for width in FEW:
        check_steps([], width, dtype, loss=loss)


@each_type
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_equal_parameters_take_the_same_steps(optimizer, dtype):
    check_steps([Tanh()], 63, dtype, optimizer=optimizer)


@each_type
def test_a_batch_normalised_or_noisy_row_is_the_same_in_any_company(dtype, rng):
    for layer in (BatchNorm(), LayerNorm(), Softmax(), GaussianNoise(0.1)):
        for width in SOME:
            X = rng.normal(size=(50, width)).astype(dtype)
            whole = outputs(layer, X)
            assert_array_equal(outputs(layer, X[7:8]), whole[7:8])
