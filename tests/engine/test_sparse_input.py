"""Sparse rows give the bits of dense ones, multiplied as they are stored or not."""

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from random_networks import OPTIMIZERS, PLAIN, SeenInSteps, dense
from scipy.sparse import csr_array
from trying import given_few_or_many

from thinnet import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    GaussianNoise,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Tanh,
    train,
)
from thinnet.engine import sparse_input
from thinnet.engine.lowering import lower
from thinnet.engine.sparse_input import pays
from thinnet.network.summary import has_random_masks
from thinnet.schedules import Linear

ALWAYS = 1.0  # up to this fraction entries are multiplied as they are stored: all matrices
VALUES = [np.float32, np.float64, np.int8, np.uint16, bool]


def rows_of(rng, rows, columns, density, kind=np.float64, places=np.int32):
    """Rows of which some are empty and one is full."""
    values = np.where(rng.random((rows, columns)) < density, rng.normal(size=(rows, columns)), 0)
    values[rng.integers(rows)] = 0
    values[rng.integers(rows)] = 1.5
    made = csr_array((3 * values).astype(kind))
    made.indices, made.indptr = made.indices.astype(places), made.indptr.astype(places)
    return made


fronts = st.sampled_from(
    [
        [], [], [Dropout(0.3)], [Dropout(0.5, scaling="classical")], [Dropout(1.0)],
        [Dropout(0.4, share="batch")], [Dropout(0.4, share="batch", scaling="classical")],
        [Dropout(Linear(0.0, 0.6, n_steps=4))], [Dropout(0.2, share_axes=(0,))],
        [Dropout(0.2), Dropout(0.3)], [BatchNorm()], [GaussianNoise(0.1)], [ReLU()],
    ]
)  # fmt: skip


@st.composite
def problems(draw):
    """A network, rows and settings of a training."""
    optimizer = draw(st.sampled_from(OPTIMIZERS))
    first = draw(dense(st.integers(1, 150), optimizer in PLAIN, [0.0, 0.4]))
    behind = st.sampled_from([[], [ReLU()], [Tanh(), Dropout(0.5)], [Dropout(0.5, share="batch")]])
    size = {
        "rows": draw(st.integers(2, 300)),
        "columns": draw(st.integers(1, 600)),
        "density": draw(st.sampled_from([0.0, 0.003, 0.05, 0.3])),
        "kind": draw(st.sampled_from(VALUES)),
        "places": draw(st.sampled_from([np.int32, np.int64])),
    }
    settings = {
        "optimizer": optimizer,
        "batch_size": draw(st.integers(size["rows"] // 5 + 1, size["rows"])),
        "accumulate": draw(st.sampled_from([1, 1, 2])),
        "clip_norm": draw(st.sampled_from([None, 0.1])),
        "watched": draw(st.booleans()),
    }
    layers = [*draw(fronts), first, *draw(behind), Dense(3)]
    return layers, size, settings, draw(st.sampled_from([np.float32, np.float64]))


def results(layers, X, y, settings, dtype):
    """What a training and its network make of the rows."""
    settings = dict(settings)
    callbacks = [SeenInSteps()] if settings.pop("watched", False) else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of dropout before BatchNorm
        network = Network(layers, X.shape[1], seed=3, dtype=dtype)
    train(network, X, y, epochs=2, callbacks=callbacks, **settings)
    found = [network.theta, network.state, network.outputs(X), network.outputs(X[:2])]
    found += [gradient for callback in callbacks for gradient in callback.gradients]
    if has_random_masks(network):
        found += [network.sample(X, 2), network.sample(X[:3], 2, share=None)]
    return found


def check(layers, X, settings, dtype=np.float32, seed=0):
    y = np.random.default_rng(seed).integers(3, size=X.shape[0])
    settings = {"loss": SoftmaxCrossEntropy(), "clean_rows": 5, "progress": False} | settings
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse_input, "MOST_ENTRIES", ALWAYS)
        found = results(layers, X, y, settings, dtype)
    wanted = results(layers, X.toarray(), y, settings, dtype)
    for one, other in zip(found, wanted, strict=True):
        assert_array_equal(one, other)
    assert np.isfinite(found[0]).all()


@given_few_or_many(12, 200, problems(), st.integers(0, 99))
def test_sparse_rows_have_the_bits_of_dense_ones(problem, seed):
    layers, size, settings, dtype = problem
    X = rows_of(np.random.default_rng(seed), **size)
    least = -(-X.shape[0] // settings["batch_size"])
    if any(isinstance(layer, BatchNorm) for layer in layers) and X.shape[0] % least:
        settings = settings | {"batch_size": X.shape[0]}  # no batch of one row
    check(layers, X, settings, dtype, seed)


LAYERS = [Dropout(0.3), Dense(70), ReLU(), Dropout(0.5), Dense(3)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("layers", "settings"),
    [
        (LAYERS, {"optimizer": Adam(0.01), "clip_norm": 0.5}),
        ([Dropout(0.3, share="batch"), Dense(300), ReLU(), Dense(3)], {"optimizer": SGD(0.1)}),
        ([Dense(130, l1=0.01, max_norm=0.5), Tanh(), Dense(3)], {"optimizer": SGD(0.1)}),
    ],
    ids=["dropout", "shared", "penalties"],
)  # fmt: skip
def test_batches_of_several_leaves_have_the_bits_of_dense_ones(layers, settings, dtype, rng):
    check(layers, rows_of(rng, 700, 900, 0.02), settings | {"batch_size": 550}, dtype)


@pytest.mark.parametrize("places", [np.int32, np.int64])
def test_entries_in_any_order_and_several_at_a_place_are_those_of_dense_rows(places, rng):
    X = rows_of(rng, 60, 500, 0.02, places=places)
    twice = csr_array((60, 500))
    numbers = np.repeat(np.arange(60), np.diff(X.indptr))
    order = np.lexsort((rng.random(2 * X.nnz), np.tile(numbers, 2)))
    twice.data, twice.indices = np.tile(X.data / 2, 2)[order], np.tile(X.indices, 2)[order]
    twice.indptr = 2 * X.indptr
    assert (np.diff(twice.indices) < 0).any()
    network = Network(LAYERS, 500, seed=0)
    assert_array_equal(network.outputs(twice), network.outputs(X.toarray()))


def test_a_matrix_without_entries_gives_the_outputs_of_zeros():
    network = Network([Dense(40), ReLU(), Dense(2)], 300, seed=0)
    network.theta[:] = np.random.default_rng(0).normal(size=network.theta.size)
    assert_array_equal(network.outputs(csr_array((9, 300))), network.outputs(np.zeros((9, 300))))


@pytest.mark.parametrize(
    ("front", "direct"),
    [
        ([], True),
        ([Dropout(0.2)], True),
        ([Dropout(0.2, share="batch")], True),
        ([Dropout(0.2, share_axes=(0,))], False),
        ([Dropout(0.2), Dropout(0.2)], False),
        ([BatchNorm()], False),
        ([GaussianNoise(0.1)], False),
        ([ReLU()], False),
    ],
)
def test_few_entries_are_multiplied_as_they_are_stored_where_a_product_comes_first(front, direct):
    X = csr_array((np.ones(30), np.arange(30), np.arange(31)), shape=(30, 100))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of dropout before BatchNorm
        network = Network([*front, Dense(5)], 100, seed=0)
    assert pays(network, X) == direct
    assert not pays(network, X.toarray())
    assert not pays(network, csr_array(np.ones((30, 100))))


@pytest.mark.parametrize("kind", ["train", "predict", "draw", "element"])
def test_no_memory_is_laid_out_for_rows_that_are_read_as_they_are_stored(kind):
    network = Network(LAYERS, 5000, seed=0)
    assert lower(network, kind, sparse=True).columns < 5000 <= lower(network, kind).columns


@pytest.mark.parametrize("learns", [False, True])
def test_sparse_rows_take_less_memory_than_dense_ones_would(learns):
    X = csr_array((np.ones(240), np.arange(240), np.arange(241)), shape=(240, 100_000))
    network, y = Network([Dropout(0.5), Dense(2)], 100_000, seed=0), np.arange(240) % 2
    tracemalloc.start()
    if learns:
        train(
            network,
            X,
            y,
            loss=SoftmaxCrossEntropy(),
            optimizer=SGD(0.1),
            clean_rows=0,
            batch_size=240,
            epochs=1,
        )
    else:
        network.outputs(X)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 240 * 100_000 * 4 / 2
