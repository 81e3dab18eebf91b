"""What becomes of a gradient: penalties, absence, clipping, the optimiser's step and max-norm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from thinnet.arrays import Array, Flat
from thinnet.formulas.explaining import UpdatePart, places
from thinnet.formulas.naming import Name
from thinnet.formulas.quantities import Kind, Quantity
from thinnet.formulas.trees import SIGN, SQRT, cases, total
from thinnet.layers import Dense
from thinnet.network import Network
from thinnet.optimizers import Optimizer
from thinnet.optimizers.base import clip_norm as clip
from thinnet.passes import Run
from thinnet.tracing.building import Section
from thinnet.training.penalties import add_penalty_gradient, limit_norms


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


def parts_of(network: Network, flat: Flat) -> list[Any]:
    """A flat vector as the sites' parameters lie in it: copies, in their NamedTuples."""
    before = network.theta.copy()
    network.theta[:] = flat
    found = [type(site.p)(*map(np.array, site.p)) if site.p else () for site in network.sites]
    network.theta[:] = before
    return found


def quantities(network: Network, flat: Flat, word: str, kind: Kind) -> list[list[Quantity]]:
    """For each layer a quantity for each of its parameters; `word` stands before their names."""
    return [
        [
            Quantity(Name(word, f"{name}{i + 1}") if word else Name(name, str(i + 1)), v, kind, i)
            for name, v in (zip(views._fields, views, strict=True) if views else ())
        ]
        for i, views in enumerate(parts_of(network, flat))
    ]


class Update:
    """The sections of an update, one after the other; the network is moved as in training."""

    def __init__(self, network: Network, run: Run, how: How, slopes: list[list[Quantity]]) -> None:
        self.network, self.run, self.how = network, run, how
        self.theta = quantities(network, network.theta, "", "parameter")
        self.gradients, self.sections = slopes, list[Section]()
        self.presence = network.presence(run)
        self.present: list[list[Quantity]] | None = None

    def take(self) -> list[Section]:
        self._penalise()
        self._leave_out()
        self._clip()
        self._move()
        self._limit()
        return self.sections

    def _flat(self, word: str, flat: Flat, kind: Kind = "gradient") -> list[list[Quantity]]:
        return quantities(self.network, flat, word, kind)

    def _pairs(self, *lists: list[list[Quantity]]) -> Iterator[tuple[Quantity, ...]]:
        for layers in zip(*lists, strict=True):
            yield from zip(*layers, strict=True)

    def _show(self, title: str, *lists: list[list[Quantity]]) -> None:
        self.sections.append(Section(title, [q for some in self._pairs(*lists) for q in some]))

    def _penalise(self) -> None:
        before = self.network.gradient.copy()
        add_penalty_gradient(self.network, self.how.penalised)
        if np.array_equal(before, self.network.gradient):
            return
        found = self._flat("p", self.network.gradient)
        for i, layer in enumerate(self.network.layers):
            dense = getattr(layer, "dense", layer)
            if isinstance(dense, Dense):
                rates = ((dense.l1, dense.l2), (dense.bias_l1, dense.bias_l2))
                for j, of in enumerate(rates):
                    self._penalty_of(found[i][j], self.gradients[i][j], self.theta[i][j], *of)
            for new, old in list(zip(found[i], self.gradients[i], strict=True)):
                if new.element is None and np.array_equal(new.values, old.values):
                    new.by(lambda *at, old=old: old[at])
        self.gradients = found
        self._show("penalties", found)

    def _penalty_of(self, new: Quantity, old: Quantity, w: Quantity, l1: float, l2: float) -> None:
        l1, l2 = self.how.penalised * l1, self.how.penalised * l2
        new.by(lambda *at: old[at] + l1 * SIGN(w[at]) + 2 * l2 * w[at])

    def _leave_out(self) -> None:
        if self.presence is None:
            return
        self.present = self._flat("present", self.presence.kept.astype(float), "mask")
        self.network.gradient[~self.presence.kept] = 0
        found = self._flat("g", self.network.gradient)
        for new, old, there in self._pairs(found, self.gradients, self.present):
            new.by(lambda *at, o=old, t=there: cases((o[at], t[at], "=", 1), otherwise=0))
        self.gradients = found
        self._show("parameters that are present", self.present, found)

    def _clip(self) -> None:
        limit = self.how.clip_norm
        if limit is None:
            return
        all_of = [q for qs in self.gradients for q in qs]
        length = np.linalg.norm(self.network.gradient.astype(np.float64))
        norm = Quantity(Name("norm"), np.array(length), "statistic")
        norm.by(lambda: SQRT(total(q[at] ** 2 for q in all_of for at in places(q.shape))))
        value = limit / length if length > limit else 1.0
        factor = Quantity(Name("clip"), np.array(value), "statistic")
        factor.by(lambda: cases((limit / norm[()], norm[()], ">", limit), otherwise=1))
        clip(self.network.gradient, limit)
        found = self._flat("c", self.network.gradient)
        for new, old in self._pairs(found, self.gradients):
            new.by(lambda *at, o=old: factor[()] * o[at])
        self.gradients = found
        self.sections.append(Section("clipping", [norm, factor, *(q for qs in found for q in qs)]))

    def _move(self) -> None:
        how, network, presence = self.how, self.network, self.presence
        t: Any = 1 + how.t if presence is None else 1 + how.t * presence.probability
        kept: Any = True if presence is None else presence.kept
        theta, state = how.optimizer.step(network.theta, network.gradient, how.state, t, how.rate)
        before = [self._flat(name, flat, "state") for name, flat in _fields(how.state)]
        state = [np.where(kept, new, old) for new, old in zip(state, how.state, strict=True)]
        names = [name for name, _ in _fields(how.state)]
        after = [self._flat(f"{n}'", s, "moment") for n, s in zip(names, state, strict=True)]
        theta = np.where(kept, theta, network.theta)
        new = self._flat("new", theta, "update")
        rate = Quantity(Name("eta"), np.array(how.rate), "setting")
        count = Quantity(Name("step"), np.array(float(how.t + 1)), "setting")
        counts = None if presence is None else self._flat("step", t, "setting")
        section = Section(type(how.optimizer).__name__, [rate, count])
        kind = type(how.state)
        for i, olds in enumerate(self.theta):
            for j, old in enumerate(olds):
                part = UpdatePart(
                    old, self.gradients[i][j], new[i][j], rate,
                    kind(*(b[i][j] for b in before)), kind(*(a[i][j] for a in after)),
                    count if counts is None else counts[i][j],
                )  # fmt: skip
                if hasattr(how.optimizer, "explain"):
                    how.optimizer.explain(part)
                self._stay(part, i, j)
                section.quantities += [*part.before, *part.after, *part.made, part.new]
        network.theta[:] = theta
        self.theta = new
        self.sections.append(section)

    def _stay(self, part: UpdatePart, i: int, j: int) -> None:
        """Absent parameters and their moments stay as they were."""
        if self.present is None:
            return
        there = self.present[i][j]
        pairs = [(part.new, part.theta), *zip(part.after, part.before, strict=True)]
        for new, old in pairs:
            element = new.element
            if element is not None:
                new.by(
                    lambda *at, f=element, o=old: cases(
                        (f(*at), there[at], "=", 1), otherwise=o[at]
                    )
                )

    def _limit(self) -> None:
        limits = [_max_norm(layer) for layer in self.network.layers]
        if not any(limits):
            return
        limit_norms(self.network, self.run)
        found = self._flat("limited", self.network.theta, "update")
        quantities: list[Quantity] = []
        for i, most in enumerate(limits):
            for j, (new, old) in enumerate(zip(found[i], self.theta[i], strict=True)):
                new.by(lambda *at, o=old: o[at])
                if most is not None and j == 0:
                    quantities.append(self._limited(new, old, float(most), i))
                    quantities.append(new)
        self.theta = found
        self.sections.append(Section("max-norm", quantities))

    def _limited(self, new: Quantity, old: Quantity, most: float, i: int) -> Quantity:
        lengths = np.linalg.norm(old.values, axis=1)
        norm = Quantity(Name("norm", str(i + 1)), lengths, "statistic", i)
        inputs = range(old.shape[1])
        norm.by(lambda u: SQRT(total(old[u, k] ** 2 for k in inputs)))
        there = self.network.sites[i].presence(self.run)

        def element(u: int, k: int) -> Any:
            if there is not None and not there[u]:
                return old[u, k]
            return cases((old[u, k] * most / norm[u], norm[u], ">", most), otherwise=old[u, k])

        new.by(element)
        return norm


def _max_norm(layer: Any) -> float | None:
    return getattr(getattr(layer, "dense", layer), "max_norm", None)


def _fields(state: Any) -> list[tuple[str, Array]]:
    return list(zip(state._fields, state, strict=True))
