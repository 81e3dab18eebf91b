"""Bad settings and bad data, refused once and in the same words.

One sentence: *name* must be *range*, got *value*.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from thinnet.arrays import Array


class StaleCacheError(RuntimeError):
    """The cache of an older forward pass was given to ``backward``."""


class DivergedError(ArithmeticError):
    """The loss or a gradient stopped being finite; the network keeps its last good weights.

    Attributes
    ----------
    epoch, step : int
        The epoch of this training, and the step counted over the network's whole life.
    history : History
        The epochs completed before.
    """

    def __init__(self, what: str, epoch: int, step: int, history: Any = None) -> None:
        self.what, self.epoch, self.step, self.history = what, epoch, step, history
        super().__init__(
            f"training diverged in epoch {epoch}, step {step}: {what} is not finite; the network "
            "keeps its last good weights (a smaller learning rate or clip_norm may help)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.epoch, self.step, self.history)


class UnusedMaskWarning(UserWarning):
    """Masks of a step or of rows that training has not used."""


class CheckpointError(ValueError):
    """A checkpoint that is damaged, of another version, or of another training."""


class DataFileError(ValueError):
    """A data file that is missing, cut short, or not what its name says."""


class ModelFileError(ValueError):
    """A model file that is missing, damaged, of another version, or holds an unknown class."""


class SettingError(ValueError):
    """A setting that is out of its range.

    Attributes
    ----------
    name, allowed, got : str
        The parts of the sentence.
    """

    def __init__(self, name: str, allowed: str, got: str) -> None:
        self.name, self.allowed, self.got = name, allowed, got
        super().__init__(f"{name} must be {allowed}, got {got}")

    def renamed(self, names: Mapping[str, str]) -> SettingError:
        """The same error for a caller who knows the setting by another name."""
        return type(self)(names.get(self.name, self.name), self.allowed, self.got)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.allowed, self.got)


class UnfitSettingError(SettingError, DataFileError):
    """A setting that the data doesn't allow."""


class MissingLibraryError(ValueError):
    """An optional library that the call needs is not installed."""


class NothingDrawsError(ValueError):
    """Draws of a single network without dropout would all be equal."""


class DriftWarning(UserWarning):
    """Columns of a table hold more strange cells than the rows held out in training did."""


def must(ok: bool | np.bool_, name: str, allowed: str, value: object) -> None:
    if not ok:
        raise SettingError(name, allowed, quoted(value, 200))


def quoted(value: object, longest: int = 80) -> str:
    """A name or value for an error sentence: between quotes, and shortened."""
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 4]}...{text[-1]}"


def one_line(message: object, longest: int = 500) -> str:
    """Text of a file or of another library in one line that can be printed."""
    text = " ".join(str(message).split())[:longest]
    return "".join(letter if letter.isprintable() else "?" for letter in text)


FINITE_BLOCK = 2**20  # numbers checked together: the check needs little memory beside the data
FEW_NUMBERS = 2**12  # on one thread, whatever NumPy multiplies with
SQUARED = (np.float32, np.float64)


def is_real(value: object) -> bool:
    # The plain types come first: a check against an abstract class takes ten times as long.
    if type(value) in (float, int):
        return True
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def is_integer(value: object) -> bool:
    if type(value) is int:
        return True
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)


def integer(name: str, value: Any, low: int, high: float = math.inf) -> int:
    """`value` as a Python int, if it is a whole number from `low` to `high`."""
    if is_integer(value) and low <= value <= high:
        return int(value)
    allowed = f"an integer from {low} to {high}" if high < math.inf else f"an integer >= {low}"
    raise SettingError(name, allowed, quoted(value, 200))


def unit_interval(name: str, value: Any) -> float:
    must(is_real(value) and 0 <= value <= 1, name, "a number in [0, 1]", value)
    return float(value)


def below_one(name: str, value: Any) -> float:
    must(is_real(value) and 0 <= value < 1, name, "a number in [0, 1)", value)
    return float(value)


def inside(name: str, value: Any) -> float:
    must(is_real(value) and 0 < value < 1, name, "a number in (0, 1)", value)
    return float(value)


def positive(name: str, value: Any) -> float:
    must(is_real(value) and 0 < value < math.inf, name, "a finite number > 0", value)
    return float(value)


def non_negative(name: str, value: Any) -> float:
    must(is_real(value) and 0 <= value < math.inf, name, "a finite number >= 0", value)
    return float(value)


def finite_number(name: str, value: Any) -> float:
    must(is_real(value) and math.isfinite(value), name, "a finite number", value)
    return float(value)


def boolean(name: str, value: Any) -> bool:
    must(isinstance(value, bool | np.bool_), name, "True or False", value)
    return bool(value)


def one_of(
    name: str, value: Any, allowed: Collection[Any], old: Mapping[str, Any] | None = None
) -> Any:
    """`value`, if it is one of `allowed`; `old` maps values of earlier versions to new ones."""
    for known in allowed:
        if value is known or (type(value) is type(known) and value == known):
            return value
    before = old or {}
    is_old = isinstance(value, str) and value in before
    now = f" ({value!r} is now {before[value]!r})" if is_old else ""
    raise SettingError(name, " or ".join(map(repr, allowed)) + now, repr(value))


def of_kind(name: str, value: object, kind: Any) -> None:
    """ValueError unless `value` is an object (not a class) that follows the protocol `kind`."""
    fits = isinstance(value, kind) and not isinstance(value, type)
    must(fits, name, f"an object of the kind {kind.__name__}", value)


def float_dtype(name: str, value: Any) -> np.dtype:
    """`value` as a NumPy floating-point type."""
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = np.dtype(object)
    must(dtype.kind == "f", name, "a floating-point type", value)
    return dtype


def array(name: str, values: Any) -> Array:
    """`values` as an array, if nothing is lost by that."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} must not hold masked values, got some")
    if hasattr(values, "toarray"):
        raise ValueError(f"{name} must be a dense array, got a sparse {type(values).__name__}")
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must have rows of one length, got ragged ones") from None


def numeric(name: str, values: Any) -> Array:
    """`values` as a non-empty array of numbers, with at least one axis."""
    numbers = array(name, values)
    if numbers.ndim == 0:
        raise ValueError(f"{name} must be an array with at least one axis, got {values!r}")
    if numbers.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {numbers.dtype}")
    if numbers.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {numbers.shape}")
    return numbers


def finite(name: str, values: Array, dtype: Any = None) -> Array:
    """`values`, if all are finite (in `dtype`); else ValueError with the first bad place."""
    if (dtype is None or dtype == values.dtype) and are_few_and_finite(values):
        return values
    rows = max(1, FINITE_BLOCK // max(values[:1].size, 1))
    for start in range(0, len(values), rows):
        part = values[start : start + rows]
        if dtype is not None and part.dtype != dtype:
            with np.errstate(over="ignore"):
                cast = part.astype(dtype)
        else:
            cast = part
        if not np.isfinite(cast).all():
            where, place = first_place(~np.isfinite(cast), start)
            raise ValueError(f"{name} must be finite, got {part[where]} in {place}")
    return values


def are_few_and_finite(values: Array) -> bool:
    """Whether `values` are few and the sum of their squares is finite, and so each of them is.

    For a few numbers that is twice as fast as to look at each.
    """
    few = values.size <= FEW_NUMBERS and values.dtype in SQUARED
    return few and math.isfinite(np.vdot(values, values))


def first_place(bad: Array, start: int = 0) -> tuple[tuple[int, ...], str]:
    """The first place where `bad` is true, as an index and in words; rows count from `start`."""
    row, *column = where = tuple(int(i) for i in np.argwhere(bad)[0])
    return where, f"row {start + row}" + (
        f", column {', '.join(map(str, column))}" if column else ""
    )


def same_length(name: str, values: Array, other_name: str, rows: int) -> Array:
    if len(values) != rows:
        raise ValueError(
            f"{name} must have as many rows as {other_name}, got {len(values)} and {rows}"
        )
    return values
