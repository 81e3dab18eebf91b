"""The floating-point mode of a thread: round to nearest, subnormal numbers kept.

A library that somebody else has loaded may have switched a thread to flushing them to zero.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

T = TypeVar("T")

SMALLEST_NORMAL: Final = sys.float_info.min
SUBNORMAL: Final = SMALLEST_NORMAL * sys.float_info.epsilon
QUARTER: Final = sys.float_info.epsilon / 4  # of the step from 1 to the next number


def is_standard() -> bool:
    """Whether the calling thread's arithmetic is the standard's, asked of itself."""
    keeps = SMALLEST_NORMAL * 0.5 != 0.0 and SUBNORMAL != 0.0
    return keeps and 1.0 + QUARTER == 1.0 and 1.0 + 3 * QUARTER > 1.0 and -1.0 - QUARTER == -1.0


@contextmanager
def standard_mode() -> Iterator[None]:
    """Within it the calling thread rounds to nearest and keeps subnormal numbers.

    The mode is set by functions of their own: in the one that computes, the compiler might move
    operations past it.  Where nothing can be compiled it stays as it is.
    """
    if is_standard() or (word := _switched()) is None:
        yield
        return
    try:
        yield
    finally:
        _write(word)


def in_standard_mode(function: Callable[..., T], *arguments: object) -> T:
    """Call `function` in the standard mode; without `with`, which costs, where it is on already."""
    if is_standard():
        return function(*arguments)
    with standard_mode():
        return function(*arguments)


def _switched() -> int | None:
    """Set the standard mode; the control word that was there, None where it can't be read."""
    from thinnet.engine.target import obstacle

    if obstacle():
        return None
    from thinnet.engine.control_word import NOT_STANDARD, read

    word = read()
    _write(word & ~NOT_STANDARD)
    return word


def _write(word: int) -> None:
    from thinnet.engine.control_word import write

    write(word)
