"""Values of types that JSON lacks, as lists of JSON values: a rule for each type, in both ways."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.persistence import known
from thinnet.persistence.tensors import NUMBERS, TEXT, scalar_from_plain, scalar_to_plain

NOT_FINITE: Final = ("nan", "inf", "-inf")
TYPES: Final[Mapping[str, type]] = {
    **{kind.__name__: kind for kind in (bool, int, float, str, object)},
    **{f"numpy.{name}": np.dtype(name).type for name in NUMBERS},
    **{f"numpy.{name}": getattr(np, name) for name in ("number", "integer", "floating", "str_")},
}


class Rule(NamedTuple):
    """A function from a value to a list or a word, and one back, with ValueError for bad parts."""

    tag: str
    apart: Callable[[Any], Any]
    together: Callable[[Any], Any]


def rule_for(value: Any) -> Rule | None:
    for base, rule in BY_BASE.items():
        if isinstance(value, base):
            return rule
    return BY_TYPE.get(type(value))


def is_key(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | np.generic)


def _pairs(value: dict[Any, Any]) -> list[Any]:
    if not all(map(is_key, value)):
        raise ValueError("the keys of a dict must be text or numbers, got others")
    return [[key, part] for key, part in value.items()]


def _from_pairs(pairs: list[Any]) -> dict[Any, Any]:
    value = dict(pairs)
    _pairs(value)
    return value


def _from_limits(limits: list[Any]) -> slice:
    if not all(limit is None or type(limit) is int for limit in limits):
        raise ValueError("the limits of a slice must be integers, got others")
    start, stop, step = limits
    return slice(start, stop, step)


def _objects(array: Array) -> list[Any]:
    return [list(array.shape), list(array.ravel())]


def _from_objects(parts: list[Any]) -> Array:
    shape, items = parts
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(shape) != len(items):
        raise ValueError("an array must hold as many objects as its shape says, got others")
    array = np.empty(len(items), object)
    for i, item in enumerate(
        items
    ):  # in one assignment arrays of equal length would become columns
        array[i] = item
    return array.reshape(shape)


def _name_of_type(kind: type) -> str:
    for name, other in TYPES.items():
        if kind is other:
            return name
    return known.name_of(kind)


def _type_of_name(name: str) -> type:
    return TYPES[name] if name in TYPES else known.class_of(name)


def _name_of_dtype(dtype: np.dtype) -> str:
    if dtype.kind == "U":
        return dtype.str[1:]
    return _known_dtype(dtype.name)


def _known_dtype(name: str) -> str:
    if name not in (*NUMBERS, "object"):
        raise ValueError(f"a type of numbers must be one of {', '.join(NUMBERS)}, got {name!r}")
    return name


def _from_dtype(name: str) -> np.dtype:
    return np.dtype(name if TEXT.fullmatch(name) else _known_dtype(name))


def _from_word(word: str) -> float:
    if word not in NOT_FINITE:
        raise ValueError(f"a number must be nan or infinite to be a word, got {word!r}")
    return float(word)


BY_TYPE: Final[Mapping[type, Rule]] = {
    float: Rule("float", str, _from_word),
    tuple: Rule("tuple", list, tuple),
    dict: Rule("dict", _pairs, _from_pairs),
    slice: Rule("slice", lambda value: [value.start, value.stop, value.step], _from_limits),
    np.ndarray: Rule("objects", _objects, _from_objects),
}
BY_BASE: Final[Mapping[type, Rule]] = {
    np.generic: Rule("scalar", scalar_to_plain, lambda parts: scalar_from_plain(*parts)),
    np.dtype: Rule("dtype", _name_of_dtype, _from_dtype),
    type: Rule("type", _name_of_type, _type_of_name),
}
BY_TAG: Final = {rule.tag: rule for rule in (*BY_TYPE.values(), *BY_BASE.values())}
