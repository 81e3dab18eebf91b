"""Arrays in types of safetensors: text as code points, dates as counts."""

from __future__ import annotations

import re
import sys
from typing import Any, Final

import numpy as np

from thinnet.arrays import Array

NUMBERS: Final = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)
TEXT: Final = re.compile(r"U([1-9]\d{0,5})")
DATES: Final = re.compile(r"[mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?")


def as_tensor(array: Array) -> tuple[Array, str]:
    """A copy made of numbers, and the name of the array's own type."""
    native = np.array(array, array.dtype.newbyteorder("="), order="C")
    name = native.dtype.str[1:]
    if native.dtype.name in NUMBERS:
        return native, native.dtype.name
    if DATES.fullmatch(name):
        return native.view(np.int64), name
    if TEXT.fullmatch(name):
        return native[..., None].view(np.uint32), name
    raise ValueError(f"an array must hold numbers, text, dates or objects, got {array.dtype}")


def from_tensor(tensor: Array, name: str) -> Array:
    """The array that `as_tensor` was given."""
    if name in NUMBERS:
        return _of_type(tensor, name)
    if DATES.fullmatch(name):
        return _of_type(tensor, "int64").view(name)
    if not TEXT.fullmatch(name):
        raise ValueError(f"an array must be of a known type, got {name!r}")
    codes = _of_type(tensor, "uint32")
    if codes.shape[-1:] != (int(name[1:]),) or (codes > sys.maxunicode).any():
        raise ValueError(f"text of type {name} must be so many code points, got {codes.shape}")
    return codes.view(name)[..., 0]


def _of_type(tensor: Array, name: str) -> Array:
    if tensor.dtype.name != name:
        raise ValueError(f"a tensor must be of the type {name}, got {tensor.dtype}")
    return np.array(tensor, order="C")


def scalar_to_plain(value: np.generic) -> list[Any]:
    """The type of a NumPy scalar, and a Python number or text."""
    name = value.dtype.str[1:]
    if value.dtype.kind == "U":
        return ["U", str(value)]
    if DATES.fullmatch(name):
        return [name, int(value.astype(np.int64))]
    if value.dtype.name not in NUMBERS:
        raise ValueError(f"a scalar must be a number, text or a date, got {value.dtype}")
    return [value.dtype.name, value.item()]


def scalar_from_plain(name: str, value: Any) -> np.generic:
    """The scalar that `scalar_to_plain` was given."""
    if name == "U" and type(value) is str:
        return np.str_(value)
    if name in NUMBERS and type(value) in (bool, int, float):
        return np.array([value], name)[0]
    if DATES.fullmatch(name) and type(value) is int:
        return np.array([value], np.int64).view(name)[0]
    raise ValueError(f"a scalar must be a number, text or a date, got {name!r}")
