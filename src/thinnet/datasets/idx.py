"""Files in LeCun's idx format."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError


def read_idx(path: str | os.PathLike[str]) -> Array:
    """The bytes of an idx file (LeCun's format), packed by gzip or not.

    Parameters
    ----------
    path : path
        A file of unsigned bytes, with 1 to 4 axes.

    Returns
    -------
    uint8 array, of the shape that the file states

    Raises
    ------
    DataFileError
        If the file can't be read, is cut short or too long, or is no idx file of bytes.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "labels"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 9]))
    ...     read_idx(path)
    array([3, 9], dtype=uint8)
    """
    try:
        with _unpacked(path) as file:
            return _values(file, os.fspath(path))
    except (OSError, EOFError, zlib.error) as error:
        raise DataFileError(
            f"{os.fspath(path)} must be a readable idx file, got {type(error).__name__}: {error}"
        ) from error


def _values(file: BufferedIOBase, what: str) -> Array:
    """The array in an open idx file."""
    start = file.read(4)
    if len(start) < 4 or start[:3] != b"\x00\x00\x08" or not 1 <= start[3] <= 4:
        raise DataFileError(
            f"{what} must be an idx file of bytes (00 00 08 and 1 to 4 axes), got a file that "
            f"begins with {start.hex(' ') or 'nothing'}"
        )
    n_axes = start[3]
    lengths = file.read(4 * n_axes)
    shape: tuple[int, ...] = ()
    if len(lengths) == 4 * n_axes:
        shape = struct.unpack(f">{n_axes}I", lengths)
    size = math.prod(shape) if shape else 0
    values = _at_most(file, size + 1)
    if not shape or len(values) != size:
        raise DataFileError(
            f"{what} must hold {size if shape else 'its'} values of shape {shape}, got "
            f"{len(values)}{' or more' if len(values) > size else ''}: it is cut short or damaged"
        )
    return np.frombuffer(bytes(values), np.uint8).reshape(shape)


def _at_most(file: BufferedIOBase, size: int) -> bytearray:
    """The next bytes; of a file that unpacks to more, no more than `size`."""
    found = bytearray()
    while len(found) < size and (piece := file.read(min(2**20, size - len(found)))):
        found += piece
    return found


def _unpacked(path: str | os.PathLike[str]) -> BufferedIOBase:
    with Path(path).open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else Path(path).open("rb")
