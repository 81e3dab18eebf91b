"""What pictures ask of a model: an estimator, a network, or a moment of a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, Rows, TargetLike
from thinnet.displays.estimators import (
    fitted_and_before,
    of_one_label,
    of_one_number,
)
from thinnet.losses import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy, SquaredError, loss_for
from thinnet.network import Network, summary
from thinnet.uncertainty.draws.drawn import entering
from thinnet.uncertainty.draws.heads import ClassHead


@dataclass(frozen=True)
class Model:
    """A model's predictions.

    Parameters
    ----------
    labels : array, shape (classes,), or None
        The classes; None for numbers.
    name : str
        What is predicted.
    networks : sequence of Network
    before : callable
        Makes of rows what `clean`, `sample` and `entering` take: the first steps of a pipeline.
    clean : callable
        The predictions of rows with dropout off, shape (rows, classes or 1).
    sample : callable
        Those of so many draws, shape (n_draws, rows, classes or 1).
    entering : callable
        Rows as the networks take them.
    """

    labels: Array | None
    name: str
    networks: Sequence[Network]
    before: Callable[[Any], Any]
    clean: Callable[[Any], Array]
    sample: Callable[[Any, int], Array]
    entering: Callable[[Any], Any]

    @property
    def draws(self) -> bool:
        """Whether its draws differ."""
        return len(self.networks) > 1 or self.drops

    @property
    def drops(self) -> bool:
        """Whether a network has random masks or noise."""
        return any(map(summary.has_random_masks, self.networks))


def of_estimator(estimator: Any) -> Model:
    """A fitted classifier of one label or regressor of one number, or a pipeline."""
    last, before = fitted_and_before(estimator)
    of_classes = isinstance(last.head_, ClassHead)
    (of_one_label if of_classes else of_one_number)(last)
    predict = last.predict_proba if of_classes else last.predict
    sample = last.sample_proba if of_classes else last.sample
    return Model(
        labels=last.head_.classes if of_classes else None,
        name=last.head_.name,
        networks=networks_of(last),
        before=before,
        clean=lambda rows: np.asarray(predict(rows), np.float64).reshape(len(rows), -1),
        sample=lambda rows, n: np.asarray(sample(rows, n, progress=False), np.float64),
        entering=lambda rows: entering(last, rows),
    )


def networks_of(last: Any) -> list[Network]:
    """The networks of a fitted estimator."""
    return list(last.networks_) if hasattr(last, "networks_") else [last.network_]


def network_in(given: Any) -> Network:
    """A network, or that of a moment of a recording."""
    network = given if isinstance(given, Network) else getattr(given, "network", None)
    fits = isinstance(network, Network)
    checks.must(fits, "network", "a Network or a moment of a recording", type(given).__name__)
    assert isinstance(network, Network)
    return network


def of_network(given: Any, y: TargetLike, loss: Loss | None) -> Model:
    """A network whose outputs mean what they do for `loss`."""
    network = network_in(given)
    checks.must(len(network.out) == 1, "network", "one with outputs of one axis", network.out)
    how = _loss_of(network, y) if loss is None else loss
    checks.of_kind("loss", how, Loss)
    of_classes = isinstance(how, SoftmaxCrossEntropy | BinaryCrossEntropy)

    def predicted(outputs: Rows) -> Array:
        p = np.asarray(how.predict(outputs), np.float64)
        return np.hstack([1 - p, p]) if of_classes and p.shape[1] == 1 else p

    _check_outputs(network, how, predicted)
    k = max(network.out[0], 2)
    return Model(
        labels=np.arange(k) if of_classes else None,
        name="output",
        networks=[network],
        before=lambda rows: rows,
        clean=lambda rows: predicted(network.outputs(rows)),
        sample=lambda rows, n: np.stack([*map(predicted, network.sample(rows, n, progress=False))]),
        entering=lambda rows: rows,
    )


def _loss_of(network: Network, y: TargetLike) -> Loss:
    """The loss that targets and outputs suggest."""
    suggested = None if y is None else loss_for(y)
    if network.out == (1,):
        labels = isinstance(suggested, SoftmaxCrossEntropy)
        return BinaryCrossEntropy() if labels else SquaredError()
    return SoftmaxCrossEntropy() if suggested is None else suggested


def _check_outputs(network: Network, loss: Loss, predicted: Callable[[Rows], Array]) -> None:
    """ValueError unless a row has one label or one number."""
    several = isinstance(loss, BinaryCrossEntropy) and network.out != (1,)
    checks.must(not several, "network", "one of one label a row", network.out)
    if not isinstance(loss, SoftmaxCrossEntropy | BinaryCrossEntropy):
        width = predicted(np.zeros((1, *network.out), network.dtype)).shape[1]
        checks.must(width == 1, "network", "one that predicts one number a row", width)


def labels_of(y: TargetLike) -> TargetLike:
    """Labels for points: one-hot rows as the places of their ones."""
    rows = None if y is None else np.asarray(y)
    return rows.argmax(axis=1) if rows is not None and rows.ndim == 2 and rows.shape[1] > 1 else y
