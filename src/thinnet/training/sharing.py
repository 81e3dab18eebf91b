"""Callbacks of fits that train several networks: some give each network one of its own.

A callback may have two methods more: ``of_members(n)`` returns a callback for each of `n` networks,
and ``on_fit_end(estimator, networks)`` is called when a fit ends.  Those of members may have a
`source`, which says where their rows come from (`come_from`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thinnet.arrays import Array
from thinnet.training.loop import check_callbacks


def each_its_own(callbacks: Sequence[Any], n: int) -> list[list[Any]]:
    """The callbacks of each of `n` networks, in the order of `callbacks`."""
    check_callbacks(callbacks)
    found = [_for_each(callback, n) for callback in callbacks]
    return [list(of_one) for of_one in zip(*found, strict=True)] if found else [[]] * n


def _for_each(callback: Any, n: int) -> Sequence[Any]:
    return callback.of_members(n) if is_shared(callback) else [callback] * n


def is_shared(callback: Any) -> bool:
    """Whether a callback has one for each of several networks."""
    return hasattr(callback, "of_members")


def may_meet(callbacks: Sequence[Any]) -> bool:
    """Whether networks with these callbacks may be trained at once."""
    check_callbacks(callbacks)
    return all(map(is_shared, callbacks))


def come_from(
    callbacks: Sequence[Any],
    places: Array | slice | None = None,
    bootstrap: int | None = None,
    copied: Callable[[], Sequence[Any]] | None = None,
) -> None:
    """Let callbacks of members know where the rows of their network come from.

    Parameters
    ----------
    callbacks : sequence of Callback
    places : array or slice, optional
        The rows' places among all rows.
    bootstrap : int, optional
        The seed of the bootstrap sample that weighs them.
    copied : callable, optional
        Makes X, targets and weights again, so that no copy of them need be kept.
    """
    some = None if isinstance(places, slice) else places
    for callback in callbacks:
        if hasattr(callback, "source"):
            callback.source = callback.source._replace(
                places=some, bootstrap=bootstrap, copied=copied
            )


def fit_ended(callbacks: Sequence[Any], estimator: Any, networks: Sequence[Any]) -> None:
    """Let callbacks know that an estimator is fitted, and which networks it has."""
    for callback in callbacks:
        if hasattr(callback, "on_fit_end"):
            callback.on_fit_end(estimator, networks)
