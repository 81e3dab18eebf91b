"""The vector of parameters, which knows when somebody may have written to it."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from thinnet.arrays import Flat

_versions = itertools.count()
_LINE: Final = 64  # bytes of a cache line, with which a vector of a processor begins
# Without the interpreter's lock a count may be read while it moves from one place to another.
_COUNTS: Final = getattr(sys, "_is_gil_enabled", lambda: True)()


class Parameters:
    """A flat vector of zeros, and a version that moves whenever it may have been written to.

    Nobody can write to it but through a view that `lend` has given, or one made from such a view,
    be it an array, a memoryview or another library's tensor.  Each of them holds the memory itself
    (NumPy lets views of views hold the array that owns it), so the count of its holders tells
    whether any is left, and the version whether there were any since.

    Attributes
    ----------
    values : array, shape (size,)
        To read only: it is no holder that counts.
    version : int
        Moves after a view is made and before anybody gets it, so that whoever finds the version
        of before knows that nobody has written since.
    """

    def __init__(self, size: int, dtype: np.dtype) -> None:
        memory = np.zeros(size * dtype.itemsize + _LINE, np.uint8)
        start = -memory.ctypes.data % _LINE
        self._values: Flat = memory[start : start + size * dtype.itemsize].view(dtype)
        self.values = self._values[:]
        self.values.flags.writeable = False
        self._memory, self.version = (memory,), next(_versions)
        del memory
        self._at_rest = self._holders()

    def _holders(self) -> int:
        # By a call from C: the interpreter may or may not count what it has in hand itself.
        return next(map(sys.getrefcount, self._memory))

    def lend(self) -> Flat:
        """A view for somebody who may write to it."""
        view = self._values[:]
        self.version = next(_versions)
        return view

    def settled(self) -> int | None:
        """The version, if nobody has a view; None if somebody may be writing."""
        version = self.version  # first: whoever makes a view after the count moves it
        return version if _COUNTS and self._holders() == self._at_rest else None

    def part(self, start: int, group: Any) -> Callable[[], Any]:
        """A function that lends views in the shapes of a NamedTuple, one behind the other."""
        pieces = []
        for shape in group:
            stop = start + math.prod(shape)
            pieces.append((slice(start, stop), shape))
            start = stop

        return partial(self._views, type(group), pieces) if pieces else lambda: group

    def _views(self, kind: Any, pieces: list[Any]) -> Any:
        whole = self.lend()
        return kind(*[whole[place].reshape(shape) for place, shape in pieces])
