"""Numba's cache, in a folder of ours: never stale, never another user's, never half there.

Numba's own does not notice that a function called from another file has changed; here the folder's
name is a hash over all sources of machine code, the versions of what compiles them, the processor
that they are compiled for and the shape of its tiles.  So an edit anywhere makes a new folder, and
so does another machine that shares the home directory.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import llvmlite
import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.serialize import dumps

from thinnet.atomic import user_folder
from thinnet.engine.keeping import Folder, UnsafeError
from thinnet.engine.shapes import chosen
from thinnet.engine.target import target

# Files and folders of thinnet from which compiled code has its statements and its constants.
SOURCES: Final = ("engine", "arithmetic", "philox.py", "layers/rectifiers.py")


@cache
def machine_code_hash() -> str:
    """Of all that the machine code depends on."""
    digest = hashlib.sha256()
    versions = sys.version, numba.__version__, llvmlite.__version__, np.__version__
    for choice in (*versions, *target(), str(chosen())):
        digest.update(choice.encode() + b"\0")
    for path in map(Path(__file__).parents[1].joinpath, SOURCES):
        for file in [path] if path.suffix else sorted(path.rglob("*.py")):
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class Kept(NamedTuple):
    """A folder, or why there is none."""

    folder: Folder | None
    why: str = ""

    def __str__(self) -> str:
        return str(self.folder.path) if self.folder else f"none ({self.why})"


@cache
def kept() -> Kept:
    """Where compiled kernels are kept: $THINNET_CACHE_DIR, or the user's cache; or nowhere.

    The cache holds machine code, so a folder that others could write to is never used.
    """
    named = os.environ.get("THINNET_CACHE_DIR")
    ours = None if named else user_folder()
    place = Path(named) if named else ours
    if place is None:
        return Kept(None, "this user has no home folder")
    try:
        return Kept(Folder(place.absolute() / f"kernels-{machine_code_hash()}", ours))
    except OSError as error:
        reason = str(error) if isinstance(error, UnsafeError) else f"{place}: {error.strerror}"
        return Kept(None, reason)


@cache
def _say_that_nothing_is_kept(why: str) -> None:
    sys.stderr.write(
        f"thinnet: compiled kernels are not kept, and each process compiles them anew: {why}; "
        "THINNET_CACHE_DIR names another folder\n"
    )


class _Locator(_CacheLocator):
    """Numba's question where to keep a function; `_Files` answers it."""

    def __init__(self, module: str, line: int) -> None:
        self._id = f"{module}.{line}"

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _Locator:
        return cls(py_func.__module__, py_func.__code__.co_firstlineno)

    def get_cache_path(self) -> str:
        return ""

    def ensure_cache_path(self) -> None: ...

    def get_source_stamp(self) -> str:
        return ""  # the folder's name says it

    def get_disambiguator(self) -> str:
        return self._id


class _Implementation(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012


class _Files:
    """The code of one function for each of its signatures; Numba's IndexDataCacheFile, checked.

    An index says which file holds which signature.  A file's name is a checksum of what is in it,
    so that two processes which compile at once never give one name to different code.
    """

    def __init__(self, base: str) -> None:
        self._base, self._index = base, f"{base}.index"

    def load(self, key: object) -> object:
        """What was saved for a signature; None where that is nothing, or damaged."""
        folder = kept().folder
        name = None if folder is None else self._names(folder).get(key)
        if folder is None or name is None:
            return None
        content = folder.read(name)
        return None if content is None else pickle.loads(content)

    def save(self, key: object, data: object) -> None:
        folder, why = kept()
        if folder is None:
            _say_that_nothing_is_kept(why)
            return
        content = dumps(data)
        name = f"{self._base}.{hashlib.sha256(content).hexdigest()[:32]}"
        with suppress(OSError), folder.locked():  # a full disk: compiled again next time
            folder.write(name, content)
            names = self._names(folder) | {key: name}
            folder.write(self._index, dumps(names))

    def flush(self) -> None:
        if (folder := kept().folder) is not None:
            folder.remove(self._index)

    def _names(self, folder: Folder) -> dict[object, str]:
        content = folder.read(self._index)
        return {} if content is None else pickle.loads(content)


class KernelCache(FunctionCache):
    _impl_class = _Implementation

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _Files(self._impl.filename_base)  # type: ignore[assignment]
