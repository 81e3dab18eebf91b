"""Ways to take an object apart into named values, and to make it from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

Checked: TypeAlias = Any  # a type or types, as isinstance takes them
Kinds: TypeAlias = Mapping[str, Checked]
State: TypeAlias = dict[str, Any]

OF_TRAINING: Final = ("callbacks", "checkpoint", "memory")  # settings that are saved as None
SPELT_BEFORE: Final = {"initialiser": "initializer"}  # the spelling in files of format 1
LEFT_OUT: Final = ("_sklearn_version", "_skl_callbacks")
ALL_MAY_HAVE: Final[Kinds] = {
    "n_features_in_": int,
    "feature_names_in_": np.ndarray,
    "_sklearn_output_config": dict,
}


class Way(NamedTuple):
    """Functions from an object to its state and back; and whether it may be a file's model."""

    state_of: Callable[[Any], State]
    make: Callable[[Any, State], Any]
    alone: bool = False


def record(*names: str) -> Way:
    """The way of objects whose constructor takes their fields, or the attributes `names`."""

    def state_of(value: Any) -> State:
        return {name: getattr(value, name) for name in names or _fields(type(value))}

    def make(cls: Any, state: State) -> Any:
        state = {SPELT_BEFORE.get(name, name): part for name, part in state.items()}
        check_names(cls, state, names or _fields(cls))
        return cls(**state)

    return Way(state_of, make)


def records(module: str, *names: str) -> dict[str, Way]:
    """The ways of several classes of one module that are made of their fields."""
    return {f"{module}.{name}": record() for name in names}


def _fields(cls: Any) -> tuple[str, ...]:
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    return tuple(cls._fields)


def check_names(cls: Any, names: Iterable[str], known: Iterable[str]) -> None:
    """ValueError for a name that is not known."""
    for name in names:
        if name not in known:
            raise ValueError(f"{cls.__name__} has no attribute {name!r} that is known here")


def nothing_more(estimator: Any) -> None:
    """Leave an estimator as it is."""


def state_of_estimator(estimator: Any) -> State:
    """The settings of an estimator and the attributes that `fit` has set."""
    state = estimator.__getstate__()
    kept = {name: value for name, value in state.items() if name not in LEFT_OUT}
    for name in signature(type(estimator)).parameters:
        if name in OF_TRAINING or isinstance(kept[name], np.random.RandomState):
            kept[name] = None
    return kept


def fitted(
    always: Kinds,
    maybe: Kinds | None = None,
    finish: Callable[[Any], None] = nothing_more,
    state_of: Callable[[Any], State] = state_of_estimator,
) -> Way:
    """The way of estimators, which have settings and the attributes that `fit` sets.

    Parameters
    ----------
    always, maybe : mapping
        The attributes that a fitted estimator has or may have, and their types.
    finish : callable
        Is called with the fitted estimator that was made; it raises ValueError if its parts don't
        fit together.
    state_of : callable
        Takes an estimator apart.
    """
    known = {**ALL_MAY_HAVE, **(maybe or {}), **always}

    def make(cls: Any, state: State) -> Any:
        names = signature(cls).parameters
        estimator = cls(**{name: state.pop(name) for name in names if name in state})
        _check_kinds(cls, state, known)
        vars(estimator).update(state)
        if _is_fitted(cls, state, always, maybe or {}):
            finish(estimator)
        return estimator

    return Way(state_of, make, alone=True)


def _check_kinds(cls: Any, state: State, known: Kinds) -> None:
    check_names(cls, state, known)
    for name, value in state.items():
        if not isinstance(value, known[name]):
            wanted, found = getattr(known[name], "__name__", str(known[name])), type(value).__name__
            raise ValueError(f"{name} of {cls.__name__} must be of the type {wanted}, got {found}")


def _is_fitted(cls: Any, state: State, always: Kinds, maybe: Kinds) -> bool:
    """Whether a state has all that `fit` sets; ValueError if it has only a part."""
    lacking = [name for name in always if name not in state]
    if lacking and any(name in state for name in (*always, *maybe)):
        raise ValueError(f"{cls.__name__} must have {' and '.join(lacking)}, got none")
    return not lacking
