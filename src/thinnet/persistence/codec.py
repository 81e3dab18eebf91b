"""Values as JSON with their arrays beside it, and back.

JSON's own values stand for themselves: a float is written as the shortest decimal that is read
back as the same float.  Anything else is ``{"is": what, "of": parts}``.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from thinnet.arrays import Array
from thinnet.persistence import known
from thinnet.persistence.rules import BY_TAG, rule_for
from thinnet.persistence.tensors import as_tensor, from_tensor

DEPTH: Final = 64  # the deepest nesting of values; a pipeline within a pipeline takes four
PLAIN: Final = (type(None), bool, int, str)


def pack(value: Any, arrays: dict[str, Array], place: tuple[Any, ...] = ()) -> Any:
    """`value` as a JSON value; its arrays are put into `arrays`, with their places as names.

    Raises
    ------
    ValueError
        If it holds an object of an unknown class, or is nested too deep.
    """
    check_depth(len(place))
    if type(value) in PLAIN or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is list:
        return [pack(item, arrays, (*place, i)) for i, item in enumerate(value)]
    try:
        tag, parts = _apart(value, arrays, ".".join(map(str, place)))
    except ValueError as error:
        where = ".".join(map(str, place)) or "it"
        raise ValueError(f"{where} can't be saved: {error}") from None
    if type(parts) is dict:
        packed = {name: pack(part, arrays, (*place, name)) for name, part in parts.items()}
        return {"is": tag, "of": packed}
    return {"is": tag, "of": pack(parts, arrays, place)}


def _apart(value: Any, arrays: dict[str, Array], place: str) -> tuple[str, Any]:
    """The name of a value's class, and its parts: a list, a word, or named values."""
    if type(value) is np.ndarray and value.dtype != object:
        arrays[place], name = as_tensor(value)
        return "array", [name, place]
    rule = rule_for(value)
    if rule is not None:
        return rule.tag, rule.apart(value)
    return known.name_of(type(value)), known.way_of(type(value)).state_of(value)


def unpack(value: Any, arrays: dict[str, Array], depth: int = 0) -> Any:
    """The value that `pack` was given; the arrays in it are taken out of `arrays`.

    Raises
    ------
    ValueError
        If `pack` can't have returned it; other exceptions if a class refuses its parts.
    """
    check_depth(depth)
    if type(value) is str:
        value.encode()  # lone surrogates can be neither printed nor written
    if type(value) is list:
        return [unpack(item, arrays, depth + 1) for item in value]
    if type(value) is not dict:
        return value
    if value.keys() != {"is", "of"}:
        raise ValueError(f"a value must say what it is, got one with {', '.join(value)}")
    return _together(value["is"], value["of"], arrays, depth)


def _together(tag: str, parts: Any, arrays: dict[str, Array], depth: int) -> Any:
    if tag == "array":
        name, place = parts
        return from_tensor(_taken(arrays, place), name)
    if tag in BY_TAG:
        return BY_TAG[tag].together(unpack(parts, arrays, depth + 1))
    cls = known.class_of(tag)
    if type(parts) is not dict:
        raise ValueError(f"the parts of a {tag} must have names, got {type(parts).__name__}")
    state = {name: unpack(part, arrays, depth + 1) for name, part in parts.items()}
    return known.way_of(cls).make(cls, state)


def _taken(arrays: dict[str, Array], place: str) -> Array:
    if place not in arrays:
        raise ValueError(f"the file must have an array {place!r} for one use, got none")
    return arrays.pop(place)


def check_depth(depth: int) -> None:
    if depth > DEPTH:
        raise ValueError(f"values must stand at most {DEPTH} deep in each other, got more")
