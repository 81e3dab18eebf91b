"""The answer for a row: of each network, their mean, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_mean, normal_quantile
from thinnet.arrays import Array, FittedEstimator
from thinnet.checks import NothingDrawsError
from thinnet.engine.threads import limited
from thinnet.network import Network
from thinnet.tables import drifting
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.distributions import central
from thinnet.uncertainty.draws.heads import ClassHead, Head

STEP: Final = 1e-5  # of central differences, whose error is of its square
OF_CLASSES: Final = (
    "predictive_entropy",
    "expected_entropy",
    "mutual_information",
    "variation_ratio",
)
OF_NUMBERS: Final = ("mean", "std", "epistemic", "aleatoric")


@dataclass(frozen=True, eq=False)
class Answer:
    """What networks answer for a row, and together.

    Attributes
    ----------
    names : tuple of str
        Of the answers: the classes, whose probabilities they are, or the targets.
    outputs : array, shape (networks, outputs)
        Raw.
    members : array of float64, shape (networks, answers)
        Probabilities, or numbers in the target's own units.
    mean : array of float64, shape (answers,)
        What `predict_proba` or `predict` gives: of numbers the mean in the networks' units, brought
        back to the target's own.
    label : object
        The predicted class; None of numbers.
    places : tuple of int
        The answers that are explained: the predicted class, or all targets.
    """

    names: tuple[str, ...]
    outputs: Array
    members: Array
    mean: Array
    label: Any
    places: tuple[int, ...]

    @property
    def explained(self) -> Array:
        """The answers that are explained, shape (n_places,)."""
        return self.mean[list(self.places)]


@dataclass(frozen=True, eq=False)
class ErrorBar:
    """How sure an answer is, by draws with dropout on.

    Attributes
    ----------
    n_draws : int
    measures : dict of arrays, shape (answers,) or (1,)
        As `uncertainty` has them; of classes `std` of each class.
    coverage : float
        That of `interval`.
    interval : array, shape (2, answers), or None
        The ends; None of classes.
    errors : array, shape (2, answers), or None
        The ends as errors over the standard deviation of the draws and their noise, by the shape of
        errors on rows held out; None where there is no calibration.
    scores : array, shape (2,)
        The same ends of a normal distribution.
    """

    n_draws: int
    measures: dict[str, Array]
    coverage: float
    interval: Array | None
    errors: Array | None
    scores: Array


def answer_of(estimator: FittedEstimator, row: Array) -> Answer:
    """The answer for an encoded row, with the bits of `predict`.

    Parameters
    ----------
    estimator : TableClassifier or TableRegressor
    row : array, shape (slots,)
    """
    head = estimator.head_
    outputs = outputs_of(estimator, row[None])[:, 0]
    mean = answers(head, together(head, outputs[:, None]))[0]
    members = answers(head, head.predict(outputs).astype(np.float64))
    if isinstance(head, ClassHead):
        place = int(head.places(mean[None])[0])
        names = tuple(map(str, head.classes))
        return Answer(names, outputs, members, mean, head.classes[place], (place,))
    n = head.n_outputs
    names = (head.name,) if n == 1 else tuple(f"{head.name} {i}" for i in range(n))
    return Answer(names, outputs, members, mean, None, tuple(range(n)))


def outputs_of(estimator: FittedEstimator, rows: Array) -> Array:
    """Raw outputs of each network for encoded rows, shape (networks, rows, outputs)."""
    networks: Sequence[Network] = estimator.networks_
    with limited(estimator.n_threads):
        return np.stack([network.outputs(rows) for network in networks])


def together(head: Head, outputs: Array) -> Array:
    """The mean prediction of networks, in their units, from (networks, rows, outputs)."""
    each = head.predict(outputs.reshape(-1, outputs.shape[-1])).astype(np.float64)
    return np.asarray(lane_mean(each.reshape(*outputs.shape[:2], -1)))


def answers(head: Head, predicted: Array) -> Array:
    """Probabilities, or numbers in the target's own units, of predictions of float64."""
    return predicted if isinstance(head, ClassHead) else head.units.back(predicted)


def slopes_of(head: Head, outputs: Array, places: Sequence[int]) -> Array:
    """Derivatives of some answers by a network's outputs, shape (outputs, n_places).

    They are central differences in float64, exact where an answer is linear in the outputs.
    """
    steps = STEP * np.eye(len(outputs))
    z = outputs.astype(np.float64)
    above, below = (answers(head, head.predict(each)) for each in (z + steps, z - steps))
    return (above - below)[:, list(places)] / (2 * STEP)


class Bars(NamedTuple):
    """The number of draws, at least 2, and the coverage of intervals for numbers, in (0, 1)."""

    n_draws: int = 100
    coverage: float = 0.9

    def checked(self) -> Bars:
        checks.integer("n_draws", self.n_draws, 2)
        checks.inside("coverage", self.coverage)
        return self


def error_bar_of(estimator: FittedEstimator, frame: Frame, bars: Bars) -> ErrorBar | None:
    """How sure the answer for a row is; None where nothing draws, or one quantile is learned.

    Parameters
    ----------
    estimator : TableClassifier or TableRegressor
    frame : pandas.DataFrame
        One row.
    bars : Bars
    """
    n_draws, coverage = bars
    head = estimator.head_
    of_classes = isinstance(head, ClassHead)
    if not of_classes and not head.has_distributions:
        return None
    scores = np.asarray(normal_quantile(np.array(central(coverage))))
    with drifting.reported_to(drifting.ignored):
        try:
            found = estimator.uncertainty(frame, n_draws, progress=False)
        except NothingDrawsError:
            return None
        names = ("std", *OF_CLASSES) if of_classes else OF_NUMBERS
        measures = {name: np.atleast_1d(getattr(found, name)[0]) for name in names}
        n = int(found.n_draws[0])
        if of_classes:
            return ErrorBar(n, measures, coverage, None, None, scores)
        ends = estimator.predict_interval(frame, coverage, n_draws=n_draws, progress=False)
    errors = None if head.shape is None else head.shape.at(scores)
    return ErrorBar(n, measures, coverage, ends[0].reshape(2, -1), errors, scores)
