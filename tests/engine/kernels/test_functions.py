"""Compiled functions keep the errors that they state, and draw what the reference draws."""

import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from scipy.special import expit

from thinnet import philox
from thinnet.engine.compile import kernel
from thinnet.engine.kernels import functions, logarithms
from thinnet.engine.kernels.keep_bits import keep_bits, keep_bits_of_rows
from thinnet.engine.kernels.normals import normals
from thinnet.engine.kernels.philox import stream_of
from thinnet.masks import mask, threshold
from thinnet.philox import Stream

Long = np.longdouble
has_more_digits = np.finfo(Long).eps < np.finfo(np.float64).eps / 1000


def normal_cdf(x):
    """Marsaglia 2004's series where |x| is small, Laplace's continued fraction in the tails."""
    density = np.exp(-x * x / 2) / np.sqrt(2 * Long("3.14159265358979323846"))
    near = np.minimum(np.abs(x), 3)
    term = total = near
    for k in range(3, 121, 2):
        term = term * near * near / k
        total = total + term
    far, fraction = np.maximum(np.abs(x), 3), Long(0)
    for k in range(150, 0, -1):
        fraction = k / (far + fraction)
    tail = np.where(np.abs(x) < 3, Long(0.5) - density * total, density / (far + fraction))
    return np.where(x < 0, tail, 1 - tail)


ORACLES = {
    "exp": np.exp,
    "expm1": np.expm1,
    "sigmoid": expit,
    "tanh": np.tanh,
    "log1p": np.log1p,
    "softplus": lambda x: np.logaddexp(Long(0), x),
    "log": np.log,
    "normal_cdf": normal_cdf,
}
# Where a function is not used everywhere, or says that it is only good there.
DOMAINS = {
    "expm1": lambda x: x <= 0.5,
    "sigmoid": lambda x: x > -np.log(np.finfo(x.dtype).max),  # below it is 0, see LIMITS
    "log1p": lambda x: (x >= 0) & (x <= 1),
    "log": lambda x: x >= np.finfo(x.dtype).tiny,
}
CASES = [
    (name, dtype)
    for name in ORACLES
    for dtype in (np.float32, np.float64)
    if (name, dtype) != ("log", np.float32)
]
each_function = pytest.mark.parametrize(
    ("name", "dtype"), CASES, ids=lambda c: getattr(c, "__name__", c)
)


@cache
def compiled(name):
    function = getattr(home_of(name), name)

    @kernel
    def each(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    return each


def values(name, x):
    y = np.full_like(x, np.nan)
    compiled(name)(x, y)
    return y


def points(dtype, many):
    """Numbers of all exponents, numbers below normal among them, and many near 0 and 1."""
    rng, limits, size = np.random.default_rng(0), np.finfo(dtype), np.dtype(dtype).itemsize
    bits = rng.integers(2 ** (8 * size), size=20_000, dtype=f"u{size}").view(dtype)
    scaled = rng.normal(size=(8, many)) * 10.0 ** np.arange(-4, 4)[:, None]
    edges = np.array([0, 0.25, 0.5, 1, limits.max, limits.tiny, limits.smallest_subnormal], dtype)
    parts = bits[np.isfinite(bits)], scaled.ravel().astype(dtype), edges, -edges
    return np.concatenate(parts)


def stated_error(name, x):
    """In units in the last place, as the docstring says it."""
    stated = re.search(r"to (\d+)( \+ x\^2)? ulp", getattr(home_of(name), name).__doc__)
    return int(stated[1]) + (x * x if stated[2] else 0)


def home_of(name):
    """The module that has a function."""
    return logarithms if name == "log" else functions


@pytest.mark.parametrize("many", [10_000, pytest.param(60_000, marks=pytest.mark.slow)])
@each_function
def test_a_function_keeps_the_error_that_it_states(name, dtype, many):
    if dtype is np.float64 and not has_more_digits:
        pytest.skip("no longer type to compare with")
    x = points(dtype, many)
    x = x[DOMAINS.get(name, np.isfinite)(x)]
    with np.errstate(all="ignore"):
        exact = ORACLES[name](x.astype(Long))
        rounded, found = exact.astype(dtype), values(name, x)
        finite = np.isfinite(rounded)
        error = np.abs(found - exact)[finite] / np.spacing(np.abs(rounded[finite]))
        allowed = stated_error(name, x[finite].astype(Long))
    assert_array_equal(found[~finite], rounded[~finite])
    assert (error / allowed).max() <= 1


LIMITS = {  # at -infinity and at infinity
    "exp": [0, np.inf],
    "expm1": [-1],
    "sigmoid": [0, 1],
    "tanh": [-1, 1],
    "softplus": [0, np.inf],
    "normal_cdf": [0, 1],
}
each_limit = pytest.mark.parametrize("name", LIMITS)
each_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@each_limit
@each_type
def test_functions_take_their_limits(name, dtype):
    limits = LIMITS[name]
    at = np.array([-np.inf, np.inf], dtype)[: len(limits)]
    assert_array_equal(values(name, at), limits)


@each_limit
@each_type
def test_what_is_no_number_stays_none(name, dtype):
    assert np.isnan(values(name, np.array([np.nan] * 17, dtype))).all()


# What is drawn


@kernel
def normal_numbers(out, stream, sample):
    normals(out, stream, sample)


@kernel
def bits_of_a_row(out, stream, sample, limit, start):
    keep_bits(out, stream, sample, limit, start)


@kernel
def bits_of_rows(out, blocks, stream, samples, n, limit):
    keep_bits_of_rows(out, blocks, stream, samples, n, limit)


streams = st.builds(
    Stream,
    seed=st.integers(0, philox.MAX_SEED),
    purpose=st.sampled_from(["train", "predict"]),
    layer=st.integers(0, philox.MAX_LAYER),
    step=st.integers(0, philox.MAX_STEP),
)
ids = st.integers(0, philox.SHARED)
widths = st.integers(1, 100)
rates = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))


@given(streams, ids, widths)
def test_normal_numbers_are_the_references(stream, sample, units):
    found = np.empty(units)
    normal_numbers(found, stream_of(stream), np.uint64(sample))
    wanted = philox.normals(stream, np.array([sample], np.uint32), units)[0]
    assert_allclose(found, wanted, rtol=1e-14, atol=1e-14)


def unpacked(packed, units):
    return np.unpackbits(packed, axis=-1, bitorder="little")[..., :units].astype(bool)


@given(streams, ids, st.integers(1, 800), rates, st.integers(0, 12))
def test_the_keep_bits_of_a_row_are_the_references_mask(stream, sample, units, rate, start):
    room, blocks = np.empty(200, np.uint8), -(-units // 8)
    packed, limit = room[:blocks], np.uint64(threshold(rate))
    bits_of_a_row(packed, stream_of(stream), np.uint64(sample), limit, start)
    wanted = mask(stream, np.array([sample], np.uint32), 8 * start + units, rate)
    assert_array_equal(unpacked(packed, units), wanted[0, 8 * start :])


@given(streams, st.lists(ids, min_size=1, max_size=64), widths, rates)
def test_the_keep_bits_of_several_rows_are_the_references_mask(stream, samples, units, rate):
    rows, blocks = len(samples), -(-units // 8)
    packed, room = np.empty((64, blocks), np.uint8), np.zeros(64, np.uint64)
    room[:rows], limit = samples, np.uint64(threshold(rate))
    bits_of_rows(packed.reshape(-1), blocks, stream_of(stream), room, rows, limit)
    wanted = mask(stream, np.array(samples, np.uint32), units, rate)
    assert_array_equal(unpacked(packed[:rows], units), wanted)


@kernel
def raised(bases, exponents, out):
    for i in range(out.size):
        out[i] = logarithms.power(bases[i], exponents[i])


def test_powers_are_right_to_their_roundings(rng):
    bases = rng.uniform(0, 1, 2000)
    exponents = np.append(rng.integers(1, 3000, 1000), rng.uniform(0.1, 3000, 1000))
    out = np.empty(2000)
    raised(bases, exponents, out)
    assert_allclose(out, bases.astype(Long) ** exponents, rtol=1e-12, atol=1e-300)


def test_a_power_of_zero_is_zero():
    out = np.empty(2)
    raised(np.zeros(2), np.array([3.0, 2.5]), out)
    assert (out == 0).all()


@kernel
def log_gammas(x, out):
    for i in range(out.size):
        out[i] = logarithms.log_gamma(x[i])


def test_the_logarithm_of_gamma_is_right_to_twenty_roundings(rng):
    x = np.concatenate([np.arange(1.0, 400), rng.uniform(1, 60, 2000), [1e6, 1e15]])
    out, exact = np.empty_like(x), special.gammaln(x)
    log_gammas(x, out)
    assert (abs(out - exact) <= 20 * np.finfo(float).eps * np.maximum(abs(exact), 1)).all()
