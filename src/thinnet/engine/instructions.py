"""Instructions that llvmlite's builder has no method for."""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from thinnet.engine.aliases import Builder, Type, Value

INDEX = ir.IntType(32)


def masked_load(builder: Builder, vector: Type, address: Value, touched: Value, size: int) -> Value:
    """The numbers of the lanes that are touched, 0 in the others."""
    zeros = ir.Constant(vector, [0.0] * vector.count)
    return masked(builder, "load", vector, address, touched, size, zeros)


def masked(
    builder: Builder,
    what: str,
    vector: Type,
    address: Value,
    touched: Value,
    size: int,
    values: Value,
) -> Value:
    """A load or store of the lanes that are touched."""
    pointer, align = builder.inttoptr(address, vector.as_pointer()), ir.Constant(INDEX, size)
    name = f"llvm.masked.{what}.v{vector.count}f{8 * size}.p0"
    if what == "load":
        return called(builder, name, vector, pointer, align, touched, values)
    return called(builder, name, ir.VoidType(), values, pointer, align, touched)


def called(builder: Builder, name: str, result: Type, *arguments: Value) -> Value:
    """The compiler's own function of that name."""
    kind = ir.FunctionType(result, [value.type for value in arguments])
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, arguments)


def in_all_lanes(builder: Builder, value: Value, vector: Type) -> Value:
    """A vector of the type `vector`, every lane of which is `value`."""
    nothing = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(INDEX, 0))
    zeros = ir.Constant(ir.VectorType(INDEX, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, nothing, zeros)


def fused(builder: Builder, x: Value, y: Value, z: Value) -> Value:
    """``x * y + z`` of vectors, rounded once."""
    bits = 32 if isinstance(x.type.element, ir.FloatType) else 64
    return called(builder, f"llvm.fma.v{x.type.count}f{bits}", x.type, x, y, z)


def prefetch(builder: Builder, address: Value) -> None:
    """Have the line at an address brought to the second cache, whether or not it exists."""
    number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
    place = builder.inttoptr(address, pointer)
    called(builder, "llvm.prefetch.p0", ir.VoidType(), place, number(0), number(2), number(1))
