"""What the parts of an update hand on to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from thinnet.formulas.quantities import Quantity
from thinnet.network import Network
from thinnet.optimizers import Optimizer
from thinnet.passes import Run
from thinnet.tracing.sections import ByLayer, Section, by_layer, together


@dataclass(frozen=True, slots=True)
class How:
    """How a step moves parameters, as the plan of a training has it.

    Attributes
    ----------
    optimizer : Optimizer
    rate : float
        The learning rate of the step.
    state : NamedTuple of arrays
        The optimiser's, before the step.
    t : int
        The number of steps that the optimiser has taken before.
    penalised : float
        What penalties are multiplied by.
    clip_norm : float or None
    """

    optimizer: Optimizer
    rate: float
    state: Any
    t: int = 0
    penalised: float = 1.0
    clip_norm: float | None = None


@dataclass(eq=False, slots=True)
class Stage:
    """How far an update has come; the network, a copy, moves with it.

    Attributes
    ----------
    network : Network
    run : Run
    how : How
    theta, gradients : lists of lists of Quantity
        The parameters, and their gradients, as they stand now: for each layer a list.
    present : lists of lists of Quantity, or None
        1 for parameters that exist in this step and 0 for others; None if all do.
    sections : list of Section
    """

    network: Network
    run: Run
    how: How
    theta: ByLayer
    gradients: ByLayer
    present: ByLayer | None = None
    sections: list[Section] = field(default_factory=list)

    def of_gradient(self, word: str) -> ByLayer:
        """Quantities of the network's gradient as it stands now."""
        return by_layer(self.network, self.network.gradient, "gradient", word)

    def show(self, title: str, *lists: ByLayer, first: tuple[Quantity, ...] = ()) -> None:
        rest = [quantity for some in together(*lists) for quantity in some]
        self.sections.append(Section("update", title, [*first, *rest]))
