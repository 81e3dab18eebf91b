"""Compiled dropout has the reference's masks bit for bit, and its values to one rounding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import dropout, functional
from thinnet.engine import dropout as engine
from thinnet.masks import mask, scaled
from thinnet.philox import Stream

UNITS = [1, 7, 8, 9, 13, 64, 100, 1024]


def compiled(x, ids, stream, rate):
    out = np.full_like(x, -1)
    engine.dropout(x, ids, stream, rate, out)
    return out


def reference(x, ids, stream, rate):
    return scaled(x, mask(stream, ids, x.shape[1], rate), rate)


def assert_same(found, wanted):
    """The same masks, and values that differ by the rounding of 1/q at most."""
    assert_array_equal(found == 0, wanted == 0)
    assert_allclose(found, wanted, rtol=2 * np.finfo(wanted.dtype).eps)


@pytest.mark.usefixtures("two_threads")
@given(
    rows=st.integers(1, 200),
    units=st.sampled_from(UNITS),
    rate=st.floats(1e-9, 1, exclude_max=True),
    seed=st.integers(0, 2**64 - 1),
    layer=st.integers(0, 2**24 - 1),
    step=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_compiled_dropout_is_the_references(rows, units, rate, seed, layer, step, dtype):
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, units)).astype(dtype)
    ids = rng.integers(2**32 - 1, size=rows, dtype=np.uint32)
    stream = Stream(seed, "train", layer, step)
    assert_same(compiled(x, ids, stream, rate), reference(x, ids, stream, rate))


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_the_number_of_threads_changes_no_bit(threads, monkeypatch, rng):
    monkeypatch.setattr(engine, "WORTH_A_THREAD", 1)
    x = rng.normal(size=(999, 50))
    ids, stream = np.arange(999, dtype=np.uint32), Stream(3, "train", 1, 4)
    monkeypatch.setattr(engine, "n_threads", lambda: threads)
    found = compiled(x, ids, stream, 0.3)
    monkeypatch.setattr(engine, "n_threads", lambda: 1)
    assert_array_equal(found, compiled(x, ids, stream, 0.3))
    assert_same(found, reference(x, ids, stream, 0.3))


def test_what_is_dropped_is_zero_whatever_it_was():
    x = np.full((4, 64), np.nan)
    x[1], x[2] = np.inf, -np.inf
    ids, stream = np.arange(4, dtype=np.uint32), Stream(0, "train")
    y, keep = compiled(x, ids, stream, 0.5), mask(stream, ids, 64, 0.5)
    assert (y[~keep] == 0).all()
    assert_array_equal(y[keep], x[keep])


def large(rng, dtype=np.float32):
    return rng.normal(size=(64, 16, 40)).astype(dtype)


@pytest.mark.parametrize(
    "rows", [{}, {"share": "batch"}, {"samples": range(100, 164)}], ids=["numbered", "batch", "ids"]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_public_function_gives_the_same_with_and_without_a_compiler(
    rows, dtype, rng, monkeypatch
):
    x, settings = large(rng, dtype), {"seed": 7, "step": 2, "training": True} | rows
    with_one = dropout(x, 0.4, **settings)
    monkeypatch.setattr(functional, "there_is_a_compiler", lambda: False)
    assert_same(with_one, dropout(x, 0.4, **settings))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_the_result_may_be_put_into_an_array(training, rate, rng):
    x = large(rng)
    wanted = dropout(x, rate, seed=1, training=training)
    for out in (np.empty_like(x), np.empty((64, 16, 80), x.dtype)[:, :, ::2], x):
        assert dropout(x, rate, seed=1, training=training, out=out) is out
        assert_same(out, wanted)


@pytest.mark.parametrize("width", [1025, 1040, 1087, 1088])
def test_nothing_is_written_behind_the_result(width, rng):
    x, room = rng.normal(size=(32, width)), np.full(32 * width + 64, 7.0)
    dropout(x, 0.5, seed=1, training=True, out=room[: x.size].reshape(x.shape))
    assert (room[x.size :] == 7.0).all()


def test_rows_need_not_be_contiguous(rng):
    x = large(rng)[:, ::-1]
    wanted = dropout(x.copy(), 0.5, seed=1, training=True)
    assert_array_equal(dropout(x, 0.5, seed=1, training=True), wanted)


@pytest.mark.parametrize(
    "out", [np.empty((3, 4)), np.empty((4, 4), np.float32)], ids=["shape", "dtype"]
)
def test_an_array_that_is_not_like_x_is_refused(out):
    with pytest.raises(ValueError, match=r"out must have shape \(4, 4\) and dtype float64, got"):
        dropout(np.ones((4, 4)), 0.5, seed=0, training=True, out=out)


def test_the_samples_are_bit_reproducible_across_batches(rng):
    x = large(rng)
    whole = dropout(x, 0.5, seed=1, training=True)
    half = dropout(x[32:], 0.5, seed=1, samples=range(32, 64), training=True)
    assert_array_equal(half, whole[32:])
