"""What a layer, a loss or an optimiser is given to explain its part of a training step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from thinnet import masks
from thinnet.arrays import Array
from thinnet.formulas.naming import Name, text
from thinnet.formulas.quantities import Kind, Quantity
from thinnet.formulas.trees import Index, Node, cases, node, total


@dataclass(eq=False, slots=True)
class LayerPart:
    """The numbers of one layer in one step; its `explain` gives them formulas.

    Attributes
    ----------
    site : Site
    run : Run
    cache : object
        What the forward pass handed on to the backward pass.
    number : str
        The layer's place in its network, as it stands in names.
    x, y : Quantity
        Input and output.
    dx, dy : Quantity
        The loss's derivatives by them.  The formula of `dy` belongs to the layer behind.
    p, g, s : NamedTuple of Quantity
        Parameters, their gradients and the state, by the layer's own names.
    forward, backward : list of Quantity
        What `explain` has made besides, in the order of the passes.
    """

    site: Any
    run: Any
    cache: Any
    number: str
    x: Quantity
    y: Quantity
    dx: Quantity
    dy: Quantity
    p: Any
    g: Any
    s: Any
    forward: list[Quantity] = field(default_factory=list)
    backward: list[Quantity] = field(default_factory=list)

    @property
    def has_slopes(self) -> bool:
        """Whether there was a way back."""
        return self.dy.values.size > 0

    def make(
        self, word: str, values: Array, kind: Kind, *, by_rows: bool = True, mark: str = ""
    ) -> Quantity:
        """A further array of the forward pass; the mark "+" stands for behind the step."""
        key = Name(word, self.number, mark=mark)
        found = Quantity(key, values, kind, int(self.number), by_rows)
        self.forward.append(found)
        return found

    def make_inside(self, word: str, values: Array, kind: Kind) -> Quantity:
        """A further array of the forward pass, with a number for each input, not for each unit."""
        found = self.make(word, values, kind)
        found.of_units = False
        return found

    def setting(self, word: str, value: float) -> Quantity:
        """A single number that the layer's settings give."""
        return self.make(word, np.array(float(value)), "setting", by_rows=False)

    def make_back(self, word: str, values: Array, *, by_rows: bool = True) -> Quantity:
        """A further array of the backward pass: the derivative by `word`."""
        key = Name("E", of=Name(word, self.number))
        found = Quantity(key, values, "gradient", int(self.number), by_rows)
        self.backward.append(found)
        return found

    def elementwise(
        self, value: Callable[[Node], Node], slope: Callable[[Node, Node], Node]
    ) -> None:
        """Say that ``y = value(x)`` and ``dx = dy * slope(x, y)`` for each number by itself."""
        x, y, dy = self.x, self.y, self.dy
        y.each(lambda at: value(x[at]))
        self.dx.each(lambda at: dy[at] * slope(x[at], y[at]))


def explain_mask(part: LayerPart, mask: Quantity, rate: float, draws: Array) -> None:
    """Say of each number of a mask by which draw it is dropped or kept, if it takes one."""
    limit = masks.threshold(rate)
    if limit in (0, masks.LEVELS):
        mask.by(lambda *at: node(float(limit == 0)))
        return
    part.forward.remove(mask)
    draw = part.make("draw", draws.astype(np.float64), "random", by_rows=mask.by_rows)
    draw.of_units = mask.of_units
    threshold = part.setting("threshold", limit)
    mask.each(lambda at: cases((1, draw[at], ">=", threshold[()]), otherwise=0))
    part.forward.append(mask)


def places(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The places of an array, in the order of its memory."""
    return product(*map(range, shape))


@dataclass(eq=False, slots=True)
class LossPart:
    """The numbers of a loss in one step; the loss's `explain` gives them formulas.

    Attributes
    ----------
    z, t : Quantity
        The network's outputs, and targets as the loss takes them: labels or an array like `z`.
    share : Quantity
        What each row counts for: its weight, over the weight of all rows.
    losses : Quantity
        The loss of each row.
    mean : Quantity
        The loss of the batch.
    dz : Quantity
        The derivative of `mean` by the outputs.
    made : list of Quantity
        What `explain` has made besides.
    """

    z: Quantity
    t: Quantity
    share: Quantity
    losses: Quantity
    mean: Quantity
    dz: Quantity
    made: list[Quantity] = field(default_factory=list)

    def make(self, word: str, values: Array) -> Quantity:
        """A further array with a number for each output of each row."""
        found = Quantity(Name(word), values, "output", None, by_rows=True)
        self.made.append(found)
        return found

    def rows(self, loss: Callable[[int], Node], slope: Callable[..., Node]) -> None:
        """Say what the loss of a row is, and its derivative by the number at a place of `z`."""
        share, losses = self.share, self.losses
        losses.by(loss)
        n = range(len(losses.values))
        self.mean.by(lambda: total(share[i] * losses[i] for i in n))
        self.dz.by(lambda *at: share[at[0]] * slope(*at))

    def mean_of_outputs(
        self, each: Callable[[Node, Node], Node], slope: Callable[[Node, Node], Node]
    ) -> None:
        """Say what the loss of one output is, of which a row's loss is the mean, and its slope."""
        z, t = self.z, self.t
        inside = z.shape[1:]
        n = math.prod(inside)

        def mean(formula: Node) -> Node:
            return formula / n if n > 1 else formula

        self.rows(
            lambda i: mean(total(each(z[i, *at], t[i, *at]) for at in places(inside))),
            lambda *at: mean(slope(z[at], t[at])),
        )


@dataclass(eq=False, slots=True)
class UpdatePart:
    """The numbers of an optimiser's step over one array of parameters.

    Attributes
    ----------
    theta, gradient, new : Quantity
        The parameters before, their gradient as the optimiser gets it, and the parameters after.
    rate : Quantity
        The learning rate, a single number.
    before, after : NamedTuple of Quantity
        The optimiser's state, by its own names.
    t : Quantity
        The number of the step, counted from 1: one for all, or one for each parameter where some
        are absent from steps.
    made : list of Quantity
        What `explain` has made besides.
    """

    theta: Quantity
    gradient: Quantity
    new: Quantity
    rate: Quantity
    before: Any
    after: Any
    t: Quantity
    made: list[Quantity] = field(default_factory=list)

    def count(self, at: Index) -> Node:
        """`t` of the parameter at a place."""
        return self.t[at if self.t.shape else ()]

    def make(self, word: str, values: Array) -> Quantity:
        """A further array, of the shape of the parameters."""
        key = Name(word, text(self.theta.key))
        found = Quantity(key, values, "moment", self.theta.layer)
        self.made.append(found)
        return found


@dataclass(eq=False, slots=True)
class PenaltyPart:
    """The numbers of a layer's penalty in its own form; its `explain_penalty` gives formulas.

    Attributes
    ----------
    site : Site
    p : NamedTuple of Quantity
        The layer's parameters.
    before, after : NamedTuple of Quantity
        Their gradients without and with the penalty's.
    factor : float
        What the penalty is multiplied by in the gradient.
    value : Quantity
        The penalty.
    """

    site: Any
    p: Any
    before: Any
    after: Any
    factor: float
    value: Quantity
