"""Estimators that are fitted over and over: with several rates, or on parts of the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from thinnet import checks, philox, sparse
from thinnet.arrays import Array

Make: TypeAlias = Callable[[float, int, int], Any]  # of rate, units and seed
Constant: TypeAlias = Literal["n", "pn"]
CONSTANTS: Final = ("n", "pn")


class Errors(NamedTuple):
    """``1 - score`` on training and on test rows, each of shape (points, seeds)."""

    training: Array
    test: Array


def by_rate(
    make: Make, rows: Any, test: Any, rates: Sequence[float], units: int, constant: str, seeds: Any
) -> Errors:
    """The errors of an estimator for each rate and each seed; the units are `n` or `p n`."""
    checks.must(callable(make), "make", "a callable of rate, units and seed", make)
    checks.one_of("constant", constant, CONSTANTS)
    checks.integer("units", units, 1)
    below_one = [checks.below_one("each of rates", rate) for rate in several("rates", rates)]
    found = []
    for rate in below_one:
        width = units if constant == "n" else round(units / (1 - rate))
        found.append([fitted_errors(make(rate, width, seed), rows, test) for seed in _seeds(seeds)])
    return _as_errors(found)


def by_size(
    make: Make, rows: Any, test: Any, sizes: Sequence[int], rate: float, units: int, seeds: Any
) -> Errors:
    """The errors of an estimator that is fitted to the first rows of an order by the seed."""
    checks.must(callable(make), "make", "a callable of rate, units and seed", make)
    checks.integer("units", units, 1)
    checks.below_one("each of rates", rate)
    X, y = checked_pair("X, y", rows)
    n = X.shape[0]
    found = []
    for size in several("sizes", sizes):
        checks.integer("each of sizes", size, 1, n)
        here = []
        for seed in _seeds(seeds):
            part = philox.permutation(seed, "split", 0, n)[:size]
            here.append(fitted_errors(make(rate, units, seed), (X[part], y[part]), test))
        found.append(here)
    return _as_errors(found)


def fitted_errors(estimator: Any, rows: Any, test: Any) -> tuple[float, float]:
    """Fit an estimator; ``1 - score`` on its training rows and on the test rows."""
    for name in ("fit", "score"):
        checks.must(
            hasattr(estimator, name), "what make returns", f"one that has {name}", estimator
        )
    (X, y), (X_test, y_test) = rows, checked_pair("test", test)
    estimator.fit(X, y)
    return 1 - float(estimator.score(X, y)), 1 - float(estimator.score(X_test, y_test))


def checked_pair(name: str, pair: Any) -> tuple[Any, Any]:
    """Rows and targets of one length, as arrays that parts can be taken of."""
    right = isinstance(pair, tuple | list) and len(pair) == 2
    checks.must(right, name, "a pair (X, y)", type(pair).__name__)
    X = sparse.data_rows(f"X of {name}", pair[0])
    return X, checks.same_length(f"y of {name}", checks.array("y", pair[1]), "X", X.shape[0])


def _as_errors(found: list[list[tuple[float, float]]]) -> Errors:
    errors = np.array(found)
    return Errors(errors[..., 0], errors[..., 1])


def several(name: str, values: Any) -> list[Any]:
    """`values` as a list; ValueError if there is none."""
    found = list(values) if np.iterable(values) and not isinstance(values, str) else []
    checks.must(bool(found), name, "a sequence of at least one number", values)
    return found


def _seeds(seeds: Any) -> list[int]:
    return [checks.integer("each of seeds", seed, 0) for seed in several("seeds", seeds)]
