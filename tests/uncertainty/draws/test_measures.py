"""Measures of draws of class probabilities: identities, closed forms, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from thinnet.uncertainty.draws.measures import (
    class_std,
    expected_entropy,
    mutual_information,
    predictive_entropy,
    variation_ratio,
)

ALL = [predictive_entropy, expected_entropy, mutual_information, variation_ratio, class_std]
OF_A_SPREAD = [mutual_information, variation_ratio, class_std]


@st.composite
def draws(draw):
    """From nearly one-hot to nearly uniform, some of them exactly one-hot."""
    shape = [draw(st.integers(2, 6)), draw(st.integers(1, 4))]
    classes = draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    p = rng.dirichlet(np.full(classes, draw(st.sampled_from([0.01, 0.3, 1, 100]))), shape)
    one_hot = rng.random(shape) < draw(st.sampled_from([0, 0.5]))
    return np.where(one_hot[..., None], np.eye(classes)[p.argmax(axis=-1)], p)


@given(draws())
def test_total_entropy_is_the_expected_one_and_mutual_information(p):
    parts = expected_entropy(p) + mutual_information(p)
    assert_allclose(parts, predictive_entropy(p), rtol=1e-12, atol=1e-12)


@given(draws())
def test_mutual_information_is_from_0_to_the_entropy_and_that_at_most_log_classes(p):
    information, entropy = mutual_information(p), predictive_entropy(p)
    assert (information >= 0).all()
    assert (information <= entropy).all()
    assert (entropy <= np.log(p.shape[2]) + 1e-12).all()


@given(draws())
def test_mutual_information_is_the_mean_divergence_from_the_mean(p):
    divergence = stats.entropy(p, p.mean(axis=0, keepdims=True), axis=-1)
    assert_allclose(mutual_information(p), divergence.mean(axis=0), atol=1e-12)


@given(draws())
def test_entropies_are_those_of_scipy(p):
    assert_allclose(predictive_entropy(p), stats.entropy(p.mean(axis=0), axis=-1), atol=1e-12)
    assert_allclose(expected_entropy(p), stats.entropy(p, axis=-1).mean(axis=0), atol=1e-12)


@given(draws())
def test_variation_ratio_is_what_the_mode_leaves(p):
    _, votes = stats.mode(p.argmax(axis=-1), axis=0)
    assert_allclose(variation_ratio(p), 1 - votes / len(p))


@given(draws(), st.integers(2, 7))
def test_equal_draws_do_not_disagree(p, n_draws):
    same = np.repeat(p[:1], n_draws, axis=0)
    assert_allclose(mutual_information(same), 0, atol=1e-12)
    assert_array_equal(variation_ratio(same), 0)
    assert_allclose(class_std(same), 0, atol=1e-12)


@given(draws(), st.randoms(use_true_random=False))
def test_the_order_of_draws_does_not_matter(p, random):
    order = random.sample(range(len(p)), len(p))
    for measure in ALL:
        assert_allclose(measure(p[order]), measure(p), atol=1e-12)


def test_draws_that_are_sure_of_different_classes_disagree_in_all_they_know():
    p = np.eye(4)[:, None, :]
    assert_allclose(predictive_entropy(p), np.log(4))
    assert_allclose(expected_entropy(p), 0)
    assert_allclose(mutual_information(p), np.log(4))
    assert_allclose(variation_ratio(p), 3 / 4)
    assert_allclose(class_std(p), [[np.sqrt(3) / 4] * 4])


def test_a_draw_with_two_most_probable_classes_names_the_lower():
    p = np.array([[[0.5, 0.5]], [[0.6, 0.4]], [[0.4, 0.6]]])
    assert_allclose(variation_ratio(p), [1 / 3])


def test_rows_are_measured_apart(rng):
    p = rng.dirichlet(np.ones(3), (5, 7))
    for measure in ALL:
        assert_allclose(measure(p)[3], measure(p[:, 3:4])[0])


def test_single_precision_is_measured_in_double(rng):
    p = rng.dirichlet(np.ones(10), (20, 50)).astype(np.float32)
    for measure in ALL:
        assert measure(p).dtype == np.float64
    exact = p.astype(np.float64)
    exact /= exact.sum(axis=-1, keepdims=True)
    assert_allclose(mutual_information(p), mutual_information(exact), rtol=1e-12)


@pytest.mark.parametrize("measure", ALL, ids=lambda m: m.__name__)
@pytest.mark.parametrize(
    ("p", "sentence"),
    [
        (np.full((4, 2), 0.5), r"p must be an array of 3 axes, got \(4, 2\)"),
        (np.ones((4, 2, 1)), r"p must be probabilities of at least 2 classes, got \(4, 2, 1\)"),
        (np.full((2, 2, 2), 0.4), "p must be probabilities that sum to 1, got .* row 0, column 0"),
        (np.full((2, 1, 2), [1.5, -0.5]), r"p must be in \[0, 1\], got 1.5 in row 0"),
        (np.full((2, 1, 2), np.nan), "p must be finite, got nan"),
        (np.empty((0, 3, 2)), "p must not be empty"),
        ([[["a", "b"]]], "p must be an array of real numbers"),
    ],
)
def test_what_are_not_draws_of_probabilities_is_refused(measure, p, sentence):
    with pytest.raises(ValueError, match=sentence):
        measure(p)


@pytest.mark.parametrize("measure", OF_A_SPREAD, ids=lambda m: m.__name__)
def test_one_draw_has_no_spread(measure):
    with pytest.raises(ValueError, match="p must be at least 2 draws, got 1"):
        measure(np.full((1, 3, 2), 0.5))
    assert_allclose(predictive_entropy(np.full((1, 3, 2), 0.5)), np.log(2))
