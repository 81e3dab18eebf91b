"""The one decorator for compiled code: its flags, its cache folder, and why.

Compiling takes seconds, so machine code is kept on disk.  Numba's own cache does not notice that
a function called from another file has changed; here the folder's name is a hash over all sources
of the engine and the versions of what compiles them, so an edit anywhere makes a new folder.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import llvmlite
import numba
import numba.extending
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

F = TypeVar("F", bound=Callable[..., Any])

# Numba's own, whose types say nothing of what compiled code sees.
intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.extending.intrinsic
overload: Callable[..., Callable[[F], F]] = numba.extending.overload

# Sums may be reordered and multiply-adds fused, but NaN and infinity keep their meaning.
FASTMATH: Final = {"contract", "reassoc", "arcp", "nsz"}
EXACT: Final = False  # every operation rounds as it is written


def kernel(function: F) -> F:
    """Compile `function` on first use, without the interpreter's lock, and keep the result."""
    dispatcher: Any = numba.njit(nogil=True, error_model="numpy", fastmath=FASTMATH)(function)
    dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]
    return cast(F, dispatcher)


def inlined(function: F) -> F:
    """A kernel that becomes a part of its callers, so that their loops can become vectors."""
    return cast(F, numba.njit(inline="always", error_model="numpy", fastmath=FASTMATH)(function))


@cache
def source_hash() -> str:
    """Of all that the machine code depends on, but the processor (Numba adds that itself)."""
    digest = hashlib.sha256()
    for version in (sys.version, numba.__version__, llvmlite.__version__, np.__version__):
        digest.update(version.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path:
    """Where compiled kernels are kept: $THINNET_CACHE_DIR, the user's cache, or a folder of ours.

    The cache holds machine code, so a folder that others may write to is never used.
    """
    for place in _candidates():
        folder = place / f"kernels-{source_hash()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            continue
        if _is_ours(folder):
            return folder
    return _folder_of_this_process()


def _folder_of_this_process() -> Path:
    """Where nothing can be kept, kernels are compiled anew in each process."""
    folder = tempfile.mkdtemp(prefix="thinnet-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _candidates() -> list[Path]:
    named = os.environ.get("THINNET_CACHE_DIR")
    if named:
        return [Path(named)]
    import platformdirs

    return [Path(platformdirs.user_cache_dir("thinnet"))]


def _is_ours(folder: Path) -> bool:
    """Does it belong to this user, and may nobody else write to it?"""
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


class _Locator(_CacheLocator):
    """Numba's question where to keep a function, answered."""

    def __init__(self, module: str, line: int) -> None:
        self._id = f"{module}.{line}"

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator:
        return cls(py_func.__module__, py_func.__code__.co_firstlineno)

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def ensure_cache_path(self) -> None:
        cache_folder().mkdir(parents=True, exist_ok=True)

    def get_source_stamp(self) -> str:
        return source_hash()

    def get_disambiguator(self) -> str:
        return self._id


class _Implementation(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012


class _Cache(FunctionCache):
    _impl_class = _Implementation
