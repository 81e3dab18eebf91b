"""Philox4x32-10 and what is drawn from it, against plain integers and known answers."""

import math

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from paths import VECTORS
from scipy import stats

from thinnet import derived_seed
from thinnet.philox import Stream, as_seed, normals, permutation, philox, uniforms, words

KNOWN = [
    [int(word, 16) for word in line.split()[2:]]
    for line in (VECTORS / "philox4x32_10.txt").read_text().splitlines()
]
word32 = st.integers(0, 2**32 - 1)
seeds = st.integers(0, 2**64 - 1)


def as_integers(drawn):
    return tuple(int(word) for word in drawn)


@pytest.mark.parametrize("line", KNOWN, ids=str)
def test_philox_gives_the_known_answers_of_random123(line):
    counter, (low, high), answer = tuple(line[:4]), line[4:6], tuple(line[6:])
    assert as_integers(philox(counter, low + 2**32 * high)) == answer
    assert oracles.philox(counter, (low, high)) == answer


@given(st.tuples(word32, word32, word32, word32), seeds)
def test_philox_is_the_plain_integer_one(counter, seed):
    expected = oracles.philox(counter, (seed % 2**32, seed // 2**32))
    assert as_integers(philox(counter, seed)) == expected


@given(st.lists(word32, min_size=1, max_size=5), st.lists(word32, min_size=1, max_size=5))
def test_counters_broadcast_against_each_other(first, second):
    drawn = philox((np.array(first)[:, None], np.array(second), 3, 4), 5)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            assert tuple(int(w[i, j]) for w in drawn) == oracles.philox((a, b, 3, 4), (5, 0))


@pytest.mark.parametrize(("rows", "blocks"), [(3, 2), (40, 1000), (2, 20_000), (20_000, 1)])
def test_words_are_the_same_however_many_are_drawn_at_once(rows, blocks):
    stream = Stream(seed=2**63 + 5, purpose="predict", layer=7, step=9)
    samples = np.arange(rows, dtype=np.uint32) * 7
    drawn = words(stream, samples, blocks)
    for row, block in [(0, 0), (rows - 1, blocks - 1), (rows // 2, blocks // 3)]:
        expected = oracles.words(2**63 + 5, "predict", 7, 9, 7 * row, block)
        assert tuple(drawn[row, block].tolist()) == expected


@settings(max_examples=50)
@given(
    seeds,
    st.sampled_from(sorted(oracles.PURPOSES)),
    st.integers(0, 2**24 - 1),
    word32,
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3),
    st.integers(1, 13),
)
def test_normals_are_those_of_the_specification(seed, purpose, layer, step, samples, units):
    drawn = normals(Stream(seed, purpose, layer, step), np.array(samples, np.uint32), units)
    expected = oracles.normal_rows(seed, purpose, layer, step, samples, units)
    assert_allclose(drawn, expected, rtol=0, atol=1e-6)


def test_normals_have_the_moments_and_the_distribution_of_a_standard_normal():
    """A million numbers.  A shift of the mean by 0.007, or of the variance by 1 %, is found with
    probability over 0.99 (seven standard errors; thresholds stand at four)."""
    drawn = normals(Stream(3, "train", 1, 2), np.arange(1000, dtype=np.uint32), 1000).ravel()
    n = drawn.size
    assert abs(drawn.mean()) < 4 / math.sqrt(n)
    assert abs(drawn.var() - 1) < 4 * math.sqrt(2 / n)
    assert abs((drawn**3).mean()) < 4 * math.sqrt(15 / n)
    assert abs((drawn**4).mean() - 3) < 4 * math.sqrt(96 / n)
    assert stats.kstest(drawn[::10], "norm").pvalue > 1e-4


def test_neighbouring_normals_are_uncorrelated():
    """A correlation of 0.01 between any of eight neighbours is found with probability over 0.99
    (standard error 0.0014, threshold 4.5 of them)."""
    drawn = normals(Stream(3, "train", 1, 2), np.arange(500, dtype=np.uint32), 1000)
    for lag in range(1, 9):
        found = np.mean(drawn[:, lag:] * drawn[:, :-lag])
        assert abs(found) < 4.5 / math.sqrt(drawn.size - 500 * lag)


def test_uniforms_lie_inside_the_unit_interval_and_fill_it_evenly():
    """100,000 numbers: a distribution function off by 0.011 anywhere is found with probability
    over 0.99 (Kolmogorov and Smirnov)."""
    drawn = uniforms(Stream(3, "weights"), np.arange(100, dtype=np.uint32), 1000)
    assert 0 < drawn.min() < drawn.max() < 1
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-4


@given(seeds, st.sampled_from(["shuffle", "split", "studies"]), word32, st.integers(0, 40))
def test_a_permutation_sorts_by_the_keys_of_its_counters(seed, purpose, step, n):
    expected = oracles.permutation(seed, purpose, step, n)
    assert permutation(seed, purpose, step, n).tolist() == expected


@pytest.mark.parametrize("n", [1, 2, 1000, 40_000])
def test_a_permutation_holds_every_number_once(n):
    assert_array_equal(np.sort(permutation(5, "shuffle", 3, n)), np.arange(n))


@given(seeds, word32)
def test_a_derived_seed_is_two_words_of_its_counter(seed, member):
    assert derived_seed(seed, member) == oracles.derived_seed(seed, member)


def test_derived_seeds_differ_between_members_and_from_their_parent():
    members = [derived_seed(42, m) for m in range(1000)]
    assert len({42, *members}) == 1001


@pytest.mark.parametrize(("seed", "member"), [(0, 0), (2**64 - 1, 2**32 - 1)])
def test_a_derived_seed_is_a_seed_at_both_ends_of_the_ranges(seed, member):
    assert 0 <= derived_seed(seed, member) < 2**64


@pytest.mark.parametrize(
    ("seed", "member", "named"),
    [(-1, 0, "seed"), (2**64, 0, "seed"), (0, -1, "member"), (0, 2**32, "member")],
)
def test_a_derived_seed_beyond_its_ranges_is_refused(seed, member, named):
    bad = seed if named == "seed" else member
    with pytest.raises(ValueError, match=rf"^{named} must be an integer from 0 to \d+, got {bad}$"):
        derived_seed(seed, member)


@given(seeds)
def test_an_integer_is_its_own_seed(seed):
    assert as_seed(seed) == seed
    assert as_seed(np.uint64(seed)) == seed


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_a_generator_gives_the_same_64_bits_once_and_others_next(make):
    first, again = make(7), make(7)
    drawn = [as_seed(first) for _ in range(50)]
    assert drawn == [as_seed(again) for _ in range(50)]
    assert len(set(drawn)) == 50
    assert all(type(seed) is int for seed in drawn)
    assert 2**63 < max(drawn) < 2**64  # all 64 bits are used: missed with probability 2**-50


def test_no_seed_takes_entropy_that_is_new_each_time():
    drawn = {as_seed(None) for _ in range(20)}
    assert len(drawn) == 20
    assert max(drawn) > 2**40


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "3", True])
def test_what_is_no_seed_is_refused(seed, untyped):
    with pytest.raises(ValueError, match=r"^seed must be an integer from 0 to \d+, got "):
        as_seed(seed)
