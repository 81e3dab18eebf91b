"""Masks are as good as independent coin tosses: shares, and correlations along every coordinate.

All seeds are fixed, so no test here can fail by bad luck.  A docstring says what a fault would
have to be for the test to find it; `power` is the probability, by the normal approximation.
"""

import math

import numpy as np
import pytest
from scipy import stats

from thinnet import derived_seed, keep_mask

WIDE, ROWS = 1000, 200
N = WIDE * ROWS


def draw(**changed):
    where = {"seed": 11, "layer": 0, "step": 0, "samples": range(ROWS), "units": WIDE, "rate": 0.5}
    return keep_mask(**where | changed)


def correlation(a, b):
    """Of two boolean arrays, as a number of standard errors under independence."""
    a, b = (m.ravel() - m.mean() for m in (a, b))
    return float(np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b)) * math.sqrt(a.size))


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.2, 0.5, 0.8, 0.999])
def test_the_share_of_zeros_is_binomial(rate):
    """200,000 tosses, two-sided p above 1e-4: at rate 0.5 a share off by 0.006 is found with
    power 0.93, one off by 0.01 with power over 0.9999; relative to the rate more at the ends."""
    dropped = int((~draw(rate=rate)).sum())
    exact = round(rate * 65536) / 65536
    assert stats.binomtest(dropped, N, exact).pvalue > 1e-4


@pytest.mark.parametrize("axis", [0, 1], ids=["units", "samples"])
def test_the_zeros_of_each_unit_and_of_each_sample_are_binomial(axis):
    """Counts against the binomial's variance: one that is 26 % too large (units: 1000 counts,
    standard error 4.5 %) or 65 % (samples: 200 counts, 10 %) is found with power over 0.9 at
    four standard errors."""
    counts = (~draw(rate=0.3)).sum(axis=axis)
    n = draw().shape[axis]
    standard = (counts - n * 0.3) / math.sqrt(n * 0.3 * 0.7)
    assert abs(standard.var() - 1) < 4 * math.sqrt(2 / counts.size)
    assert np.abs(standard).max() < 5.5


COORDINATES = {
    "layers": [{"layer": i} for i in (1, 2, 255, 2**24 - 1)],
    "steps": [{"step": i} for i in (1, 2, 1000, 2**32 - 1)],
    "seeds": [{"seed": i} for i in (10, 12, 11 + 2**32, 11 + 2**63)],
    "purposes": [{"purpose": p} for p in ("predict", "weights", "shuffle", "studies")],
    "samples": [{"samples": range(i, i + ROWS)} for i in (1, 2, 2**16, 2**31)],
    "derived seeds": [{"seed": derived_seed(11, i)} for i in range(4)],
}


@pytest.mark.parametrize("rate", [0.5, 0.1])
@pytest.mark.parametrize("name", COORDINATES)
def test_masks_of_neighbours_in_a_coordinate_are_uncorrelated(name, rate):
    """200,000 pairs (standard error 0.0022), threshold 4.5 of them: a correlation of 0.015 is
    found with power 0.98, one of 0.02 with power over 0.999; equal masks have correlation 1."""
    for changed in COORDINATES[name]:
        assert abs(correlation(draw(rate=rate), draw(rate=rate, **changed))) < 4.5


def test_a_step_of_one_layer_is_not_the_next_layer_of_another_step():
    """Sums of coordinates don't meet: a mask that depended on layer + step would have
    correlation 1; one of 0.02 is found with power over 0.999."""
    assert abs(correlation(draw(layer=0, step=1), draw(layer=1, step=0))) < 4.5
    swapped = draw(layer=0, step=1, samples=range(2, 2 + ROWS))
    assert abs(correlation(swapped, draw(layer=0, step=2, samples=range(1, 1 + ROWS)))) < 4.5


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 7, 8, 9, 16, 128])
def test_units_at_a_distance_are_uncorrelated(lag):
    """About 200,000 pairs: a correlation of 0.015 is found with power 0.98.  Distances below 8
    fall inside one counter, 8 and more between counters."""
    found = draw()
    assert abs(correlation(found[:, lag:], found[:, :-lag])) < 4.5


def test_no_two_places_inside_a_counter_are_correlated():
    """The 28 pairs among eight draws, 400,000 counters each (standard error 0.0016): one of 0.01
    is found with power 0.96 at 4.5 standard errors."""
    eights = draw(samples=range(400), units=8000).reshape(-1, 8) - 0.5
    found = eights.T @ eights * 4 / len(eights)
    away = found[~np.eye(8, dtype=bool)]
    assert np.abs(away).max() < 4.5 / math.sqrt(len(eights))


def test_draws_that_share_a_word_are_independent_at_every_rate():
    """Low and high half of a word, at rates from 1/4 to 3/4 (100,000 pairs each): a correlation
    of 0.02 is found with power 0.96."""
    for rate in (0.25, 0.5, 0.75):
        found = draw(rate=rate)
        assert abs(correlation(found[:, 0::2], found[:, 1::2])) < 4.5


def test_a_step_by_step_walk_of_one_unit_has_no_runs(untyped):
    """5,000 steps of one unit of one sample: a correlation of 0.1 between successive steps is
    found with power over 0.998 (standard error 0.014, threshold 4)."""
    walk = np.array([draw(step=step, samples=[3], units=1)[0, 0] for step in range(5000)])
    assert abs(correlation(walk[1:], walk[:-1])) < 4
    assert stats.binomtest(int(walk.sum()), walk.size, 0.5).pvalue > 1e-4


def test_all_16_patterns_of_four_neighbours_are_equally_frequent():
    """Chi-squared over 50,000 groups: one pattern 15 % too frequent is found with power over
    0.98 at p = 1e-4 (noncentrality 75)."""
    groups = draw().reshape(-1, 4) @ np.array([1, 2, 4, 8])
    assert stats.chisquare(np.bincount(groups, minlength=16)).pvalue > 1e-4


def test_the_variance_of_a_masks_sum_is_that_of_independent_units():
    """Dependence of any order among units of a row inflates the variance of its sum: 5000 rows,
    standard error 2 %, so 14 % is found with power over 0.97 at four of them."""
    sums = draw(samples=range(5000), units=64).sum(axis=1)
    assert abs(sums.var() / (64 / 4) - 1) < 4 * math.sqrt(2 / 5000)


def test_inverted_dropout_keeps_the_expectation():
    """A million values: at rate 0.5 a mean off by 0.5 % is found with power 0.84, one off by 1 %
    always (standard error 0.1 %, threshold four of them)."""
    for rate in (0.1, 0.5):
        q = 1 - round(rate * 65536) / 65536
        scaled = draw(samples=range(1000), rate=rate) / q
        assert abs(scaled.mean() - 1) < 4 * math.sqrt((1 - q) / q / scaled.size)
