"""Classes in ONNX: int64 or text."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import is_integer
from thinnet.export.onnx_graph import TEXT, Graph, Value


def exported_classes(classes: Array) -> Array:
    """Classes as int64 where they are whole numbers, as objects where they are text.

    Raises
    ------
    ValueError
        If they are neither.
    """
    found = classes.tolist()
    if all(isinstance(name, str) for name in found):
        return np.array(found, TEXT)
    if all(_is_whole(name) for name in found):
        return np.array(found, np.int64)
    raise ValueError(f"classes must be integers of 64 bits or text for ONNX, got {found[:3]}")


def _is_whole(name: Any) -> bool:
    whole = isinstance(name, bool) or is_integer(name) or (type(name) is float and name % 1 == 0)
    return whole and -(2**63) <= name < 2**63


def add_label(graph: Graph, place: Value, classes: Array) -> None:
    """Add the output of labels: for each row the class at `place` among the classes."""
    graph.output("label", place.pick(exported_classes(classes)), ())


def most_probable(scores: Value) -> Value:
    """The place of the greatest score of each row, the first of equals."""
    return scores.graph.node("ArgMax", scores, dtype=np.int64, axis=1, keepdims=0)
