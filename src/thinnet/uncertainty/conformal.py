"""Split-conformal prediction: the quantile of the calibration scores, taken by crepes.

Of n calibration scores and the score of a new row, exchangeable, the new one is at most the r-th
smallest with probability at least r / (n + 1); so r is ``coverage * (n + 1)``, rounded up.
"""

from __future__ import annotations

import math
import warnings
from importlib import import_module
from types import ModuleType

from thinnet import checks
from thinnet.uncertainty.forecasts import as_written


def rows_needed(coverage: float) -> int:
    """The fewest calibration rows that can give this coverage, ``coverage / (1 - coverage)``.

    Examples
    --------
    >>> rows_needed(0.9), rows_needed(0.95), rows_needed(0.975)
    (9, 19, 39)
    """
    exact = as_written(coverage)
    return math.ceil(exact / (1 - exact))


def confidence(coverage: float, rows: int) -> float:
    """The confidence that makes crepes take the score of the right rank.

    Raises
    ------
    ValueError
        If there are fewer rows than the coverage needs.
    """
    needed = rows_needed(coverage)
    enough = f"of at least {needed} rows for a coverage of {coverage}"
    checks.must(rows >= needed, "the calibration set", enough, rows)
    rank = math.ceil(as_written(coverage) * (rows + 1))
    # Crepes rounds (1 - confidence) * (rows + 1) in floating point: with 0.9 and 9 or 99 rows the
    # rank would be one too high.  Half a rank off the whole number, rounding is harmless.
    return (rank - 0.5) / (rows + 1)


def crepes() -> ModuleType:
    """The library crepes, imported without its change of the global warning filters."""
    with warnings.catch_warnings():
        return import_module("crepes")
