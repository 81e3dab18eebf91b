"""A graph of ONNX in the making: arithmetic on its values makes its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from thinnet._version import __version__
from thinnet.arrays import Array, Features
from thinnet.export.models import needed

# The oldest versions that have all operators we need, so that old runtimes read the file.
OPSETS: Final = {"": 13, "ai.onnx.ml": 2}
IR_VERSION: Final = 7
TEXT: Final = np.dtype(object)


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """An array that the graph will compute; `dtype` is object for text."""

    graph: Graph
    name: str
    dtype: np.dtype

    def __add__(self, other: Any) -> Value:
        return self.graph.node("Add", self, other)

    def __sub__(self, other: Any) -> Value:
        return self.graph.node("Sub", self, other)

    def __mul__(self, other: Any) -> Value:
        return self.graph.node("Mul", self, other)

    def __truediv__(self, other: Any) -> Value:
        return self.graph.node("Div", self, other)

    def __gt__(self, other: Any) -> Value:
        return self.graph.node("Greater", self, other, dtype=bool)

    def __ge__(self, other: Any) -> Value:
        return self.graph.node("GreaterOrEqual", self, other, dtype=bool)

    def __le__(self, other: Any) -> Value:
        return self.graph.node("LessOrEqual", self, other, dtype=bool)

    def equals(self, other: Any) -> Value:
        return self.graph.node("Equal", self, other, dtype=bool)

    def to(self, op: str, **attributes: Any) -> Value:
        """A function of this value alone: ``x.to("Exp")``."""
        return self.graph.node(op, self, **attributes)

    def at_least(self, low: Any) -> Value:
        return self.graph.node("Max", self, low)

    def at_most(self, high: Any) -> Value:
        return self.graph.node("Min", self, high)

    def where(self, condition: Value, other: Any) -> Value:
        """This value where the condition is true, else the other."""
        other = self.graph.value(other, self.dtype)
        return self.graph.node("Where", condition, self, other, dtype=self.dtype)

    def pick(self, values: Array) -> Value:
        """The entries (along the first axis) of `values` at the places that this value holds."""
        return self.graph.node("Gather", values, self, dtype=values.dtype, axis=0)

    def columns(self, places: Array) -> Value:
        """Some columns of this table."""
        return self.graph.node("Gather", self, places.astype(np.int64), axis=1)

    def shaped(self, *shape: int) -> Value:
        return self.graph.node("Reshape", self, np.array(shape, np.int64))

    def ascending(self, n: int, axis: int) -> Value:
        """This value sorted along an axis that has n numbers."""
        return self.graph.node(
            "TopK", self, np.array([n], np.int64), spare=1, axis=axis, largest=0, sorted=1
        )

    def cast(self, dtype: Any) -> Value:
        if self.dtype == dtype:
            return self
        return self.graph.node("Cast", self, dtype=dtype, to=self.graph.code(np.dtype(dtype)))


class Graph:
    """Nodes in the order in which they are computed.

    Parameters
    ----------
    name : str
    outputs : tuple of str
        The names of the outputs.
    """

    def __init__(self, name: str, outputs: tuple[str, ...]) -> None:
        self._onnx = needed("onnx", "exporting to ONNX")
        self.name, self.taken = name, set(outputs)
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def code(self, dtype: np.dtype) -> int:
        """The number of a type in ONNX."""
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(dtype))

    def input(self, name: str, dtype: Any, features: Features) -> Value:
        """An input with any number of rows; all inputs are named before the first node."""
        self.taken.add(name)
        self._inputs.append(self._described(name, np.dtype(dtype), features))
        return Value(self, name, np.dtype(dtype))

    def output(self, name: str, value: Value, features: Features) -> None:
        self._outputs.append(self._described(name, value.dtype, features))
        self._add("Identity", [value.name], [name], {})

    def node(
        self, op: str, *inputs: Any, dtype: Any = None, spare: int = 0, **attributes: Any
    ) -> Value:
        """The result of an operator; it has the type of the first input, unless one is given.

        A plain number among the inputs is a constant of the type of the first value.  Of an
        operator with `spare` results more the first is taken.
        """
        first = next(given for given in inputs if isinstance(given, Value))
        names = [self.value(given, first.dtype).name for given in inputs]
        found = Value(self, self._new(op), np.dtype(dtype or first.dtype))
        others = [f"{found.name}_{i + 1}" for i in range(spare)]
        self._add(op, names, [found.name, *others], attributes)
        return found

    def value(self, given: Any, dtype: np.dtype) -> Value:
        """A value as it is, an array as a constant, a plain number as one of the type `dtype`."""
        if isinstance(given, Value):
            return given
        array = given if isinstance(given, np.ndarray) else np.asarray(given, dtype)
        name = self._new("constant")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return Value(self, name, array.dtype)

    def content(self) -> bytes:
        """The checked model as the bytes of a file."""
        helper = self._onnx.helper
        parts = (self._nodes, self.name, self._inputs, self._outputs, self._constants)
        domains = sorted({"", *(node.domain for node in self._nodes)})
        model = helper.make_model(
            helper.make_graph(*parts),
            opset_imports=[helper.make_opsetid(domain, OPSETS[domain]) for domain in domains],
            producer_name="thinnet",
            producer_version=__version__,
            ir_version=IR_VERSION,
        )
        self._onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))

    def _add(
        self, op: str, inputs: list[str], outputs: list[str], attributes: dict[str, Any]
    ) -> None:
        self._nodes.append(self._onnx.helper.make_node(op, inputs, outputs, **attributes))

    def _new(self, stem: str) -> str:
        name = f"{stem}_{len(self._nodes) + len(self._constants)}"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def _described(self, name: str, dtype: np.dtype, features: Features) -> Any:
        shape = ["rows", *features]
        return self._onnx.helper.make_tensor_value_info(name, self.code(dtype), shape)
