"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def shown(seconds: float, digits: int = 3) -> str:
    number, unit = _parts(seconds, digits)
    return f"{number} {unit}"


def range_text(low: float, high: float) -> str:
    """Two times; the unit of both stands once."""
    first, unit = _parts(low, 3)
    last = shown(high)
    return f"{first} to {last}" if last.endswith(f" {unit}") else f"{first} {unit} to {last}"


def _parts(seconds: float, digits: int) -> tuple[str, str]:
    seconds = float(f"{seconds:.{digits}g}")  # first, or there were 1000 us
    scale, unit = next((s, u) for s, u in UNITS if seconds >= s or u == "ns")
    return significant(seconds / scale, digits), unit


def significant(number: float, digits: int) -> str:
    """So many digits that count, and no exponent."""
    return f"{float(f'{number:.{digits}g}'):.10g}"


def ratio_text(system: Mapping[str, Any]) -> str:
    """How many times as fast we are, with quartiles where a file has them."""
    if "ratios" not in system:
        return times(system["ratio"])
    low, high = system["ratios"]["low"], system["ratios"]["high"]
    return f"{times(system['ratio'])} ({times(low)} to {times(high)})"


def times(ratio: float) -> str:
    """Three digits from 10 on, two decimals below."""
    return f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def factor(ratio: float) -> str:
    """The same in two digits."""
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}"
