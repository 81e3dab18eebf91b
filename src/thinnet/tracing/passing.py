"""A pass of a copied network by the textbook's formulas, with all of its arrays kept."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thinnet.arithmetic import total_weight
from thinnet.arrays import Array, Rows, Weights
from thinnet.losses import Loss
from thinnet.losses.base import relative_weights
from thinnet.network import Network
from thinnet.passes import Pass, Run, Site


@dataclass(eq=False, slots=True)
class Taken:
    """The arrays of a pass.

    Attributes
    ----------
    network : Network
        A copy; behind the way back its gradient is that of the batch's mean loss.
    run : Run
    x : array
        The input.
    outputs : list of array
        Of each layer.
    latest : Pass
        With each layer's cache.
    states : list
        The running statistics of each layer before the pass.
    slopes : list of array
        The mean loss's derivatives by the input and by the outputs of each layer; empty without a
        way back.
    """

    network: Network
    run: Run
    x: Rows
    outputs: list[Rows]
    latest: Pass
    states: list[Any]
    slopes: list[Rows] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Batch:
    """The rows of a step, as the network and the loss take them.

    Attributes
    ----------
    x : array or sparse matrix, shape (rows, *features)
    targets : array
    weights : array or None
        What each row counts for.
    factor : float
        What the mean loss is multiplied by.
    """

    x: Any
    targets: Array
    weights: Weights | None = None
    factor: float = 1.0


@dataclass(eq=False, slots=True)
class Measured:
    """The loss of a pass: of each row, what each counts for, and their mean with its slope."""

    batch: Batch
    losses: Array
    share: Array
    mean: float
    slope: Rows


def forward(network: Network, x: Any, run: Run) -> Taken:
    """The forward pass of a copy of a network, which stays as it is."""
    own = copy.deepcopy(network)
    states, outputs = copy.deepcopy([site.s for site in own.sites]), list[Rows]()

    def keep(site: Site, y: Rows) -> None:
        outputs.append(np.array(y))

    rows = own.entering(x)
    _, latest = own.forward(rows, run, keep)
    return Taken(own, run, rows, outputs, latest, states)


def measured(taken: Taken, loss: Loss, batch: Batch) -> Measured:
    """The loss of the outputs."""
    z, weights = taken.outputs[-1], batch.weights
    rows = float(len(z)) if weights is None else total_weight(weights) or 1.0
    divisor = rows / batch.factor
    mean, slope = loss(z, batch.targets, weights, divisor)
    losses, _ = loss.rows(z, batch.targets)
    share = relative_weights(len(losses), weights, divisor)
    return Measured(batch, losses, share, mean, slope)


def backward(taken: Taken, slope: Rows) -> None:
    """The way back, which fills `slopes` and the network's gradient."""
    slopes = [np.array(slope)]

    def keep(site: Site, dy: Rows) -> None:
        slopes.append(dy)

    dx = taken.network.backward(taken.latest, slope, keep)
    taken.slopes = [np.array(dx), *(np.array(dy) for dy in reversed(slopes[1:]))]
