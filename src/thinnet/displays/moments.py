"""Pictures that are made again for other moments of a recording."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from thinnet import checks


def moving(again: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of a moment that makes the same picture of it.

    Masks of steps that a moment's network has not taken are those that it would take.
    """

    def at(moment: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", checks.UnusedMaskWarning)
            return again(moment)

    return at
