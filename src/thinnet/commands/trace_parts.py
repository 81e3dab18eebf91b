"""The trace of a network's pass as text for screens, and as a part of a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.commands.markup import Markup, tag
from thinnet.formulas.naming import text
from thinnet.formulas.quantities import Quantity
from thinnet.tables.uncertain import value_text
from thinnet.tracing.trace import Trace

MOST_NUMBERS: Final = 300  # of a trace that shows each with its formula
EACH: Final = 16  # numbers of an array that are shown in a larger trace


def trace_text(trace: Trace) -> str:
    """All numbers with their formulas; of more than 300 what each array has in it."""
    if sum(quantity.values.size for quantity in trace.quantities) <= MOST_NUMBERS:
        return str(trace)
    return "\n\n".join("\n".join(lines) for lines in _summaries(trace))


def trace_markup(trace: Trace) -> Markup:
    """The same as a part of a page."""
    return tag("div", tag("pre", trace_text(trace)), class_="scrolls", tabindex="0")


def _summaries(trace: Trace) -> Iterator[list[str]]:
    for section in trace.sections:
        names = [text(quantity.key) for quantity in section.quantities]
        wide = max(map(len, names), default=0)
        pairs = zip(names, section.quantities, strict=True)
        yield [section.title, *(f"  {name:<{wide}} {_summary(q)}" for name, q in pairs)]


def _summary(quantity: Quantity) -> str:
    values = np.asarray(quantity.values) + 0.0  # without -0
    if values.size <= EACH:
        return ", ".join(value_text(float(value)) for value in values.ravel())
    shape = " x ".join(map(str, values.shape))
    return f"{shape} numbers: {_figures(values.astype(np.float64))}"


def _figures(values: Array) -> str:
    figures = {
        "mean": values.mean(),
        "deviation": values.std(),
        "least": values.min(),
        "greatest": values.max(),
    }
    texts = [f"{name} {value_text(float(value))}" for name, value in figures.items()]
    return f"{', '.join(texts)}, zero {np.mean(values == 0):.0%}"
