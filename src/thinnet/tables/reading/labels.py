"""Values of categories as the texts that a file would have for them."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from thinnet.tables.reading.cells import NUMBER, Cells

CODE: Final = re.compile("[+-]?0[0-9]+")  # digits after a zero: a name, not a number
EXACT: Final = 2**53  # all whole numbers up to here are floats


def as_labels(cells: Cells, *, codes: bool = True) -> Cells:
    """Texts, the same for 3, 3.0 and "3", and for True and "true"; None for missing cells.

    With `codes`, what is written with a zero before it ("020") keeps it, and long numbers all of
    their digits; models that were saved before had neither.
    """
    import pandas as pd

    places, distinct = pd.factorize(cells)
    named = label if codes else number_or_text
    names = np.array([*(named(value) for value in distinct), None], object)
    return pd.Series(names[places], cells.index, dtype=object)


def label(value: Any) -> str:
    """A value as the text that a file would have for it."""
    text = str(value).strip()
    if isinstance(value, str) and (not NUMBER.fullmatch(text) or _is_name(text)):
        return text.lower() if text.lower() in ("true", "false") else text
    if isinstance(value, int | np.integer) and abs(int(value)) >= EXACT:
        return text
    return number_or_text(value)


def _is_name(text: str) -> bool:
    return CODE.fullmatch(text) is not None or (
        text.lstrip("+-").isdigit() and abs(float(text)) >= EXACT
    )


def number_or_text(value: Any) -> str:
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        number = float(text)
    except ValueError:
        return text
    if not np.isfinite(number):
        return text
    return str(int(number)) if number == int(number) and abs(number) < EXACT else repr(number)


def as_written(cells: Cells) -> Cells:
    """Texts of a target as they are written, unless one class is written in two ways."""
    import pandas as pd

    written, labels = cells.astype(str).str.strip(), as_labels(cells)
    alike = written.nunique() == labels.nunique()
    return pd.Series((written if alike else labels).to_numpy(object), cells.index, name=cells.name)
