"""Changes of settings of layers between two steps, with the old values."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from thinnet import checks
from thinnet.layers import Layer
from thinnet.layers.base import title

SETTINGS: Final = ("rate", "scale", "l1", "l2", "bias_l1", "bias_l2", "max_norm")


class Change(NamedTuple):
    """The change of a setting at a step.

    Attributes
    ----------
    step : int
        The first optimiser step with the new value, counted over the network's life.
    layer : int
        The layer's place in `layers`; -1 for a setting of the training, not of a layer.
    setting : str
    before, value : float or None
    """

    step: int
    layer: int
    setting: str
    before: Any
    value: Any


def having(layers: Sequence[Layer], setting: str, place: int | None) -> list[int]:
    """The places of the layers with the setting; ValueError where there is none."""
    checks.one_of("setting", setting, SETTINGS)
    if place is not None:
        place = checks.integer("layer", place, 0, len(layers) - 1)
        fits = _has(layers[place], setting)
        checks.must(fits, "layer", f"one with a {setting} to change", title(layers[place]))
        return [place]
    found = [i for i, layer in enumerate(layers) if _has(layer, setting)]
    checks.must(bool(found), "setting", "one that a layer of this network has", setting)
    return found


def _has(layer: Any, setting: str) -> bool:
    """Whether the layer has the setting as a field, and does not learn it."""
    is_ours = dataclasses.is_dataclass(layer)
    named = is_ours and setting in {field.name for field in dataclasses.fields(layer)}
    return bool(named) and not (setting == "rate" and hasattr(layer, "learned_rate"))


def changed(layer: Any, setting: str, value: Any) -> Any:
    """The layer with another value of the setting; ValueError if it is out of its range."""
    return dataclasses.replace(layer, **{setting: value})


def before(layers: Sequence[Layer], changes: Sequence[Change], step: int) -> list[Layer]:
    """The layers with the settings that they had in a step."""
    found = list(layers)
    for change in reversed(changes):
        if change.step > step:
            found[change.layer] = changed(found[change.layer], change.setting, change.before)
    return found


def checked_changes(values: Any, layers: Sequence[Layer], step: int) -> list[Change]:
    """The changes read from a file, up to a step; ValueError for impossible ones."""
    lists = type(values) is list and all(type(v) is list and len(v) == 5 for v in values)
    checks.must(lists, "changes", "a list of lists of five", type(values).__name__)
    found = [Change(*value) for value in values]
    latest = 0
    for change in found:
        latest = checks.integer("step of a change", change.step, latest, step)
        having(layers, change.setting, change.layer)
    before(layers, found, -1)
    return found
