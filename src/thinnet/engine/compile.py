"""The one decorator for compiled code; what it compiles is kept (`caching`).

No fast-math flag anywhere: every operation rounds as it is written (docs/arithmetic.md).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

import numba
import numba.extending
from numba.core.compiler_lock import global_compiler_lock

from thinnet.engine.aliases import Intrinsic
from thinnet.engine.caching import KernelCache

F = TypeVar("F", bound=Callable[..., Any])

# Numba's own, whose types say nothing of what compiled code sees.
intrinsic: Callable[[Callable[..., Intrinsic]], Callable[..., Any]] = numba.extending.intrinsic
# An overload's annotations say other things than its implementation's, kinds and not numbers.
overload: Callable[..., Callable[[F], F]] = partial(numba.extending.overload, strict=False)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Python looks for circles of dead objects less often.

    Compiling makes millions of objects of which few are dead: it takes a sixth less time.
    """
    with global_compiler_lock:
        before = gc.get_threshold()
        if before[0]:  # 0 is never
            gc.set_threshold(50_000, 20, 50)
        try:
            yield
        finally:
            gc.set_threshold(*before)


def kernel(function: F) -> F:
    """Compile `function` on first use, without the interpreter's lock, and keep the result."""
    dispatcher: Any = numba.njit(nogil=True, error_model="numpy")(function)
    dispatcher._cache = KernelCache(function)
    dispatcher.compile = _seldom_collected()(dispatcher.compile)
    return cast(F, dispatcher)


def inlined(function: F) -> F:
    """A kernel that becomes a part of its callers, so that their loops can become vectors."""
    return cast(F, numba.njit(inline="always", error_model="numpy")(function))
