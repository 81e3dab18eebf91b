"""A row of plain numbers, and what a network, or an estimator of such rows, makes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table
from rich.text import Text

from thinnet.arrays import Array
from thinnet.checks import DataFileError, ModelFileError, quoted
from thinnet.network import Network
from thinnet.tables.columns.kinds import as_numbers
from thinnet.tables.columns.naming import there
from thinnet.tables.explained import shown
from thinnet.tables.explained.passes import chosen, trace_of
from thinnet.tables.explained.taking import OneRow
from thinnet.tables.reading.cells import Frame
from thinnet.tracing.traces import Trace


class NumberRow(NamedTuple):
    """A row of numbers, the outputs of networks for it, and the trace of one of them.

    Attributes
    ----------
    row : int
    member : int or None
        The network's place; None if it is none of the model's.
    names : tuple of str
        Of the columns.
    numbers : array, shape (columns,)
    outputs : list of array
        Of each network.
    answer : str
        What an estimator predicts; empty of a network.
    trace : Trace
    """

    row: int
    member: int | None
    names: tuple[str, ...]
    numbers: Array
    outputs: list[Array]
    answer: str
    trace: Trace


def networks_of(path: str, model: Any) -> list[Network]:
    """The networks of a model of rows of numbers.

    Raises
    ------
    ModelFileError
        If it is none.
    """
    if isinstance(model, Network):
        return [model]
    found = getattr(model, "networks_", None) or getattr(model, "network_", None)
    if found is None:
        raise ModelFileError(
            f"model {path!r} must be a network or an estimator of thinnet's, got a "
            f"{type(model).__name__}"
        )
    return [found] if isinstance(found, Network) else list(found)


def explained(
    model: Any, networks: Sequence[Network], one: OneRow, member: int | Network
) -> NumberRow:
    """A row of numbers, and what networks make of it.

    Parameters
    ----------
    model : Network or estimator
    networks : sequence of Network
        Its own.
    one : OneRow
    member : int or Network
        The network to trace, or its place.

    Raises
    ------
    DataFileError
        If the row has not the numbers that the networks take.
    """
    place, network = chosen(networks, member)
    some = _columns(model, networks[0], one.frame)
    numbers = _numbers(some)
    x = numbers.reshape(1, *networks[0].features)
    outputs = [network.outputs(x)[0] for network in networks]
    answer = "" if isinstance(model, Network) else _answer(model, some.columns, numbers)
    entering = x[0].astype(network.dtype)
    trace = trace_of(network, entering, one.number)
    return NumberRow(one.number, place, tuple(some.columns), numbers, outputs, answer, trace)


def _columns(model: Any, network: Network, frame: Frame) -> Frame:
    """The columns that the network takes, in their order."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        for name in names:
            if name not in frame.columns:
                raise DataFileError(
                    f"column {quoted(name)} must be in the table, as in the one that was fitted; "
                    f"got columns {there(frame.columns)}"
                )
        return frame[list(names)]
    n = math.prod(network.features)
    if frame.shape[1] != n:
        raise DataFileError(
            f"the table must have the {n} columns of numbers that the network takes, got "
            f"{frame.shape[1]}: {there(frame.columns)}"
        )
    return frame


def _numbers(frame: Frame) -> Array:
    found = []
    for name in frame.columns:
        number = float(as_numbers(frame[name]).iloc[0])
        if not math.isfinite(number):
            cell = quoted(frame[name].iloc[0])
            raise DataFileError(f"column {quoted(name)} must hold a number in this row, got {cell}")
        found.append(number)
    return np.array(found)


def _answer(model: Any, names: Any, numbers: Array) -> str:
    import pandas as pd

    named = getattr(model, "feature_names_in_", None) is not None
    X = pd.DataFrame(numbers[None], columns=names) if named else numbers[None]
    predicted = np.atleast_1d(model.predict(X)[0])
    head = model.head_
    words = f"{head.name} is {', '.join(map(_short, predicted))}"
    if not hasattr(model, "predict_proba"):
        return words
    pairs = zip(head.classes, np.atleast_1d(model.predict_proba(X)[0]), strict=True)
    return f"{words}; {', '.join(f'p({name}) = {shown.number(p)}' for name, p in pairs)}"


def _short(value: Any) -> str:
    is_float = isinstance(value, float | np.floating)
    return shown.number(float(value)) if is_float else str(value)


def parts(of: NumberRow) -> list[Table | Text]:
    """The row's numbers and the networks' outputs for a screen."""
    head = shown.plain(f"row {of.row}{': ' if of.answer else ''}{of.answer}")
    numbers = [(name, shown.number(x)) for name, x in zip(of.names, of.numbers, strict=True)]
    outputs = [(str(i), shown.outputs_text(y.ravel())) for i, y in enumerate(of.outputs)]
    return [
        head,
        shown.table("The row", ("column", "number"), numbers, 1),
        shown.table("What the networks answer", ("network", "outputs"), outputs, 1),
    ]
