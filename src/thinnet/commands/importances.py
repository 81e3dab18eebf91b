"""Importances of a model's columns as texts."""

from __future__ import annotations

import math
from typing import Any, Final

from thinnet.commands.scoring import number_text
from thinnet.tables.importances import Importances

LARGE: Final = 1e6  # from here on numbers are written as 8.53e+09


def known_of(estimator: Any) -> Importances | None:
    """The importances; None of a model of an earlier version, which has none."""
    return getattr(estimator, "importances_", None)


def texts_of(estimator: Any) -> dict[str, str] | None:
    """For each column its importance and error bar, such as "0.051 ± 0.005"; "-" if left out."""
    if (found := known_of(estimator)) is None:
        return None
    used = {c.name for c in estimator.encoder_.columns_ if c.kind != "left out"}
    return {
        name: text(mean, std) if name in used else "-"
        for name, mean, std in zip(found.columns, found.mean, found.std, strict=True)
    }


def text(mean: float, std: float) -> str:
    """A mean and its error bar, which has two digits at least, and as many behind the point."""
    if max(abs(mean), std) >= LARGE:
        return f"{mean:.3g} ± {std:.2g}"
    if not 0 < std < math.inf:
        return f"{number_text(mean)} ± {number_text(std)}"
    digits = max(0, 1 - math.floor(math.log10(std)))
    return f"{mean:,.{digits}f} ± {std:,.{digits}f}"
