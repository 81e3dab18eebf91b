"""Layers bound: flat vectors and views of them, copies, seeds, the rows that fit."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from small_networks import small

from thinnet import BatchNorm, Dense, DropConnect, Dropout, Flatten, LayerNorm, ReLU, Run, train


def fit(network, rng_seed=0, **settings):
    rng = np.random.default_rng(rng_seed)
    x, y = rng.normal(size=(30, 4)), rng.integers(0, 3, size=30)
    return train(network, x, y, epochs=2, batch_size=10, progress=False, **settings)


@pytest.mark.parametrize(
    ("layers", "features", "parameters", "state"),
    [
        ([Dense(3)], 4, 15, 0),
        ([Dense(50), ReLU(), Dense(50), ReLU(), Dense(1)], 13, 3301, 0),
        ([Dense(256), Dropout(0.5), Dense(256), Dense(10)], 784, 269_322, 0),
        ([BatchNorm()], 6, 12, 18),
        ([BatchNorm(axis=0)], (3, 5, 2), 6, 9),
        ([LayerNorm()], (3, 2), 12, 0),
        ([DropConnect(Dense(3), 0.5)], 4, 15, 0),
        ([Flatten(), Dense(2)], (3, 4), 26, 0),
        ([ReLU(), Dropout(0.1)], 4, 0, 0),
    ],
    ids=str,
)
def test_parameters_and_state_are_counted(layers, features, parameters, state):
    network = small(layers, features)
    assert (network.theta.size, network.gradient.size) == (parameters, parameters)
    assert network.state.size == state


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda d: d.__name__)
def test_everything_a_network_holds_and_gives_has_its_type(dtype):
    network = small([Dense(8), BatchNorm(), ReLU(), Dropout(0.5), Dense(3)], dtype=dtype)
    x = np.ones((5, 4)) * np.arange(5)[:, None]
    y, cache = network.forward(x, Run.train(0))
    given = (
        network.theta,
        network.gradient,
        network.state,
        y,
        network.backward(cache, np.ones_like(y)),
        network.outputs(x),
        network.sample(x, 2),
    )
    assert {part.dtype for part in given} == {np.dtype(dtype)}


def test_parameters_and_gradients_are_views_of_the_flat_vectors():
    network = small()
    network.theta[:] = np.arange(network.theta.size)
    network.gradient[:] = -np.arange(network.theta.size)
    for views, sign in ((lambda site: site.p, 1), (lambda site: site.g, -1)):
        flat = np.concatenate([w.ravel() for site in network.sites for w in views(site)])
        assert_array_equal(flat, sign * np.arange(network.theta.size))


COPIES = {
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


copies = pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)


@copies
def test_a_copy_gives_the_same_outputs_masks_and_samples(make, rng):
    network, x = small(), rng.normal(size=(6, 4))
    fit(network)
    other = make(network)
    assert_array_equal(other.outputs(x), network.outputs(x))
    assert_array_equal(other.sample(x, 3), network.sample(x, 3))
    ids = network.rows(3)
    assert_array_equal(other.rows(3), ids)
    assert_array_equal(other.masks(step=3, samples=ids)[0], network.masks(step=3, samples=ids)[0])
    assert (other.clock.step, other.clock.epoch) == (6, 2)
    assert_array_equal(other.state, network.state)


@copies
def test_the_layers_of_a_copy_see_its_own_vectors(make, rng):
    network, x = small(), rng.normal(size=(6, 4))
    fit(network)
    before, other = network.outputs(x), make(network)
    other.theta[:] = 0
    assert not other.outputs(x).any()
    assert_array_equal(network.outputs(x), before)


@copies
def test_a_copy_trains_on_as_the_original_would_and_leaves_it_alone(make, rng):
    network, x = small(), rng.normal(size=(6, 4))
    fit(network)
    other = make(network)
    before = [part.copy() for part in network.vectors] + [network.outputs(x)]
    fit(other, rng_seed=1)
    after = [*network.vectors, network.outputs(x)]
    for old, new in zip(before, after, strict=True):
        assert_array_equal(new, old)
    assert network.clock.step == 6
    fit(network, rng_seed=1)
    assert_array_equal(other.theta, network.theta)
    assert (other.theta != before[0]).any()


def test_networks_of_one_seed_are_equal_and_of_two_differ():
    assert_array_equal(small(seed=1).theta, small(seed=1).theta)
    assert (small(seed=1).theta != small(seed=2).theta).mean() > 0.5


def test_a_network_without_a_seed_keeps_the_one_it_took():
    network = small(seed=None)
    assert network.seed != small(seed=None).seed
    assert_array_equal(small(seed=network.seed).theta, network.theta)


def test_a_seed_from_a_generator_is_drawn_from_it():
    one, other = (small(seed=np.random.default_rng(3)) for _ in range(2))
    assert one.seed == other.seed
    assert_array_equal(one.theta, other.theta)


TAKES = r"^this network takes \(rows, 4\) arrays, got "


@pytest.mark.parametrize("shape", [(), (4,), (2, 5), (2, 4, 1), (0, 4), (4, 2)], ids=str)
@pytest.mark.parametrize("method", ["outputs", "sample", "forward"])
def test_rows_of_the_wrong_shape_are_refused_with_both_shapes(method, shape):
    network = small()
    call = {
        "outputs": network.outputs,
        "sample": network.sample,
        "forward": lambda x: network.forward(x, Run.predict()),
    }[method]
    with pytest.raises(ValueError, match=TAKES) as raised:
        call(np.zeros(shape))
    assert str(raised.value).endswith(f"got {shape}")


def test_rows_of_two_axes_are_asked_for_with_their_shape():
    with pytest.raises(
        ValueError, match=r"^this network takes \(rows, 3, 2\) arrays, got \(2, 6\)"
    ):
        small([Flatten(), Dense(1)], (3, 2)).outputs(np.zeros((2, 6)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["outputs", "sample"])
def test_a_number_that_is_not_finite_is_refused_with_its_place(method, bad):
    x = np.zeros((5, 4))
    x[3, 2] = x[4, 0] = bad
    with pytest.raises(ValueError, match=rf"^X must be finite, got {bad} in row 3, column 2$"):
        getattr(small(), method)(x)


@pytest.mark.parametrize(
    "x",
    [np.full((2, 4), "a"), np.ones((2, 4), complex), np.full((2, 4), None)],
    ids=["text", "complex", "objects"],
)
def test_rows_that_hold_no_real_numbers_are_refused(x):
    with pytest.raises(ValueError, match=r"^this network takes arrays of real numbers, got dtype"):
        small().outputs(x)


@pytest.mark.parametrize("dtype", [int, bool, np.uint8, np.float32])
def test_rows_of_any_real_type_are_taken(dtype):
    x = np.array([[0, 1, 1, 0], [1, 1, 0, 0]])
    assert_array_equal(small().outputs(x.astype(dtype)), small().outputs(x.astype(float)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"layers": []}, "layers must be a sequence of at least one layer, got"),
        ({"layers": [Dense(3), "relu"]}, r"layers\[1\] must be a layer .*, got 'relu'"),
        ({"layers": [Dense(3), ReLU]}, r"layers\[1\] must be a layer"),
        ({"features": 0}, "each of features must be an integer >= 1, got 0"),
        ({"features": (3, -1)}, "each of features must be an integer >= 1, got -1"),
        ({"features": 2.5}, "each of features must be an integer >= 1, got 2.5"),
        ({"features": ()}, "features must be an integer or a sequence of integers"),
        ({"dtype": int}, "dtype must be a floating-point type, got"),
        ({"dtype": "double precision"}, "dtype must be a floating-point type, got"),
        ({"dtype": np.complex128}, "dtype must be a floating-point type, got"),
        ({"seed": -1}, "seed must be an integer from 0 to"),
        ({"seed": 2**64}, "seed must be an integer from 0 to"),
        ({"seed": 0.5}, "seed must be an integer from 0 to"),
    ],
    ids=str,
)
def test_bad_settings_of_a_network_are_refused_by_name(changed, message, untyped):
    with pytest.raises(ValueError, match=f"^{message}"):
        small(**changed)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0, 2.0, 3.0, 4.0], [5.0]], "X must have rows of one length, got ragged ones"),
        (np.ma.masked_equal(np.ones((2, 4)), 1), "X must not hold masked values"),
        (csr_array(np.ones((2, 3))), r"this network takes \(rows, 4\) arrays, got \(2, 3\)"),
    ],
    ids=["ragged", "masked", "sparse, too narrow"],
)
def test_what_is_no_plain_array_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        small().outputs(x)
