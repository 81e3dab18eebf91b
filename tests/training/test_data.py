"""The data of a training."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_trainings import CLASSES, FEATURES, ROWS, layers, network, problem

from thinnet import BatchNorm, Dense, Network, SquaredError, train


def with_value(value, row=3, column=2):
    X, _ = problem()
    X[row, column] = value
    return X


Y = problem()[1]


BAD_DATA = {
    "NaN": (with_value(np.nan), Y, r"X must be finite, got nan in row 3, column 2"),
    "infinity": (with_value(-np.inf), Y, r"X must be finite, got -inf in row 3, column 2"),
    "wrong width": (np.ones((ROWS, 4)), Y, r"takes \(rows, 5\) arrays, got \(20, 4\)"),
    "one axis": (np.ones(5), np.ones(5, int), r"takes \(rows, 5\) arrays, got \(5,\)"),
    "no rows": (np.ones((0, 5)), Y[:0], r"X must not be empty, got shape \(0, 5\)"),
    "a scalar": (np.array(1.0), Y, r"X must be an array with at least one axis, got array\(1\.\)"),
    "a NaN alone": (float("nan"), Y, r"X "),
    "words": (np.full((ROWS, 5), "a"), Y, r"X must be an array of real numbers, got dtype <U1"),
    "nothing": (None, Y, r"X must be an array with at least one axis, got None"),
    "complex": (np.ones((ROWS, 5), complex), Y, r"X must be .* real numbers, got dtype complex"),
    "too few labels": (problem()[0], Y[:-1], r"y must have as many rows as X, got 19 and 20"),
    "no labels": (problem()[0], Y[:0], r"y must not be empty"),
    "label too large": (
        problem()[0],
        np.r_[Y[:-1], 3],
        r"labels must be .* 0 to 2, got 3 in row 19",
    ),
    "label below 0": (problem()[0], np.r_[-1, Y[1:]], r"labels must be .* 0 to 2, got -1 in row 0"),
    "words for labels": (problem()[0], Y.astype(str), r"y must be an array of real numbers"),
    "targets too narrow": (problem()[0], Y / 2, r"y must have the shape \(rows, 3\), got \(20,\)"),
    "NaN in targets": (
        problem()[0],
        np.where(np.arange(60).reshape(20, 3) == 4, np.nan, 1.0),
        r"y must be finite, got nan in row 1, column 1",
    ),
}


@pytest.mark.parametrize(("X", "y", "message"), BAD_DATA.values(), ids=BAD_DATA)
@pytest.mark.usefixtures("untyped")
def test_bad_data_is_refused_in_one_sentence(X, y, message):
    net = network()
    with pytest.raises(ValueError, match=message) as caught:
        train(net, X, y, progress=False)
    assert "\n" not in str(caught.value)
    assert_array_equal(net.theta, network().theta)


BAD_WEIGHTS = {
    "negative": (np.r_[-1.0, np.ones(19)], r"sample_weight must be >= 0 everywhere, got .*-1"),
    "all zero": (np.zeros(20), r"sample_weight must be above 0 somewhere, got 0"),
    "too few": (np.ones(19), r"sample_weight must have as many rows as X, got 19 and 20"),
    "NaN": (np.r_[np.ones(19), np.nan], r"sample_weight must be finite, got nan in row 19"),
    "two axes": (np.ones((20, 2)), r"sample_weight must be one-dimensional, got \(20, 2\)"),
    "a number": (2.0, r"sample_weight must"),
    "words": (["a"] * 20, r"sample_weight must be an array of real numbers"),
}


@pytest.mark.parametrize(("weights", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
@pytest.mark.usefixtures("untyped")
def test_bad_weights_are_refused_in_one_sentence(weights, message):
    with pytest.raises(ValueError, match=message):
        train(network(), *problem(), sample_weight=weights)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (range(19), r"samples must have as many rows as X, got 19 and 20"),
        (range(-1, 19), r"samples must be integers from 0 .*, got -1"),
        (np.arange(20.0), r"samples must be a sequence of integers"),
        (range(2**32 - 20, 2**32), r"samples must be integers .*, got 4294967295"),
    ],
    ids=["too few", "negative", "floats", "reserved"],
)
def test_bad_ids_are_refused_in_one_sentence(ids, message):
    with pytest.raises(ValueError, match=message):
        train(network(), *problem(), samples=ids)


BAD_VALIDATION = {
    "NaN": ((with_value(np.nan), Y), r"validation X must be finite, got nan in row 3, column 2"),
    "too few labels": ((problem()[0], Y[:3]), r"validation y must have as many rows .* 3 and 20"),
    "label too large": ((problem()[0], Y + 1), r"validation.*labels must be .* 0 to 2, got 3"),
    "wrong width": ((np.ones((20, 4)), Y), r"takes \(rows, 5\) arrays, got \(20, 4\)"),
    "empty": ((np.ones((0, 5)), Y[:0]), r"validation X must not be empty"),
    "X alone": ((problem()[0],), r"validation must be"),
    "four things": ((*problem(), np.ones(ROWS), 1), r"validation must be"),
    "a weight below 0": ((*problem(), -np.ones(ROWS)), r"sample_weight must be >= 0"),
    "a number": (0.1, r"validation must be"),
}


@pytest.mark.parametrize(("validation", "message"), BAD_VALIDATION.values(), ids=BAD_VALIDATION)
@pytest.mark.usefixtures("untyped")
def test_bad_validation_data_is_refused_in_one_sentence(validation, message):
    with pytest.raises(ValueError, match=message):
        train(network(), *problem(), validation=validation)


def test_a_float64_value_too_large_for_the_network_is_refused_with_its_place():
    net = Network(layers(), features=FEATURES, seed=0, dtype=np.float32)
    with pytest.raises(ValueError, match=r"X .*row 3, column 2"):
        train(net, with_value(1e300), Y)


def test_batchnorm_says_that_one_row_is_too_few():
    net = network([BatchNorm(), Dense(CLASSES)])
    with pytest.raises(ValueError, match="at least 2 values per feature, got 1"):
        train(net, *problem(1))


def test_targets_of_another_kind_than_the_loss_are_refused():
    with pytest.raises(ValueError, match=r"y must have the shape \(rows, 3\)"):
        train(network(), *problem(), loss=SquaredError())
