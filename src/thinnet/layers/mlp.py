"""The usual chain of layers: a multilayer perceptron with dropout."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from thinnet import checks, masks
from thinnet.arrays import Share
from thinnet.layers import (
    BatchNorm,
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    FixedMasks,
    GaussianDropout,
    Layer,
    ReLU,
)
from thinnet.schedules import Rate

DropoutKind: TypeAlias = Literal["bernoulli", "gaussian", "dropconnect", "fixed", "concrete"]
KINDS: Final = get_args(DropoutKind)
CAN_SHARE: Final = ("bernoulli", "gaussian")  # kinds whose mask or noise all rows may share
BELOW_ONE: Final = ("gaussian", "concrete")  # kinds whose rate can't be 1


class Dropping(NamedTuple):
    """The dropout of a Dense layer's inputs."""

    kind: str
    share: Share
    n_masks: int
    rate_penalty: float

    def into(self, dense: Dense, rate: Rate) -> list[Layer]:
        """A Dense layer and the dropout of its inputs, which together take one stream at any rate.

        At rate 0 a Dropout takes the stream for kinds without such a rate or a compiled form.
        """
        if self.kind == "gaussian":
            return [GaussianDropout(rate, self.share), dense]
        if self.kind == "bernoulli" or rate == 0:
            return [Dropout(rate, self.share), dense]
        if self.kind == "fixed":
            return [FixedMasks(rate, self.n_masks), dense]  # type: ignore[arg-type]
        if self.kind == "dropconnect":
            return [DropConnect(dense, rate)]
        return [self._learning(dense, rate)]

    def _learning(self, dense: Dense, rate: Any) -> Layer:
        """A ConcreteDropout, whose penalty on weights replaces that of the Dense layer."""
        plain = dataclasses.replace(dense, l2=0.0)
        weight, of_rate = dense.l2, self.rate_penalty
        return ConcreteDropout(plain, rate, weight_penalty=weight, rate_penalty=of_rate)


def check_sharing(name: str, share: Any, kind: str) -> None:
    """ValueError unless `share` is None, or "batch" and the kind allows it."""
    masks.check_share(name, share)
    if share is not None and kind not in CAN_SHARE:
        raise ValueError(f"{name} must be None for the kind {kind!r} of dropout, got {share!r}")


def mlp(
    hidden: Sequence[int],
    n_outputs: int,
    *,
    activation: Layer | None = None,
    dropout: Rate | Sequence[Rate] = 0.0,
    input_dropout: Rate = 0.0,
    share: Share = None,
    batch_norm: bool = False,
    l1: float = 0.0,
    l2: float = 0.0,
    max_norm: float | None = None,
    kind: DropoutKind = "bernoulli",
    n_masks: int = 4,
    rate_penalty: float = 1e-5,
) -> list[Layer]:
    """The layers of a multilayer perceptron.

    The dropout of the input has stream 0, and that behind hidden layer i has stream i + 1,
    whatever their kinds and rates, so that switching one on doesn't renumber the others.

    ============= ==============================================================================
    kind          layers of dropout
    ============= ==============================================================================
    "bernoulli"   a `Dropout` for the input and one behind each hidden layer
    "gaussian"    a `GaussianDropout` in each of these places
    "fixed"       `FixedMasks` in each of these places that has a rate above 0
    "dropconnect" `DropConnect` around the Dense layer that follows, where the rate is above 0: a
                  rate is the probability of dropping a weight of that layer
    "concrete"    `ConcreteDropout` around the Dense layer that follows, where the rate is above
                  0: a rate is the one at the start of training
    ============= ==============================================================================

    With the last three kinds a Dropout of rate 0 takes the stream of a place where nothing is
    dropped; "fixed" and "concrete" take numbers as rates, no Schedule.

    Parameters
    ----------
    hidden : sequence of int
        Widths of the hidden layers; may be empty.
    n_outputs : int
        Width of the output.
    activation : Layer, optional
        By default ReLU.
    dropout : float or Schedule, or a sequence of them
        The rate behind every hidden layer, or one for each.
    input_dropout : float or Schedule
        The rate for the input.
    share : None or "batch"
        As in `Dropout`; "batch" only with the kinds "bernoulli" and "gaussian".
    batch_norm : bool
        Put a BatchNorm between each hidden Dense and its activation.
    l1, l2 : float
        Penalties on all weights, none on biases.  `l2` is the `weight_penalty` of ConcreteDropout:
        ``l2 * sum W^2 / (1 - p)``.
    max_norm : float, optional
        The limit on the norm of each hidden unit's incoming weights.
    kind : str
        A kind of dropout from the table.
    n_masks : int
        The number of masks of the kind "fixed", at least 2.
    rate_penalty : float
        As in `ConcreteDropout`, for the kind "concrete".

    Raises
    ------
    ValueError
        If a setting is out of its range, or there are not as many rates as hidden layers.

    Examples
    --------
    >>> len(mlp([256, 256], 10, dropout=[0.2, 0.5]))
    8
    >>> mlp([4], 1, dropout=0.2, kind="dropconnect")[-1].rate
    0.2
    """
    checks.one_of("kind", kind, KINDS)
    check_sharing("share", share, kind)
    checks.must(isinstance(hidden, Sequence), "hidden", "a sequence of widths", hidden)
    if activation is not None:
        fits = isinstance(activation, Layer) and not isinstance(activation, type)
        checks.must(fits, "activation", "a layer such as ReLU()", activation)
    several = isinstance(dropout, Sequence | np.ndarray)
    rates: list[Any] = list(dropout) if several else [dropout] * len(hidden)  # type: ignore[arg-type]
    allowed = f"one rate or one for each of the {len(hidden)} hidden layers"
    checks.must(len(rates) == len(hidden), "dropout", allowed, len(rates))
    norms: list[Layer] = [BatchNorm()] if checks.boolean("batch_norm", batch_norm) else []
    dropping = Dropping(kind, share, n_masks, rate_penalty)
    layers: list[Layer] = []
    entering = [input_dropout, *rates]  # the rate of what enters each Dense layer
    for units, rate in zip(hidden, entering[:-1], strict=True):
        dense = Dense(units, l1=l1, l2=l2, max_norm=max_norm)
        layers += [*dropping.into(dense, rate), *norms, activation or ReLU()]
    return [*layers, *dropping.into(Dense(n_outputs, l1=l1, l2=l2), entering[-1])]
