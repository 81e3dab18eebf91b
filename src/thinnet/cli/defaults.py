"""The defaults that `thinnet fit --help` shows."""

from __future__ import annotations

from typing import Any, Final

from thinnet.commands.recipes import RECIPES, Settings

TABLES: Final = {  # as `TableRegressor` and `TableClassifier` have them
    "hidden": "128",
    "dropout": "0.3, for numbers 0.2",
    "input_dropout": "0.1, for numbers 0",
    "batch_norm": "no",
    "learning_rate": "0.001",
    "batch_size": "a fortieth of the rows, 16 to 256",
    "epochs": "500",
    "networks": "5",
    "weight_decay": "0.01",
    "effort": "normal",
    "loss": "squared_error",
    "quantile": "0.05,0.25,0.5,0.75,0.95",
    "seed": "0",
}
NAMED: Final = tuple(Settings.__dataclass_fields__)


def shown(name: str) -> str:
    """The default of tables, and those of data sets by name where they are others."""
    found = [TABLES[name]] if name in TABLES else []
    by_value: dict[str, list[str]] = {}
    for recipe, each in RECIPES.items() if name in NAMED else ():
        by_value.setdefault(_text(getattr(each.settings, name)), []).append(recipe)
    if list(by_value) == found or not by_value:
        return "".join(found)
    if len(by_value) == 1 and not found:
        return next(iter(by_value))
    return "; ".join([*found, *(f"{', '.join(of)}: {value}" for value, of in by_value.items())])


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    if value is None or isinstance(value, bool):
        return "yes" if value else "no" if value is False else "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
