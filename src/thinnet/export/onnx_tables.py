"""Mixed tables in ONNX: an input for each column, their encoding, and the mean of the networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any, Final, TypeAlias

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import must, quoted
from thinnet.export import onnx_dates as dates
from thinnet.export.onnx_graph import TEXT, Graph, Value
from thinnet.export.onnx_labels import add_label, most_probable
from thinnet.export.onnx_layers import outputs, predicted
from thinnet.export.onnx_numbers import clipped, normal_scores, pieces
from thinnet.tables.classifier import TableClassifier
from thinnet.tables.columns.clipping import SmoothlyClipped
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import MISSING_LABEL, Column
from thinnet.tables.columns.missing import numbers_of
from thinnet.tables.columns.parts import ColumnParts
from thinnet.tables.columns.preparing import apart
from thinnet.tables.heads import WeighedHead
from thinnet.tables.regressor import TableRegressor
from thinnet.tables.targets import TargetScale

Inputs = dict[str, tuple[Column, Value]]
Part: TypeAlias = Callable[[Inputs, Any, Sequence[str], Sequence[str]], Value]


def classifier_graph(model: TableClassifier) -> Graph:
    graph, head = Graph("TableClassifier", ("label", "probabilities")), model.head_
    p = _mean(graph, model, head.log_weights())
    add_label(graph, most_probable(_decided(p, head)), head.classes)
    graph.output("probabilities", p, (head.width,))
    return graph


def _decided(p: Value, head: WeighedHead) -> Value:
    """A score for each class, the largest for the class that the model predicts."""
    if (found := head.decision) is not None:
        scales = np.full(2, found.threshold)
        scales[found.positive] = 1 - found.threshold
        return p * scales
    return p if head.weights is None else p * head.weights


def regressor_graph(model: TableRegressor) -> Graph:
    graph = Graph("TableRegressor", ("variable",))
    y = _in_own_units(_mean(graph, model), model.target_scale_)
    graph.output("variable", y, (model.head_.n_outputs,))
    return graph


def _mean(
    graph: Graph,
    model: TableClassifier | TableRegressor,
    less: Array | None = None,
) -> Value:
    """The mean over the networks, in float64; `less` is subtracted from their raw outputs."""
    dtype = model.networks_[0].dtype
    x = encoded(graph, model.encoder_).cast(dtype)
    raw = [outputs(network, x, expanded=True) for network in model.networks_]
    if less is not None:
        raw = [z - less.astype(dtype) for z in raw]
    each = [predicted(model.head_, z).cast(np.float64) for z in raw]
    return reduce(add, each) / len(each)


def _in_own_units(z: Value, scale: TargetScale) -> Value:
    y = z * scale.scale + scale.center
    if not scale.unit.any():
        return y
    logged = y.graph.value(scale.unit[None, :] > 0, np.dtype(bool))
    return ((y.to("Exp") - 1.0) * scale.unit).where(logged, y)


def encoded(graph: Graph, encoder: TableEncoder) -> Value:
    """The columns of a table as the encoder's features, float32.

    Raises
    ------
    ValueError
        If a column holds texts, or has the name of an output.
    """
    inputs = {
        column.name: (column, _input(graph, column))
        for column in encoder.columns_
        if column.kind != "left out"
    }
    missing = encoder.missing_ or ()
    inputs = _prepared(inputs, [column.name for column in encoder.columns_], missing)
    fitted: Any = encoder.parts_ or encoder.transformer_
    steps = fitted.parts if isinstance(fitted, ColumnParts) else fitted.transformers_
    parts = [
        PARTS[name](inputs, step, names, missing) for name, step, names in steps if name in PARTS
    ]
    found = graph.node("Concat", *(part.cast(np.float32) for part in parts), axis=1)
    return found.columns(fitted.layout.sources) if isinstance(fitted, ColumnParts) else found


def _prepared(inputs: Inputs, all_names: Sequence[str], missing: Sequence[str]) -> Inputs:
    """The columns by the names of what `thinnet.tables.columns.preparing` makes of them."""
    absent, found = np.array(numbers_of(missing), np.float64), Inputs()
    for name, (column, x) in inputs.items():
        if column.kind == "date":
            others = {*all_names} - {name}
            found |= {apart(part, others): of for part, of in dates.parts(column, x).items()}
        else:
            found[name] = column, _with_holes(x, absent)
    return found


def _input(graph: Graph, column: Column) -> Value:
    types = {"number": np.float64, "category": TEXT, "date": np.float64}
    what = f"column {quoted(column.name)}"
    must(column.kind in types, what, "of numbers, categories or dates for ONNX", f"{column.kind}s")
    free = column.name != "" and column.name not in graph.taken
    must(free, "the name of a column", "neither empty nor that of an output", column.name)
    return graph.input(column.name, types[column.kind], (1,))


def _side_by_side(inputs: Inputs, names: Sequence[str]) -> Value:
    values = [inputs[name][1] for name in names]
    return values[0].graph.node("Concat", *values, axis=1)


def _filled(inputs: Inputs, fill: Any, names: Sequence[str]) -> Value:
    """Numbers clipped to the range of fit, with medians for missing cells."""
    x = _side_by_side(inputs, names)
    low, high = (np.array([[getattr(inputs[name][0], end) for name in names]])
                 for end in ("low", "high"))  # fmt: skip
    full = x.graph.value(fill.statistics_[None, :], x.dtype).where(_holes(x), x)
    return full.at_least(low).at_most(high)


def _holes(x: Value) -> Value:
    return x.to("IsNaN", dtype=bool)


def _number(inputs: Inputs, step: Any, names: Sequence[str], _: Sequence[str]) -> Value:
    x, last = _filled(inputs, step["fill"], names), step[-1]
    if isinstance(last, SmoothlyClipped):
        return clipped(x, last)
    return normal_scores(x, last.quantiles_, last.references_)


def _piece(inputs: Inputs, step: Any, names: Sequence[str], _: Sequence[str]) -> Value:
    return pieces(_filled(inputs, step["fill"], names), step["piece"].edges_)


def _hole(inputs: Inputs, step: Any, names: Sequence[str], _: Sequence[str]) -> Value:
    return _holes(_side_by_side(inputs, names))


def _category(inputs: Inputs, step: Any, names: Sequence[str], missing: Sequence[str]) -> Value:
    columns = zip(names, step.categories_, step.infrequent_categories_, strict=True)
    parts = [
        _one_hot(inputs[name][1], _of_cells(inputs[name][0], missing), *categories)
        for name, *categories in columns
    ]
    return parts[0].graph.node("Concat", *parts, axis=1)


def _of_cells(column: Column, missing: Sequence[str]) -> Sequence[str]:
    """The missing words of a column's cells; of what dates become there are none."""
    return () if column.kind == "date" else missing


def _one_hot(x: Value, missing: Sequence[str], categories: Array, rare: Array | None) -> Value:
    """A feature for each frequent category, and one for rare and unknown ones if any are rare."""
    others = [] if rare is None else list(rare)
    known = set(others)
    frequent = [name for name in categories if name not in known]
    code = _code(x, [*frequent, *others], len(frequent), missing)
    return code.equals(np.arange(len(frequent) + bool(others))[None]).cast(np.float32)


def _mean_target(inputs: Inputs, step: Any, names: Sequence[str], missing: Sequence[str]) -> Value:
    unknown = np.atleast_1d(step.target_mean_)
    n = len(unknown)
    parts = []
    for i, (name, categories) in enumerate(zip(names, step.categories_, strict=True)):
        known = np.transpose(step.encodings_[i * n : (i + 1) * n])
        rows = np.vstack([known, unknown]).astype(np.float32)
        column, x = inputs[name]
        parts.append(_looked_up(x, list(categories), rows, _of_cells(column, missing)))
    return parts[0].graph.node("Concat", *parts, axis=1)


def _looked_up(x: Value, names: Sequence[str], rows: Array, missing: Sequence[str]) -> Value:
    """The row of each name, the last row for other texts."""
    return _code(x, names, len(rows) - 1, missing).shaped(-1).pick(rows)


def _code(x: Value, names: Sequence[str], last: int, missing: Sequence[str]) -> Value:
    """The place of each name, at most the last, which other texts have too.

    "" and missing words count as missing.  A name stands also for other ways to write it, as far as
    ONNX allows: it can't trim texts.
    """
    places = {name: min(i, last) for i, name in enumerate(names)}
    hole = places.get(MISSING_LABEL, last)
    for name in names:
        for other in _other_ways(name):
            places.setdefault(other, places[name])
    places |= dict.fromkeys(("", *missing), hole)
    return x.graph.node(
        "LabelEncoder",
        x,
        dtype=np.int64,
        domain="ai.onnx.ml",
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=last,
    )


def _other_ways(name: str) -> tuple[str, ...]:
    if name in ("true", "false"):
        return name.title(), name.upper()
    return (f"{name}.0",) if name.removeprefix("-").isdecimal() else ()


def _with_holes(x: Value, absent: Array) -> Value:
    """`x` with NaN where a number means a missing cell."""
    for number in absent if x.dtype == np.float64 else ():
        x = x.graph.value(np.nan, x.dtype).where(x.equals(float(number)), x)
    return x


PARTS: Final[dict[str, Part]] = {
    "number": _number,
    "piece": _piece,
    "hole": _hole,
    "category": _category,
    "mean": _mean_target,
}
