"""Losses: the textbook's value by another way, stability, weights, and what they refuse."""

import dataclasses
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn import metrics

from thinnet import (
    SGD,
    AbsoluteError,
    BinaryCrossEntropy,
    Dense,
    GaussianNLL,
    Huber,
    Network,
    Pinball,
    Poisson,
    SoftmaxCrossEntropy,
    SquaredError,
    train,
)
from thinnet.losses import loss_for

K = 4
LOSSES = [
    SoftmaxCrossEntropy(),
    SoftmaxCrossEntropy(label_smoothing=0.2),
    BinaryCrossEntropy(),
    SquaredError(),
    AbsoluteError(),
    Huber(0.8),
    GaussianNLL(),
    Poisson(),
    Pinball((0.2, 0.9)),
]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_is_a_frozen_value(loss):
    assert pickle.loads(pickle.dumps(loss)) == loss == dataclasses.replace(loss)
    assert hash(loss) == hash(dataclasses.replace(loss))
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
        loss.anything = 1


def example(loss, rng, rows=8):
    """Outputs and checked targets that suit a loss."""
    outputs = rng.normal(size=(rows, K))
    if isinstance(loss, SoftmaxCrossEntropy):
        y = rng.integers(0, K, size=rows)
    elif isinstance(loss, BinaryCrossEntropy):
        y = rng.integers(0, 2, size=(rows, K))
    elif isinstance(loss, GaussianNLL | Pinball):
        y = rng.normal(size=(rows, K // 2))
    elif isinstance(loss, Poisson):
        y = rng.poisson(2, size=(rows, K))
    else:
        y = rng.normal(size=(rows, K))
    return outputs, loss.targets(y, (K,))


def probabilities(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def textbook(loss, z, y):
    """The mean loss by SciPy's distributions and scikit-learn's metrics."""
    if isinstance(loss, SoftmaxCrossEntropy):
        right = metrics.log_loss(y, probabilities(z), labels=range(K))
        uniform = -np.log(probabilities(z)).mean()
        return (1 - loss.label_smoothing) * right + loss.label_smoothing * uniform
    if isinstance(loss, BinaryCrossEntropy):
        return -stats.bernoulli(sigmoid(z)).logpmf(y).mean()
    if isinstance(loss, SquaredError):
        return metrics.mean_squared_error(y, z)
    if isinstance(loss, AbsoluteError):
        return metrics.mean_absolute_error(y, z)
    if isinstance(loss, Huber):
        e = np.abs(z - y)
        return np.where(e <= 0.8, e**2 / 2, 0.8 * e - 0.32).mean()
    if isinstance(loss, GaussianNLL):
        return -stats.norm(z[:, :2], np.exp(z[:, 2:] / 2)).logpdf(y).mean()
    if isinstance(loss, Pinball):
        each = [(z[:, :2], 0.2), (z[:, 2:], 0.9)]
        return np.mean([metrics.mean_pinball_loss(y[:, :2], q, alpha=p) for q, p in each])
    return -stats.poisson(np.exp(z)).logpmf(y).mean()


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_the_value_of_a_loss_is_the_textbooks(loss, rng):
    z, y = example(loss, rng)
    assert_allclose(loss(z, y)[0], textbook(loss, z, y), rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_the_slope_has_the_type_and_the_shape_of_the_outputs(loss, dtype, rng):
    z, y = example(loss, rng)
    value, slope = loss(z.astype(dtype), y, np.arange(8.0))
    assert type(value) is float
    assert (slope.dtype, slope.shape) == (dtype, z.shape)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_a_loss_leaves_outputs_and_targets_alone(loss, rng):
    z, y = example(loss, rng)
    before = z.copy(), y.copy()
    loss(z, y, np.ones(8))
    assert_array_equal(z, before[0])
    assert_array_equal(y, before[1])


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_a_row_of_weight_two_is_a_row_that_stands_twice(loss, rng):
    z, y = example(loss, rng)
    weights, twice = np.array([1.0, 2, 1, 1, 1, 1, 1, 1]), [0, 1, 1, 2, 3, 4, 5, 6, 7]
    value, slope = loss(z, y, weights)
    value_twice, slope_twice = loss(z[twice], y[twice])
    assert_allclose(value, value_twice)
    assert_allclose(slope[1], slope_twice[1] + slope_twice[2])
    assert_allclose(slope[2:], slope_twice[3:])
    assert_allclose(loss.score(z, y, weights), loss.score(z[twice], y[twice]))


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_a_row_of_weight_zero_is_absent(loss, rng):
    z, y = example(loss, rng)
    value, slope = loss(z, y, np.array([1.0, 1, 1, 1, 1, 1, 1, 0]))
    value_without, slope_without = loss(z[:-1], y[:-1])
    assert_allclose(value, value_without)
    assert_allclose(slope[:-1], slope_without)
    assert not slope[-1].any()


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_only_ratios_of_weights_count(loss, rng):
    (z, y), weights = example(loss, rng), rng.uniform(size=8)
    for a, b in zip(loss(z, y, weights), loss(z, y, 1000 * weights), strict=True):
        assert_allclose(a, b)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_of_a_batch_add_up_to_the_batch(loss, weighted, rng):
    z, y = example(loss, rng)
    weights = rng.uniform(size=8) if weighted else None
    total = weights.sum() if weighted else 8.0
    value, slope = loss(z, y, weights)
    parts = [
        loss(z[rows], y[rows], weights[rows] if weighted else None, total)
        for rows in (slice(0, 3), slice(3, 8))
    ]
    assert_allclose(sum(part[0] for part in parts), value)
    assert_allclose(np.concatenate([part[1] for part in parts]), slope)


HUGE = np.array([[1e4, -1e4, 0.0, 5.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_huge_logits_give_their_exact_cross_entropies(dtype):
    loss = SoftmaxCrossEntropy()
    for label, expected in ((0, 0.0), (1, 2e4), (2, 1e4)):
        value, slope = loss(HUGE.astype(dtype), np.array([label]))
        assert value == expected
        assert_array_equal(slope[0], np.array([1, 0, 0, 0]) - np.eye(4)[label])


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_huge_logits_give_their_exact_binary_cross_entropies(dtype):
    z = HUGE.astype(dtype)
    assert BinaryCrossEntropy()(z, np.array([[1.0, 0, 0.5, 1]]))[0] < 0.18
    value, slope = BinaryCrossEntropy()(z, np.array([[0.0, 1, 0.5, 1]]))
    assert value == pytest.approx(2e4 / 4, rel=1e-3)
    assert slope[0, :3] == pytest.approx([0.25, -0.25, 0])


@given(st.floats(-80, 80))
def test_adding_a_number_to_all_logits_changes_nothing(shift):
    z, y = np.array([[0.5, -1.0, 2.0]]), np.array([1])
    value, slope = SoftmaxCrossEntropy()(z, y)
    shifted_value, shifted_slope = SoftmaxCrossEntropy()(z + shift, y)
    assert_allclose(shifted_value, value, rtol=1e-10)
    assert_allclose(shifted_slope, slope, rtol=1e-10)


def test_labels_one_hot_and_float_labels_are_the_same_targets(rng):
    loss, z = SoftmaxCrossEntropy(0.1), rng.normal(size=(5, K))
    labels = np.array([0, 3, 1, 1, 2])
    expected = loss(z, loss.targets(labels, (K,)))
    for y in (
        np.eye(K)[labels],
        labels.astype(float),
        labels.tolist(),
        np.eye(K, dtype=int)[labels],
    ):
        for a, b in zip(loss(z, loss.targets(y, (K,))), expected, strict=True):
            assert_allclose(a, b, rtol=1e-14)


def test_booleans_are_labels_of_two_classes():
    y = SoftmaxCrossEntropy().targets(np.array([True, False]), (2,))
    assert_array_equal(y, [1, 0])


def test_soft_targets_weigh_the_classes(rng):
    loss, z, t = SoftmaxCrossEntropy(), rng.normal(size=(5, K)), rng.dirichlet(np.ones(K), 5)
    expected = -(t * np.log(probabilities(z))).sum(axis=1).mean()
    assert_allclose(loss(z, loss.targets(t, (K,)))[0], expected)


def test_label_smoothing_is_cross_entropy_with_smoothed_targets(rng):
    z, labels = rng.normal(size=(5, K)), rng.integers(0, K, size=5)
    smoothed = 0.8 * np.eye(K)[labels] + 0.2 / K
    for a, b in zip(
        SoftmaxCrossEntropy(0.2)(z, labels), SoftmaxCrossEntropy()(z, smoothed), strict=True
    ):
        assert_allclose(a, b, rtol=1e-13)


@pytest.mark.parametrize("loss", [SquaredError(), BinaryCrossEntropy(), Poisson()], ids=str)
def test_one_output_takes_targets_of_one_axis(loss):
    assert loss.targets([1, 0, 1], (1,)).shape == (3, 1)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (SoftmaxCrossEntropy(), probabilities),
        (BinaryCrossEntropy(), sigmoid),
        (SquaredError(), lambda z: z),
        (AbsoluteError(), lambda z: z),
        (Huber(), lambda z: z),
        (GaussianNLL(), lambda z: z[:, :2]),
        (Poisson(), np.exp),
        (Pinball(0.3), lambda z: z),
        (Pinball((0.3, 0.5)), lambda z: np.maximum(z[:, :2], z[:, 2:])),
        (Pinball((0.2, 0.8)), lambda z: (z[:, :2] + z[:, 2:]) / 2),
    ],
)
def test_predictions_are_in_the_targets_terms(loss, expected, rng):
    z = rng.normal(size=(5, K))
    assert_allclose(loss.predict(z), expected(z))


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_are_scikit_learns(weighted, rng):
    w = rng.uniform(size=40) if weighted else None
    z, labels = rng.normal(size=(40, K)), rng.integers(0, K, size=40)
    right = metrics.accuracy_score(labels, z.argmax(axis=1), sample_weight=w)
    assert SoftmaxCrossEntropy().score(z, labels, w) == pytest.approx(right)
    assert SoftmaxCrossEntropy().score(z, np.eye(K)[labels], w) == pytest.approx(right)
    bits = rng.integers(0, 2, size=(40, 2)).astype(float)
    subset = metrics.accuracy_score(bits, z[:, :2] > 0, sample_weight=w)
    assert BinaryCrossEntropy().score(z[:, :2], bits, w) == pytest.approx(subset)
    y = z + rng.normal(size=(40, K))
    for loss in (SquaredError(), AbsoluteError(), Huber(), Pinball(0.3)):
        assert loss.score(z, y, w) == pytest.approx(metrics.r2_score(y, z, sample_weight=w))
    counts = rng.poisson(np.exp(z)).astype(float)
    expected = metrics.r2_score(counts, np.exp(z), sample_weight=w)
    assert Poisson().score(z, counts, w) == pytest.approx(expected)


def test_the_score_of_a_constant_target_is_zero():
    assert SquaredError().score(np.ones((3, 1)), np.zeros((3, 1))) == 0


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([0, 1, 2], SoftmaxCrossEntropy()),
        ([True, False], SoftmaxCrossEntropy()),
        ([0.5, 1.0], SquaredError()),
        ([[1, 0], [0, 1]], SoftmaxCrossEntropy()),
        ([[1, 1], [0, 1]], SquaredError()),
        ([[1], [0]], SquaredError()),
    ],
)
def test_labels_and_one_hot_rows_ask_for_cross_entropy_and_all_else_for_squared_error(y, expected):
    assert loss_for(y) == expected


BAD_TARGETS = [
    (SoftmaxCrossEntropy(), [0, 1, 4], "labels must be integers from 0 to 3, got 4 in row 2"),
    (SoftmaxCrossEntropy(), [0, -1], "labels must be integers from 0 to 3, got -1 in row 1"),
    (SoftmaxCrossEntropy(), [0.5], "labels must be integers from 0 to 3, got 0.5 in row 0"),
    (SoftmaxCrossEntropy(), [0, np.nan], "y must be finite, got nan in row 1"),
    (SoftmaxCrossEntropy(), ["a"], "y must be an array of real numbers, got dtype"),
    (SoftmaxCrossEntropy(), [], r"y must not be empty, got shape \(0,\)"),
    (
        SoftmaxCrossEntropy(),
        np.ones((2, 3)),
        r"y must be labels or .*\(rows, 4\), got shape \(2, 3\)",
    ),
    (SoftmaxCrossEntropy(), np.ones((2, 4, 1)), r"y must be labels or .* got shape \(2, 4, 1\)"),
    (
        SoftmaxCrossEntropy(),
        [[0.5, 0.6, 0, 0]],
        "soft targets must be >= 0 and sum to 1 in each row",
    ),
    (SoftmaxCrossEntropy(), [[1.5, -0.5, 0, 0]], "soft targets must be >= 0 and sum to 1"),
    (BinaryCrossEntropy(), np.full((2, 4), 1.5), r"y must be in \[0, 1\] .*, got 1.5 in row 0"),
    (BinaryCrossEntropy(), np.full((2, 4), -1), r"y must be in \[0, 1\] .*, got -1 in row 0"),
    (BinaryCrossEntropy(), [0, 1], r"y must have the shape \(rows, 4\), got \(2,\)"),
    (SquaredError(), np.ones((2, 3)), r"y must have the shape \(rows, 4\), got \(2, 3\)"),
    (SquaredError(), np.full((2, 4), np.inf), "y must be finite, got inf in row 0, column 0"),
    (AbsoluteError(), np.ones(4), r"y must have the shape \(rows, 4\), got \(4,\)"),
    (Huber(), [["a"] * 4], "y must be an array of real numbers, got dtype"),
    (GaussianNLL(), np.ones((3, 4)), r"y must have the shape \(rows, 2\), got \(3, 4\)"),
    (Pinball((0.1, 0.5)), np.ones((3, 4)), r"y must have the shape \(rows, 2\), got \(3, 4\)"),
    (Poisson(), np.full((2, 4), -1), "y must be >= 0 for Poisson, got -1 in row 0"),
    (SquaredError(), 3.0, r"y must be an array with at least one axis, got 3\.0"),
]


@pytest.mark.parametrize(("loss", "y", "message"), BAD_TARGETS, ids=[s for _, _, s in BAD_TARGETS])
def test_bad_targets_are_refused_in_one_sentence(loss, y, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        loss.targets(y, (K,))


@pytest.mark.parametrize(
    ("loss", "out", "message"),
    [
        (
            SoftmaxCrossEntropy(),
            (2, 2),
            r"must get outputs of shape \(rows, outputs\), got \(rows, 2, 2\)",
        ),
        (GaussianNLL(), (2, 2), r"must get outputs of shape \(rows, outputs\), got \(rows, 2, 2\)"),
        (GaussianNLL(), (3,), "must get an even number of outputs, got 3"),
        (Pinball((0.1, 0.9)), (3,), "must get a multiple of 2 outputs, got 3"),
    ],
    ids=str,
)
def test_outputs_that_do_not_fit_a_loss_are_refused(loss, out, message):
    with pytest.raises(ValueError, match=message):
        loss.targets(np.ones((5, 3)), out)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SoftmaxCrossEntropy(1.0),
            r"label_smoothing must be a number in \[0, 1\), got 1.0",
        ),
        (
            lambda: SoftmaxCrossEntropy(-0.1),
            r"label_smoothing must be a number in \[0, 1\), got -0.1",
        ),
        *(
            (
                lambda p=p: Pinball(p),
                r"quantile must be a number in \(0, 1\), or several that ascend",
            )
            for p in (0, 1, 1.5, math.nan, "0.5", None, True, (), (0.5, 0.5), (0.9, 0.1), (0.1, 1))
        ),
        (lambda: Huber(0.0), "delta must be a finite number > 0, got 0.0"),
        (lambda: Huber(math.inf), "delta must be a finite number > 0, got inf"),
    ],
)
def test_bad_settings_of_a_loss_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def test_absolute_error_and_huber_have_no_slope_where_they_are_exact():
    for loss in (AbsoluteError(), Huber(), Pinball(0.3)):
        assert_array_equal(loss(np.ones((2, 1)), np.ones((2, 1)))[1], np.zeros((2, 1)))


def test_the_best_constants_are_the_quantiles_of_the_targets(rng):
    levels, y = (0.1, 0.5, 0.9), rng.exponential(size=(4001, 1))
    loss = Pinball(levels)
    targets = loss.targets(y, (3,))
    best = np.quantile(y, levels)

    def at(values):
        return loss(np.tile(np.asarray(values), (len(y), 1)), targets)[0]

    for i in range(3):
        for less in (-0.05, 0.05):
            assert at(best) < at(best + less * np.eye(3)[i])


def test_quantiles_are_sorted_and_sorting_makes_no_loss_larger(rng):
    loss, z = Pinball((0.1, 0.4, 0.5, 0.95)), rng.normal(size=(500, 8))
    found = loss.ascending(z)
    assert found.shape == (500, 4, 2)
    assert (np.diff(found, axis=1) >= 0).all()
    targets = loss.targets(rng.normal(size=(500, 2)), (8,))
    before, _ = loss.rows(z, targets)
    after, _ = loss.rows(found.reshape(500, 8), targets)
    assert (after <= before + 1e-12).all()
    assert_allclose(loss.predict(z), found[:, 2])
    with_nan = np.where(rng.random(z.shape) < 0.1, np.nan, z)
    assert np.isnan(loss.rows(with_nan, targets)[1]).sum() == np.isnan(with_nan).sum()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_quantiles_are_those_of_the_reference(dtype, rng):
    """To the last bit in tests/engine/test_arithmetic.py."""
    X, y = rng.normal(size=(70, 3)), rng.normal(size=(70, 2))
    found = []
    for executor in ("compiled", "reference"):
        network = Network([Dense(6)], 3, seed=0, dtype=dtype, executor=executor)
        how = {"loss": Pinball((0.1, 0.5, 0.8)), "optimizer": SGD(0.5), "batch_size": 35}
        train(network, X, y, epochs=3, progress=False, **how)
        found.append(network.theta)
    assert_allclose(*found, rtol=1e-4 if dtype == "float32" else 1e-10, atol=1e-6)
