"""Probabilities, labels, numbers and weights that users give, checked and in float64."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import numpy as np

from thinnet import checks, sparse
from thinnet.arithmetic import lane_sum, total_weight
from thinnet.arrays import Array, Float

SUM_TOLERANCE: Final = 1e-4  # a softmax in float32 is this exact for thousands of classes

# A probability of 0 would have a logit of minus infinity; scikit-learn's log_loss has this limit.
SMALLEST: Final = float(np.finfo(np.float64).eps)


def probabilities(name: str, p: Any, ndim: int) -> Array:
    """`p` in float64 with its last axis, at least two classes, divided by its sum, about 1."""
    given = checks.finite(name, checks.numeric(name, p))
    checks.must(given.ndim == ndim, name, f"an array of {ndim} axes", given.shape)
    classes = given.shape[-1]
    checks.must(classes >= 2, name, "probabilities of at least 2 classes", given.shape)
    given = given.astype(np.float64)
    refuse(name, "in [0, 1]", given, (given < 0) | (given > 1))
    sums = np.asarray(lane_sum(np.moveaxis(given, -1, 0)))
    refuse(name, "probabilities that sum to 1", sums, np.abs(sums - 1) > SUM_TOLERANCE)
    return given / sums[..., None]


def refuse(name: str, allowed: str, values: Array, bad: Array) -> None:
    """Raise ValueError, with one sentence, for the first place where `bad` is true, if any."""
    if bad.any():
        where, place = checks.first_place(bad)
        raise ValueError(f"{name} must be {allowed}, got {values[where]} in {place}")


def class_places(y: Any, classes: Any) -> Array:
    """The place of each label of `y` among `classes`.

    Raises
    ------
    ValueError
        If `y` is not one label a row, is empty, or holds a label that is not a class.
    """
    given, known = checks.array("y", y), np.asarray(classes).tolist()
    checks.must(given.ndim == 1 and given.size > 0, "y", "one label a row", given.shape)
    place_of = {label: place for place, label in enumerate(known)}
    checks.must(len(place_of) == len(known), "labels", "different from each other", known)
    labels = given.tolist()
    places = np.array([place_of.get(label, -1) for label in labels])
    if (unknown := places < 0).any():
        row = int(unknown.argmax())
        raise ValueError(f"y must hold labels among {known}, got {labels[row]!r} in row {row}")
    return places


def indicators(y: Any, n_classes: int) -> Array:
    """The labels of each row as 0s and 1s, shape (rows, n_classes); `y` may be sparse.

    Raises
    ------
    ValueError
        If `y` has another width, or holds other values.
    """
    given = checks.numeric("y", sparse.dense(sparse.own_rows("y", y)))
    right = given.ndim == 2 and given.shape[1] == n_classes
    checks.must(right, "y", f"an array of shape (rows, {n_classes})", given.shape)
    refuse("y", "0 or 1", given, (given != 0) & (given != 1))
    return given


def labelled(y: Any, proba: Any, labels: Any = None) -> tuple[Array, Array]:
    """Places of the true classes, shape (rows,), and probabilities, shape (rows, classes)."""
    p = probabilities("proba", proba, 2)
    n_classes = p.shape[1]
    classes = np.arange(n_classes) if labels is None else checks.array("labels", labels)
    right = classes.shape == (n_classes,)
    checks.must(right, "labels", f"{n_classes} labels, one a column of proba", classes.shape)
    return checks.same_length("y", class_places(y, classes), "proba", len(p)), p


def one_number_a_row(name: str, values: Any) -> Float[Array, " rows"]:
    """`values` in float64, finite and of one axis."""
    given = checks.finite(name, checks.numeric(name, values))
    checks.must(given.ndim == 1, name, "one number a row", given.shape)
    return given.astype(np.float64)


def row_weights(sample_weight: Any, rows: int) -> Float[Array, " rows"]:
    """The weights divided by their sum; equal ones for None."""
    if sample_weight is None:
        return np.full(rows, 1 / rows)
    weights = one_number_a_row("sample_weight", sample_weight)
    checks.same_length("sample_weight", weights, "y", rows)
    refuse("sample_weight", ">= 0", weights, weights < 0)
    checks.must(weights.any(), "sample_weight", "positive in some row", "only zeros")
    return weights / total_weight(weights)


def as_written(fraction: float) -> Fraction:
    """`fraction` as the decimal number that it prints as, exactly: 1 - 0.9 is then 0.1."""
    return Fraction(str(fraction))
