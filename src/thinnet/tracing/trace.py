"""`trace`: one training step of a network with every number, its formula and its origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from thinnet import checks, masks
from thinnet.arrays import Ids
from thinnet.formulas.explaining import places
from thinnet.formulas.quantities import Quantity
from thinnet.losses import Loss, loss_for
from thinnet.network import Network
from thinnet.optimizers import Optimizer
from thinnet.passes import Run
from thinnet.tracing import passing
from thinnet.tracing.building import Section, build
from thinnet.tracing.names import PaperNames, PlaceNames
from thinnet.tracing.numbers import DIGITS, Number
from thinnet.tracing.updating import How, Update

GIVEN = ("input", "target", "sample weight", "parameter", "state", "setting", "random")
Names = Literal["paper"] | None


class Trace:
    """A step with all its numbers; made by `trace`.

    Attributes
    ----------
    sections : list of Section
        The parts of the step in their order: layers forward, the loss, layers backward, the update.
    names : PlaceNames
    ids : array
        The ids of the batch's rows.
    show : array
        The ids of the rows whose numbers are printed.
    """

    def __init__(
        self, sections: Sequence[Section], names: PlaceNames, ids: Ids, show: Ids, digits: int
    ) -> None:
        self.sections, self.names = list(sections), names
        self.ids, self.show, self.digits = ids, show, digits

    def __getitem__(self, name: str) -> Number:
        """The number of a name, such as ``"dE/dW1[2, 0]"`` or on paper ``"dE/dw5"``."""
        quantity, index = self.names.find(name)
        if index is None:
            raise KeyError(f"{name} is an array of shape {quantity.shape}: name one of its numbers")
        return Number(quantity, index, self.names, self.digits)

    @property
    def quantities(self) -> list[Quantity]:
        return list(dict.fromkeys(q for section in self.sections for q in section.quantities))

    def check(self, tolerance: float = 1e-12) -> int:
        """Evaluate every formula again and hold it against forward, backward and update.

        Returns
        -------
        int
            The number of formulas.

        Raises
        ------
        AssertionError
            If one differs from its number by more than `tolerance`, relative to numbers above 1.
        """
        n = 0
        for quantity in self.quantities:
            if quantity.element is None:
                continue
            for index in places(quantity.shape):
                one = Number(quantity, index, self.names, self.digits)
                found, value = one.computed, one.value
                if not abs(found - value) <= tolerance * max(1.0, abs(value)):
                    raise AssertionError(
                        f"{one.name} is {value!r}, but its formula gives {found!r}"
                    )
                n += 1
        return n

    def __str__(self) -> str:
        return "\n\n".join(self._section(section) for section in self.sections)

    def _section(self, section: Section) -> str:
        rows = [(n.name, n) for q in section.quantities for n in self._shown(q)]
        if not rows:
            return section.title
        wide = max(len(name) for name, _ in rows)
        lines = [f"  {name:<{wide}}{str(n)[len(name) :]}" for name, n in rows]
        return "\n".join([section.title, *lines])

    def _shown(self, quantity: Quantity) -> list[Number]:
        """The numbers of the rows that are shown."""
        by_rows = quantity.by_rows and len(quantity.values) == len(self.ids)
        shown = set(self.show.tolist())
        return [
            Number(quantity, index, self.names, self.digits)
            for index in places(quantity.shape)
            if not by_rows or int(self.ids[index[0]]) in shown
        ]


def trace(
    network: Network,
    x: Any,
    y: Any = None,
    *,
    step: int | None = None,
    samples: Any = None,
    show: Any = None,
    optimizer: Optimizer | None = None,
    loss: Loss | None = None,
    names: Names = None,
) -> Trace:
    """One training step, forward, loss, backward and update, with every number and its formula.

    Parameters
    ----------
    network : Network
        It stays as it is.
    x : array, shape (rows, *features)
        The whole batch.
    y : array, optional
        The targets; without them there is a forward pass alone.
    step : int, optional
        The step whose masks are taken; the network's next one by default.
    samples : sequence of int, optional
        The ids of the rows; their numbers from 0 by default.
    show : sequence of int, optional
        The ids of the rows whose numbers are printed; all by default.
    optimizer : Optimizer, optional
        With it the step ends with an update, from the optimiser's first state.
    loss : Loss, optional
        By default the one that `train` takes for such targets.
    names : None or "paper"
        None: by place, as ``W1[2, 0]``; "paper": as ``w5``.

    Raises
    ------
    ValueError
        If an argument doesn't fit the network.
    """
    checks.one_of("names", names, (None, "paper"))
    rows = len(network.fitting(x))
    ids = masks.row_ids(samples, rows, "x")
    shown = ids if show is None else masks.sample_ids(show)
    for one in shown.tolist():
        checks.must(one in ids, "show", "ids of the batch's rows", one)
    number = network.clock.step if step is None else step
    run = Run.train(number, ids)
    taken = passing.forward(network, x, run)
    if y is None:
        sections = build(taken, None, None, None).sections
        return _traced(sections, taken, ids, shown, names)
    loss = loss_for(y) if loss is None else loss
    targets = loss.targets(y, network.out)
    of_loss = passing.measured(taken, loss, targets, None)
    passing.backward(taken, of_loss.slope)
    pages = build(taken, loss, targets, of_loss)
    sections = pages.sections
    if optimizer is not None:
        rate = optimizer.learning_rate
        at = rate if isinstance(rate, float | int) else rate.at(number)
        how = How(optimizer, float(at), optimizer.start(taken.network.theta), t=0)
        sections += Update(taken.network, run, how, pages.slopes).take()
    return _traced(sections, taken, ids, shown, names)


def _traced(
    sections: Sequence[Section], taken: passing.Taken, ids: Ids, show: Ids, names: Names
) -> Trace:
    quantities = [q for section in sections for q in section.quantities]
    layers = taken.network.layers
    found = PaperNames(quantities, ids, layers) if names else PlaceNames(quantities, ids)
    return Trace(sections, found, ids, np.asarray(show), DIGITS)
