"""One network's pass over an encoded row, dropout off, and the trace of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.passes import Run
from thinnet.tracing import passing
from thinnet.tracing.passing import Batch, Taken
from thinnet.tracing.stepping import Step, opened
from thinnet.tracing.traces import Trace


def chosen(networks: Sequence[Network], member: int | Network) -> tuple[int | None, Network]:
    """One of some networks by its place, or another of the same form, which has no place.

    Raises
    ------
    ValueError
        If there is no such place, or the other takes other rows or has other outputs.
    """
    first = networks[0]
    if not isinstance(member, Network):
        place = checks.integer("member", member, 0, len(networks) - 1)
        return place, networks[place]
    same = (member.features, member.out) == (first.features, first.out)
    form = f"of {first.features} numbers a row and {first.out} outputs, as the model's networks"
    checks.must(same, "member", form, (member.features, member.out))
    return None, member


def trace_of(
    network: Network, row: Array, number: int, loss: Loss | None = None, target: Array | None = None
) -> Trace:
    """The trace of a prediction; with a target also of its loss and of the way back.

    Parameters
    ----------
    network : Network
        It stays as it is.
    row : array, shape (\\*features,)
    number : int
        The row's number in names.
    loss : Loss, optional
    target : array, shape (1,) or (1, outputs), optional
        As the head of an estimator has it.
    """
    ids = np.array([number], np.uint32)
    if loss is None or target is None:
        batch, loss = Batch(row[None], np.zeros(0)), None
    else:
        batch = Batch(row[None], loss.targets(target, network.out))
    return opened(network, Step(batch, Run.predict(), loss), ids)


def passed(network: Network, row: Array) -> Taken:
    """The forward pass by the textbook's formulas."""
    return passing.forward(network, row[None], Run.predict())


def slopes_at(taken: Taken, layer: int, of_outputs: Array) -> Array:
    """Derivatives by the outputs of a layer, shape (units, answers).

    Parameters
    ----------
    taken : Taken
    layer : int
        The layer's place.
    of_outputs : array, shape (outputs, answers)
        The derivatives of each answer by the network's outputs.
    """
    found = []
    for slope in of_outputs.T:
        passing.backward(taken, slope[None].astype(taken.outputs[-1].dtype))
        found.append(taken.slopes[layer + 1][0].astype(np.float64))
    return np.stack(found, axis=1)
