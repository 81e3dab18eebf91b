"""Checkpoints: arrays and plain values in one file, written so that none is ever half there.

The file is safetensors: numbers without pickle.  Plain values stand as JSON in its metadata, with
a checksum over all of it; loading runs no code from the file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import CheckpointError, must

FORMAT = 1
KIND = "thinnet checkpoint"


class Snapshot(NamedTuple):
    arrays: Mapping[str, Array]
    values: Mapping[str, Any]


def write(path: str | os.PathLike[str], snapshot: Snapshot) -> None:
    """Put `snapshot` at `path`, atomically: the old file stays until the new one is complete.

    Raises
    ------
    OSError
        If the folder can't be written to; the file that stood there is untouched.
    """
    from safetensors.numpy import save

    text = json.dumps(snapshot.values, sort_keys=True)
    arrays = {name: np.ascontiguousarray(a) for name, a in snapshot.arrays.items()}
    metadata = {
        "kind": KIND,
        "format": str(FORMAT),
        "values": text,
        "checksum": _checksum(arrays, text),
    }
    write_atomically(Path(path), save(arrays, metadata))


def check_place(path: str | os.PathLike[str]) -> None:
    """ValueError where no checkpoint can be written, or something else would be lost."""
    must(isinstance(path, str | os.PathLike), "checkpoint", "a path", path)
    where = Path(path)
    folder = where.absolute().parent
    writable = folder.is_dir() and os.access(folder, os.W_OK)
    must(writable, "checkpoint", "in a folder that can be written to", os.fspath(path))
    must(not where.is_dir(), "checkpoint", "a file, not a folder", os.fspath(path))
    if where.exists():
        read(path)


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside `path`, flush to the disk, rename, and flush the folder's entry too."""
    beside = path.with_name(f".{path.name}.part")  # one name, so that a kill leaves no pile
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make a rename durable; some systems can't open folders, and need no such thing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(path: str | os.PathLike[str]) -> Snapshot:
    """The snapshot at `path`.

    Raises
    ------
    CheckpointError
        If the file is cut short, altered, of another format, or no checkpoint.
    FileNotFoundError
        If there is no file.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"checkpoint must be an existing file, got {os.fspath(path)!r}")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            _check_kind(path, metadata)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except CheckpointError:
        raise
    except (SafetensorError, ValueError, OSError) as error:
        raise CheckpointError(
            f"checkpoint {os.fspath(path)!r} must be a complete file, got one that is cut short "
            f"or altered ({error})"
        ) from None
    text = metadata.get("values", "")
    if metadata.get("checksum") != _checksum(arrays, text):
        raise CheckpointError(
            f"checkpoint {os.fspath(path)!r} must match its checksum, got altered content"
        )
    return Snapshot(arrays, json.loads(text))


def _check_kind(path: str | os.PathLike[str], metadata: Mapping[str, str]) -> None:
    if metadata.get("kind") != KIND:
        raise CheckpointError(
            f"checkpoint {os.fspath(path)!r} must be a {KIND}, got another safetensors file"
        )
    if metadata.get("format") != str(FORMAT):
        raise CheckpointError(
            f"checkpoint {os.fspath(path)!r} must have format {FORMAT}, got format "
            f"{metadata.get('format')} from another version of thinnet"
        )


def _checksum(arrays: Mapping[str, Array], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
