"""Snapshots: arrays and plain values in one file, which is complete or not there.

The file is safetensors: numbers without pickle.  Plain values stand as JSON in its metadata, with
a checksum over everything; loading runs no code from the file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinnet import atomic
from thinnet.arrays import Array
from thinnet.checks import CheckpointError, one_line

FORMAT = 1
KIND = "thinnet checkpoint"


class Snapshot(NamedTuple):
    arrays: Mapping[str, Array]
    values: Mapping[str, Any]


class Form(NamedTuple):
    """A kind of file: its name in sentences, its mark, and its errors.

    Files are written with the format `number`; formats from `oldest` on are read.
    """

    name: str
    kind: str
    number: int
    error: type[ValueError]
    oldest: int = 1


def _form() -> Form:
    return Form("checkpoint", KIND, FORMAT, CheckpointError)


def write(path: str | os.PathLike[str], snapshot: Snapshot) -> None:
    """Put `snapshot` at `path`, atomically: the old file stays until the new one is complete.

    Raises
    ------
    OSError
        If the folder can't be written to; an old file at `path` is untouched.
    """
    write_as(_form(), path, snapshot)


def write_as(form: Form, path: str | os.PathLike[str], snapshot: Snapshot) -> None:
    """Put `snapshot` at `path` as a file of another kind."""
    from safetensors import SafetensorError
    from safetensors.numpy import save

    text = json.dumps(snapshot.values, sort_keys=True)
    arrays = {name: np.asarray(a, order="C") for name, a in snapshot.arrays.items()}
    metadata = {"kind": form.kind, "format": str(form.number), "values": text}
    metadata["checksum"] = _checksum(arrays, text)
    try:
        content = save(arrays, metadata)
    except SafetensorError as error:
        raise ValueError(
            f"{form.name} must have less than 100 MB beside its arrays, got {len(text)} "
            f"characters ({error})"
        ) from None
    with atomic.replacing(path) as file:
        for part in _in_one_order(content):
            file.write(part)


def _in_one_order(content: bytes) -> Iterator[bytes | memoryview]:
    """The content with the names in its header sorted; the library leaves them in hash order."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little")
    yield text
    yield memoryview(content)[end:]


def check_place(path: str | os.PathLike[str]) -> None:
    """ValueError where no checkpoint can be written, or a file of another kind would be lost."""
    atomic.check_place("checkpoint", path)
    if Path(path).exists():
        read(path)


def read(path: str | os.PathLike[str]) -> Snapshot:
    """The snapshot at `path`.

    Raises
    ------
    CheckpointError
        If the file is cut short, altered, of another format, or no checkpoint.
    FileNotFoundError
        If there is no file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"checkpoint must be an existing file, got {os.fspath(path)!r}")
    return read_as(_form(), path)


def read_as(form: Form, path: str | os.PathLike[str]) -> Snapshot:
    """The snapshot in a file of another kind; any fault of the file is a `form.error`."""
    what = f"{form.name} {os.fspath(path)!r}"
    metadata, arrays = _content(form, path, what)
    text = metadata.get("values", "")
    if metadata.get("checksum") != _checksum(arrays, text):
        raise form.error(f"{what} must match its checksum, got altered content")
    try:
        return Snapshot(arrays, json.loads(text))
    except (ValueError, RecursionError) as error:
        raise form.error(f"{what} must hold JSON that can be read, got other ({error})") from None


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """The kind of a file, from the mark inside it; None for other files."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return (file.metadata() or {}).get("kind")
    except (SafetensorError, OSError, ValueError):
        return None


def _content(
    form: Form, path: str | os.PathLike[str], what: str
) -> tuple[Mapping[str, str], dict[str, Array]]:
    from safetensors import safe_open

    try:
        if not Path(path).stat().st_size:
            raise form.error(f"{what} must be a complete file, got an empty one")
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            _check_form(form, what, metadata)
            return metadata, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (form.error, MemoryError):
        raise
    except Exception as error:  # the library's, the system's, or about types that NumPy lacks
        raise form.error(
            f"{what} must be a complete file, got one that is cut short or altered "
            f"({one_line(error)})"
        ) from None


def _check_form(form: Form, what: str, metadata: Mapping[str, str]) -> None:
    kind, number = metadata.get("kind"), metadata.get("format", "")
    if kind != form.kind:
        raise form.error(f"{what} must be a {form.kind}, got another safetensors file")
    if number not in (known := [str(n) for n in range(form.oldest, form.number + 1)]):
        is_newer = number.isascii() and number.isdigit() and int(number) > form.number
        whose = "a newer thinnet: update thinnet" if is_newer else "another version of thinnet"
        raise form.error(
            f"{what} must have format {' or '.join(known)}, got format {one_line(number, 20)}, "
            f"written by {whose}"
        )


def _checksum(arrays: Mapping[str, Array], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
