"""Checks of the card of a model from a file: the facts that `thinnet show` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from thinnet import checks
from thinnet.tables.columns.kinds import Column

CARD: Final[dict[str, Any]] = {
    "table": str,
    "target": str,
    "rows": int,
    "tested on": str | None,
    "plain": list,
    "seed": int,
    "thinnet": str,
    "scores": list,
}
MAY_BE: Final[dict[str, Any]] = {"classes": list, "holes": dict, "trained": str}
SCORE: Final[dict[str, Any]] = {"name": str, "model": float, "baseline": float, "rises": bool}
CLASS: Final[dict[str, Any]] = {
    "label": str,
    "rows": int,
    "precision": float,
    "recall": float,
    "f1": float,
    "pr_auc": float,
}


def check_card(card: Any, plain: int, columns: tuple[Column, ...]) -> None:
    """ValueError unless the card has its facts in their types.

    Parameters
    ----------
    card : dict
    plain : int
        How many numbers the plainest answer is: as many as there are classes, or one.
    columns : tuple of Column
    """
    may_be = {name: kind for name, kind in MAY_BE.items() if name in card}
    for name, kind in {**CARD, **may_be}.items():
        if not isinstance(card.get(name, ...), kind):
            raise ValueError(
                f"card_ must have {name!r}, of the type {kind}, got {card.get(name)!r}"
            )
    if not all(type(fraction) is float for fraction in card["plain"]):
        raise ValueError(f"plain must be numbers, got {card['plain']!r}")
    if len(card["plain"]) != plain:
        raise ValueError(f"plain must be {plain} numbers, got {card['plain']!r}")
    _check_each("scores", card["scores"], SCORE)
    _check_each("classes", card.get("classes", []), CLASS)
    names = {column.name for column in columns}
    for name, holes in card.get("holes", {}).items():
        if name not in names or not checks.is_integer(holes) or not 0 <= holes <= card["rows"]:
            raise ValueError(f"holes must be counts of rows by column, got {name!r}: {holes!r}")


def _check_each(name: str, values: list[Any], kinds: Mapping[str, Any]) -> None:
    for value in values:
        fits = isinstance(value, dict) and value.keys() == kinds.keys()
        if not fits or not all(isinstance(value[key], kinds[key]) for key in kinds):
            raise ValueError(f"{name} must have {', '.join(kinds)}, got {value!r}")
