"""Types for columns of text, where each of their cells agrees."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.tables.reading.cells import DASH, Cells, Frame
from thinnet.tables.reading.labels import CODE

LOOKED_AT: Final = 100  # first: most columns of text show themselves there
ISO_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"


def typed(frame: Frame) -> Frame:
    """A frame of text with types: numbers, truth values and dates where all cells are such.

    A column is looked at as a whole, without its missing cells and, among numbers, "-".  Whole
    numbers are int64 (Int64 if a cell is missing) and others float64; "true" and "false", in any
    case, are bool (boolean); "020" is a text; "2024-02-29", with or without a time, is
    datetime64.  A frame in parts must not be given types part by part: they may differ.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns that hold no text stay as they are.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": ["7", "-"], "height": ["1", "1.5"], "name": ["7", "Ann"]})
    >>> [str(column.dtype) for _, column in typed(frame).items()]
    ['Int64', 'float64', 'str']
    """
    import pandas as pd

    columns = {name: _typed(column) for name, column in frame.items()}
    return pd.DataFrame(columns, index=frame.index, columns=frame.columns)


def _typed(column: Cells) -> Cells:
    import pandas as pd

    present = column.dropna()
    if not isinstance(column.dtype, pd.StringDtype) or present.empty:
        return column
    for attempt in (_numbers, _truths, _dates):
        found = attempt(present)
        if found is not None:
            return _spread(found, column)
    return column


def _spread(found: Cells, column: Cells) -> Cells:
    """`found`, with missing cells where `column` has some."""
    if len(found) < len(column):
        return found.reindex(column.index)
    plain = {"Int64": "int64", "boolean": "bool"}.get(str(found.dtype))
    return found.astype(plain) if plain else found


def _numbers(present: Cells) -> Cells | None:
    import pandas as pd

    present = present[present != DASH]
    cells = present.to_numpy(object)
    if any(map(CODE.fullmatch, cells)):
        return None
    for part in (cells[:LOOKED_AT], cells):
        rough = pd.to_numeric(part, errors="coerce")
        if not len(part) or np.isnan(rough).any():
            return None
    found = pd.Series(rough, present.index)
    return found.astype("Int64" if rough.dtype == np.int64 else np.float64)


def _truths(present: Cells) -> Cells | None:
    lower = present.str.lower()
    return (lower == "true").astype("boolean") if lower.isin(["true", "false"]).all() else None


def _dates(present: Cells) -> Cells | None:
    import pandas as pd

    if not present.str.fullmatch(ISO_DATE).all():
        return None
    dates = pd.to_datetime(present, format="ISO8601", errors="coerce")
    return None if dates.isna().any() else dates
