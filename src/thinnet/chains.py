"""Chains of layers that are often wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thinnet import checks
from thinnet.layers import BatchNorm, Dense, Dropout, Layer, ReLU
from thinnet.layers.dropout import Share
from thinnet.run import Rate


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
) -> list[Layer]:
    """The layers of a multilayer perceptron.

    There is a Dropout for the input and one for each hidden layer, whatever their rates, so that
    switching one on doesn't renumber the streams of the others.

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
        As in `Dropout`.
    batch_norm : bool
        A BatchNorm between each hidden Dense and its activation.
    l1, l2 : float
        Penalties on all weights, none on biases.
    max_norm : float, optional
        The limit of each hidden unit's incoming weights.

    Raises
    ------
    ValueError
        If a setting is out of its range, or there are not as many rates as hidden layers.

    Examples
    --------
    >>> len(mlp([256, 256], 10, dropout=[0.2, 0.5]))
    8
    """
    checks.must(isinstance(hidden, Sequence), "hidden", "a sequence of widths", hidden)
    if activation is not None:
        fits = isinstance(activation, Layer) and not isinstance(activation, type)
        checks.must(fits, "activation", "a layer such as ReLU()", activation)
    several = isinstance(dropout, Sequence | np.ndarray)
    rates: list[Any] = list(dropout) if several else [dropout] * len(hidden)  # type: ignore[arg-type]
    if len(rates) != len(hidden):
        raise ValueError(
            f"dropout must be one rate or one for each of the {len(hidden)} hidden layers, "
            f"got {len(rates)}"
        )
    norms: list[Layer] = [BatchNorm()] if checks.boolean("batch_norm", batch_norm) else []
    layers: list[Layer] = [Dropout(input_dropout, share)]
    for units, rate in zip(hidden, rates, strict=True):
        layers += [Dense(units, l1=l1, l2=l2, max_norm=max_norm), *norms]
        layers += [activation or ReLU(), Dropout(rate, share)]
    return [*layers, Dense(n_outputs, l1=l1, l2=l2)]
