"""Matrix products for compiled code: which library, which core type, and why.

NumPy's OpenBLAS has threads of its own, and picks its kernels from a list of processors that is
older than some processors: on an AVX-512 machine it may run at half speed.  So a private copy is
loaded (the wheel scipy-openblas32) with a core type chosen here and one thread; the shards of the
driver call it by name.  NumPy and its threads are left alone.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils

from thinnet import checks
from thinnet.engine.aliases import Arguments, Builder, Context, Intrinsic, Kind, Signature, Value
from thinnet.engine.compile import intrinsic

SYMBOLS: Final = {"float32": "thinnet_sgemm", "float64": "thinnet_dgemm"}
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112  # cblas.h
ENDINGS: Final = {"linux": "so", "darwin": "dylib", "win32": "dll"}
CORES: Final = {
    "SkylakeX": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx2", "fma"},
    "Haswell": {"avx2", "fma"},
}


class Library(NamedTuple):
    handle: ctypes.CDLL
    path: Path
    core: str


@cache
def library() -> Library | None:
    """The private OpenBLAS, its symbols known to compiled code; None where there is none."""
    path = _find()
    if path is None:
        return None
    with _environment(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE=core_type()):
        handle = ctypes.CDLL(str(path), mode=getattr(os, "RTLD_LOCAL", 0))
    handle.scipy_openblas_get_corename.restype = ctypes.c_char_p
    for letter, symbol in zip("sd", SYMBOLS.values(), strict=True):
        function = getattr(handle, f"scipy_cblas_{letter}gemm")
        llvm.add_symbol(symbol, ctypes.cast(function, ctypes.c_void_p).value)
    return Library(handle, path, handle.scipy_openblas_get_corename().decode())


def _find() -> Path | None:
    """The library's file, without importing its package, which would load it as it likes."""
    found = find_spec("scipy_openblas32")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "lib" / f"libscipy_openblas.{ENDINGS.get(sys.platform)}"
    return path if path.is_file() else None


def core_types() -> tuple[str, ...]:
    """The kernels that this processor runs, best first; any other is killed by its first line."""
    features = llvm.get_host_cpu_features()
    has = {name for name, there in features.items() if there}
    return tuple(core for core, needs in CORES.items() if needs <= has)


def core_type() -> str | None:
    """$THINNET_CORETYPE, else the best; None, the library's own choice, on other processors.

    $OPENBLAS_CORETYPE does not count: it is there for NumPy's library.

    Raises
    ------
    ValueError
        If $THINNET_CORETYPE is not one that this processor runs.
    """
    named, can = os.environ.get("THINNET_CORETYPE"), core_types()
    if named is not None:
        return str(checks.one_of("THINNET_CORETYPE", named, can))
    return can[0] if can else None


@contextmanager
def _environment(**values: str | None) -> Iterator[None]:
    """Environment variables that the library reads when it is loaded, put back afterwards."""
    before = {name: os.environ.get(name) for name in values}
    _put(values)
    try:
        yield
    finally:
        _put(before)


def _put(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def single_threaded() -> None:
    """Before each run: threadpool_limits of the user reaches the private copy too."""
    found = library()
    if found is not None:
        found.handle.scipy_openblas_set_num_threads(1)


class Matrix(NamedTuple):
    """A matrix in memory: its address, the numbers from row to row, and how it is taken."""

    address: int
    width: int
    order: int  # PLAIN or TRANSPOSED


class Sizes(NamedTuple):
    """Of a product: rows and columns of the result, and terms of each sum."""

    rows: int
    columns: int
    terms: int


@intrinsic
def gemm(typing: Kind, a: Kind, b: Kind, c: Kind, sizes: Kind, like: Kind) -> Intrinsic:
    """``c = a @ b`` of numbers of the type of `like`, row-major.

    The call is by symbol, not by address, so that cached machine code stays valid.
    """

    def code(context: Context, builder: Builder, _: Signature, arguments: Arguments) -> Value:
        real, whole = context.get_value_type(like), ir.IntType(32)
        *matrices, sizes = (cgutils.unpack_tuple(builder, each) for each in arguments[:4])
        address = matrices[0][0].type
        parts = [*[whole] * 6, real, address, whole, address, whole, real, address, whole]
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), parts), SYMBOLS[like.name]
        )
        places = [(place, builder.trunc(width, whole)) for place, width, _ in matrices]
        orders = [builder.trunc(order, whole) for _, _, order in matrices[:2]]
        numbers = [builder.trunc(size, whole) for size in sizes]
        one, zero = ir.Constant(real, 1.0), ir.Constant(real, 0.0)
        before = [ir.Constant(whole, ROW_MAJOR), *orders, *numbers, one, *places[0], *places[1]]
        builder.call(function, [*before, zero, *places[2]])
        return context.get_dummy_value()

    return types.void(a, b, c, sizes, like), code
