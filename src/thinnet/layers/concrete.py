"""Concrete dropout: a rate that is learned by gradient descent, beside the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool
from scipy import special

from thinnet import checks, masks, philox
from thinnet.arrays import Array, Features, Float, Out, Table
from thinnet.formulas.explaining import LayerPart, PenaltyPart
from thinnet.layers.base import Initial, Shapes
from thinnet.layers.concrete_explained import explain_penalty, explain_thinned
from thinnet.layers.dense import Cache as DenseCache
from thinnet.layers.dense import Dense
from thinnet.layers.learned_rate import MAX_LOGIT, inward, learned, sum_of_squares
from thinnet.passes import Run, Site


class Params(NamedTuple):
    W: Any  # (units, width)
    b: Any  # (units,)
    logit: Any  # (1,), log(rate / (1 - rate))


class Cache(NamedTuple):
    inner: DenseCache
    run: Run


@dataclass(frozen=True, slots=True)
class ConcreteDropout:
    """A Dense layer that drops its inputs at a rate that it learns (Gal, Hron and Kendall 2017).

    The rate is ``p = sigmoid(logit)``, and `logit` is a parameter as weights are.  A mask has no
    derivative by its rate, so learning passes use its concrete relaxation: an input loses the part
    ``z = sigmoid((logit(p) - logit(u)) / temperature)``, where ``u = (k + 1/2) / 2^16`` and k is
    its 16-bit random number, and enters the Dense layer as ``x * (1 - z) / (1 - p)``.  Sampling
    passes draw the masks of docs/masks.md at the learned rate, which are the relaxed ones cut at
    1/2.  Prediction drops nothing.

    It pays where a rate for each layer would otherwise be searched for, and where the spread
    between draws should fall as data grow; with little data the penalties alone decide.  It has no
    compiled form: networks with it run in the reference executor, where a step takes tens of times
    as long as a compiled one.

    Parameters
    ----------
    dense : Dense
        The layer whose inputs are dropped; its own penalties hold as well.
    rate : float
        The rate at the start of training, in (0, 1).
    temperature : float
        The temperature of the relaxation, above 0: with a smaller one it is nearer to masks and
        its slope noisier.
    weight_penalty, rate_penalty : float
        ``weight_penalty * sum W^2 / (1 - p)`` and ``rate_penalty * width * (p log p + (1 - p)
        log(1 - p))`` are added to the mean loss (the paper's eq. 3, as in the authors' code).  The
        first lowers the rate; the second, minus the entropy of the masks, pulls it towards 1/2.

    Raises
    ------
    ValueError
        If a setting is out of its range, or rows with more than one axis come in.

    Notes
    -----
    For N rows, D targets a row, the prior length scale l and the precision tau of the noise (one
    over its variance), the penalties that make the loss the paper's bound are

    ========================  ===================  =================
    loss                      weight_penalty       rate_penalty
    ========================  ===================  =================
    SquaredError              ``l^2 / (tau N D)``  ``2 / (tau N D)``
    GaussianNLL               ``l^2 / (2 N D)``    ``1 / (N D)``
    SoftmaxCrossEntropy       ``l^2 / (2 N)``      ``1 / N``
    ========================  ===================  =================

    because our losses are means over rows and targets (the authors' code sums over targets: D is
    1), and SquaredError is ``2 / tau`` times a negative log likelihood.

    The rate stays in [2^-16, 1 - 2^-16], the rates that masks can have; beyond, the logit has only
    the gradient that leads back.  `Network.masks` returns a training step's mask at the present
    rate, cut at 1/2, because past rates are not stored.

    Examples
    --------
    >>> from thinnet import Network
    >>> layer = ConcreteDropout(Dense(10), rate=0.2)
    >>> network = Network([layer], features=4, seed=0)
    >>> network.sites[0].p.logit.shape
    (1,)
    >>> round(layer.learned_rate(network.sites[0]), 3)
    0.2
    """

    dense: Dense
    rate: float = 0.1
    temperature: float = 0.1
    weight_penalty: float = 1e-6
    rate_penalty: float = 1e-5

    can_draw: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checks.must(isinstance(self.dense, Dense), "dense", "a Dense layer", self.dense)
        inside = checks.is_real(self.rate) and 0 < self.rate < 1
        checks.must(inside, "rate", "a number in (0, 1)", self.rate)
        checks.positive("temperature", self.temperature)
        checks.non_negative("weight_penalty", self.weight_penalty)
        checks.non_negative("rate_penalty", self.rate_penalty)

    def shapes(self, features: Features) -> Shapes:
        out, (W, b), _, _ = self.dense.shapes(features)
        return Shapes(out, Params(W, b, logit=(1,)))

    def initialise(self, site: Site, initial: Initial) -> None:
        self.dense.initialise(site, initial)
        logit = math.log(self.rate) - math.log1p(-self.rate)
        site.p.logit[...] = min(max(logit, -MAX_LOGIT), MAX_LOGIT)

    def present(self, inputs: Array, outputs: Array) -> Params:
        return Params(*self.dense.present(inputs, outputs), logit=np.ones(1, outputs.dtype))

    def learned_rate(self, site: Site) -> float:
        """The present probability of dropping an input.

        Parameters
        ----------
        site : Site
            The layer's place in its network, one of ``network.sites``.
        """
        return learned(site).rate

    def forward(self, site: Site, x: Table, run: Run) -> tuple[Out, Cache]:
        y, inner = self.dense.forward(site, self._drop(site, x, run), run)
        return y, Cache(inner, run)

    def backward(self, site: Site, cache: Cache, dy: Out) -> Table:
        dx = self.dense.backward(site, cache.inner, dy)  # the gradient by the inputs after dropout
        site.g.logit[...] = self._slope(site, cache, dx) if cache.run.learns else 0
        return self._drop(site, dx, cache.run)  # linear in x, so it is its own backward

    def keep(self, site: Site, run: Run, rows: int) -> Bool[Array, "rows width"]:
        """The inputs that a sampling pass keeps, or a learning pass keeps by more than 1/2."""
        return np.broadcast_to(site.keep(run, rows, learned(site).rate), (rows, *site.features))

    def penalty(self, site: Site) -> float:
        """The penalty, which is added to the mean loss (`thinnet.training.penalties`)."""
        _, p, q = learned(site)
        entropy = -(p * math.log(p) + q * math.log(q))
        squares = sum_of_squares(site.p.W)
        return self.weight_penalty * squares / q - self.rate_penalty * site.features[0] * entropy

    def add_penalty(self, site: Site, factor: float) -> None:
        """Add `factor` times the derivative of `penalty` to the gradient."""
        logit, p, q = learned(site)
        by_weights = 2 * factor * self.weight_penalty / q
        np.add(site.g.W, site.p.W.dtype.type(by_weights) * site.p.W, out=site.g.W)
        slope = self.weight_penalty * sum_of_squares(site.p.W) * p / q
        slope += self.rate_penalty * site.features[0] * p * q * logit
        np.add(site.g.logit, inward(site, factor * slope), out=site.g.logit)

    def _drop(self, site: Site, x: Table, run: Run) -> Table:
        if not run.draws:
            return x
        _, p, q = learned(site)
        if not run.learns:
            return masks.scaled(x, site.keep(run, len(x), p), p)
        return x * (self._kept(site, run, len(x)) / q).astype(x.dtype)

    def _kept(self, site: Site, run: Run, rows: int) -> Float[Array, "..."]:
        """``1 - z``, the fraction of each input that a learning pass keeps."""
        k = philox.sixteen_bits(site.stream(run), run.samples(rows), site.features[0])
        u = (k.astype(np.float64) + 0.5) / masks.LEVELS
        return special.expit((special.logit(u) - learned(site).logit) / self.temperature)

    def _slope(self, site: Site, cache: Cache, dx: Table) -> float:
        """The loss's derivative by the logit; ``s = (1 - z) / (1 - p)`` has ``(p - z / T) s``."""
        z = 1 - self._kept(site, cache.run, len(dx))
        each = dx * cache.inner.x * (learned(site).rate - z / self.temperature)
        return inward(site, float(each.sum(dtype=np.float64)))

    def explain(self, part: LayerPart) -> None:
        kept = self._kept if part.run.learns else None
        explain_thinned(self.dense, part, float(self.temperature), kept)

    def explain_penalty(self, part: PenaltyPart) -> None:
        explain_penalty(part, self.weight_penalty, self.rate_penalty)
