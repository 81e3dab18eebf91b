"""Compiled functions that are only ever parts of others.

Numba optimises every function and makes machine code of it, with all that it calls, before another
may call it; with functions that call functions that is done over and over.  A part is typed and
lowered only; the function that is called from Python is optimised with its parts, once.  Compiling
takes a third of the time (measured: 41 s and 14 s), and what comes out is the same.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core import codegen, compiler, typed_passes
from numba.core.compiler_machinery import PassManager, register_pass

F = TypeVar("F", bound=Callable[..., Any])

# What is called if Python calls a part: nothing, which Python reports as a SystemError.
_NO_CALL: Final = ctypes.PYFUNCTYPE(*[ctypes.c_void_p] * 4)(lambda *_: 0)
_ADDRESS: Final = ctypes.cast(_NO_CALL, ctypes.c_void_p).value


class _Library(codegen.JITCodeLibrary):
    """Code that is linked into other libraries and never runs by itself."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(typed_passes.NativeLowering):
    """Numba's lowering without its last step, machine code."""

    _name = "thinnet_part"

    def run_pass(self, state: compiler.StateDict) -> bool:
        context = state.targetctx
        state.library = _Library(context.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        state.flags.no_compile = True
        done = super().run_pass(state)
        lowered, function = state["cr"], state["cr"].fndesc
        # Numba knows a compiled function by the Python object that would call it.
        key = _dynfunc.make_function(
            function.lookup_module(), function.qualname, "", _ADDRESS, lowered.env, (state.library,)
        )
        context.insert_user_function(key, function, [state.library])
        state["cr"] = lowered._replace(cfunc=key)
        return done


class _Compiler(compiler.CompilerBase):
    def define_pipelines(self) -> list[PassManager]:
        passes = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (_Lowering if each is typed_passes.NativeLowering else each, name)
            for each, name in passes.passes
        ]
        passes.finalize()
        return [passes]


def part(function: F) -> F:
    """Compile `function` as a part of the kernels that call it; Python can't call it.

    Its numbers are rounded as they are written, with no freedom for the compiler.
    """
    njit: Any = numba.njit  # whose types know only some of its options
    compiled = njit(
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        pipeline_class=_Compiler,
    )(function)
    return cast(F, compiled)
