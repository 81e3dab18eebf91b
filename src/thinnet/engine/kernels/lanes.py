"""Sixteen values at once, where the compiler does not find the vectors by itself."""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES: Final = 16
_INDEX = ir.IntType(32)


@intrinsic
def scale_kept(typing, x, bits, scale, out):  # type: ignore[no-untyped-def]
    """``out[i] = x[i] * scale`` where bit i of the 16 `bits` is set, 0 elsewhere.

    `x` and `out` are addresses of 16 values of the type of `scale`.  The bits become the vector's
    own mask, which the compiler does not do with tests of single bits (measured: half the time in
    float32, a quarter in float64).
    """
    signature = types.void(types.uintp, types.uint16, scale, types.uintp)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, mask, factor, target = arguments
        real = context.get_value_type(scale)
        vector, size = ir.VectorType(real, LANES), scale.bitwidth // 8
        values = builder.load(builder.inttoptr(source, vector.as_pointer()))
        values.align = size
        keep = builder.bitcast(mask, ir.VectorType(ir.IntType(1), LANES))
        scaled = builder.fmul(values, _in_all_lanes(builder, factor, vector))
        kept = builder.select(keep, scaled, ir.Constant(vector, [0.0] * LANES))
        builder.store(kept, builder.inttoptr(target, vector.as_pointer())).align = size
        return context.get_dummy_value()

    return signature, code


def _in_all_lanes(builder: Any, value: Any, vector: Any) -> Any:
    nothing = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(_INDEX, 0))
    zeros = ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES)
    return builder.shuffle_vector(first, nothing, zeros)
