"""The least certain rows of a table, and the cells that raise their uncertainty."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sklearn.utils.validation import check_is_fitted

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, TableLike
from thinnet.tables import drifting
from thinnet.tables.base import TableEstimator
from thinnet.tables.columns.kinds import Column, as_dates, as_labels, as_numbers, label
from thinnet.tables.columns.missing import cleaned
from thinnet.tables.reading import read_table
from thinnet.tables.reading.cells import POINT_NUMBER, Cells, Frame
from thinnet.tables.reading.frames import as_frame
from thinnet.uncertainty.draws.heads import ClassHead, measure_of

REASONS: Final = 3  # the largest number of cells named for a row
LEAST: Final = 0.005  # the least fraction by which a cell that is named raises the uncertainty
BATCH_CELLS: Final = 2**20  # cells of the rows, with one replaced, that are predicted at once
LONGEST: Final = 40  # letters of a cell that are shown


def uncertain_rows(
    estimator: FittedEstimator,
    table: TableLike,
    n: int = 10,
    *,
    n_draws: int = 100,
    measure: str | None = None,
) -> Frame:
    """The `n` least certain rows of a table, and the cells that raise their uncertainty.

    A cell is named if the row is less uncertain with the column's typical value in its place;
    ``income = 15 (-41 %)`` gives the change.  The typical value is the median (the lower one of
    two), or the most frequent label.  The change is the effect of one column with the row's others
    fixed: it shows no cause, and no columns that act only together.

    Parameters
    ----------
    estimator : TableClassifier or TableRegressor
        A fitted estimator; a regressor must have one output.
    table : path, data frame or array, shape (rows, columns)
        As for `predict`.
    n : int, default=10
        At least 1; all rows if there are fewer.
    n_draws : int, default=100
        At least 2; the draws are the same for all rows and all replacements.
    measure : str, optional
        The measure to rank by: 'predictive_entropy' (the default for classes),
        'mutual_information', 'variation_ratio', 'expected_entropy'; 'std' (the default for
        numbers), 'epistemic', 'aleatoric'.

    Returns
    -------
    pandas.DataFrame
        The least certain row comes first.  `row` is its place in the table from 0; `prediction`
        the mean over the draws, or the class most probable by it; `std`, or `predictive_entropy`
        and `mutual_information` (nats), and `measure` if it is another, the uncertainty; `why` up
        to three cells between semicolons, empty if no replacement lowers the uncertainty.

    Raises
    ------
    NotFittedError
        Before fit.
    ValueError
        If nothing draws, a column is missing, or a setting is not as above.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from thinnet import TableRegressor, uncertain_rows
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"x": rng.normal(size=300), "z": rng.normal(size=300)})
    >>> model = TableRegressor(max_iter=20, random_state=0).fit(table, 3 * table["x"])
    >>> found = uncertain_rows(model, table, n=2)
    >>> list(found.columns)
    ['row', 'prediction', 'std', 'why']
    """
    measure = checked_measure(estimator, measure)
    checks.integer("n", n, 1)
    if isinstance(table, str | os.PathLike):
        table, _ = read_table(table, estimator.dialect_, typed=False)
    frame = as_frame(table, estimator.encoder_, first=False).reset_index(drop=True)
    values = getattr(estimator.uncertainty(frame, n_draws), measure)
    rows = frame.iloc[least_certain(values, n)]
    typical = typical_row(frame, used(estimator), estimator.encoder_.missing_)
    with drifting.reported_to(drifting.ignored):  # the rows were counted already
        return frame_of(estimator, rows, typical, n_draws, measure)


def checked_measure(estimator: Any, measure: str | None) -> str:
    """`measure`, or the default one for None."""
    check_is_fitted(estimator)
    ours = isinstance(estimator, TableEstimator)
    kinds = "a TableClassifier or TableRegressor"
    checks.must(ours, "estimator", kinds, type(estimator).__name__)
    if not is_classes(estimator):
        outputs = estimator.head_.n_outputs
        checks.must(outputs == 1, "estimator", "a regressor of one number", outputs)
    return measure_of(estimator.head_, measure)


def is_classes(estimator: Any) -> bool:
    return isinstance(estimator.head_, ClassHead)


def used(estimator: Any) -> list[Column]:
    """The columns that the networks learned from."""
    return [column for column in estimator.encoder_.columns_ if column.kind != "left out"]


def least_certain(values: Array, n: int) -> Array:
    """The places of the `n` largest values, the largest first; equal ones in their order."""
    return np.argsort(-values, kind="stable")[:n]


def typical_row(
    frame: Frame, columns: Sequence[Column], missing: tuple[str, ...] | None = None
) -> Frame:
    """One row with the typical cell of each column, as it is written in the table."""
    import pandas as pd

    cells = [_typical(cleaned(frame[column.name], missing), column, missing) for column in columns]
    return pd.concat([cell.reset_index(drop=True) for cell in cells], axis=1)


def _typical(cells: Cells, column: Column, missing: tuple[str, ...] | None) -> Cells:
    if column.kind in ("number", "date"):
        is_number = column.kind == "number"
        values = (
            as_numbers(cells, missing, column.form) if is_number else as_dates(cells, column.form)
        )
        present = int(values.notna().sum())
        order = np.argsort(values.to_numpy(), kind="stable")  # missing values come last
        return cells.iloc[[order[max(present - 1, 0) // 2]]]
    _, first, counts = np.unique(
        as_labels(cells).fillna("").to_numpy(str), return_index=True, return_counts=True
    )
    return cells.iloc[[first[counts.argmax()]]]


def frame_of(estimator: Any, rows: Frame, typical: Frame, n_draws: int, measure: str) -> Frame:
    """The uncertainties of rows, whose labels are their places in the table, and the reasons."""
    import pandas as pd

    found = estimator.uncertainty(rows, n_draws, progress=False)
    values: dict[str, Any] = {"row": rows.index.to_numpy()}
    if is_classes(estimator):
        values["prediction"] = estimator.head_.guesses(found.probabilities)
        values |= {name: getattr(found, name) for name in estimator.head_.measures[:2]}
    else:
        values |= {"prediction": found.mean, "std": found.std}
    values[measure] = getattr(found, measure)
    replaced = _replaced(estimator, rows, typical, n_draws, measure)
    values["why"] = reasons(rows, typical, values[measure], replaced)
    return pd.DataFrame(values)


def _replaced(estimator: Any, rows: Frame, typical: Frame, n_draws: int, measure: str) -> Array:
    """The uncertainty of each row with one cell replaced, shape (columns, rows)."""
    import pandas as pd

    names, rows = list(typical.columns), rows[list(typical.columns)]
    step = max(1, BATCH_CELLS // rows.size)
    found = []
    for start in range(0, len(names), step):
        some = names[start : start + step]
        batch = pd.concat([with_cell(rows, typical[name]) for name in some], ignore_index=True)
        values = getattr(estimator.uncertainty(batch, n_draws, progress=False), measure)
        found.append(values.reshape(len(some), len(rows)))
    return np.concatenate(found)


def with_cell(rows: Frame, cell: Cells) -> Frame:
    """The rows with one cell in all places of a column."""
    column = cell.iloc[np.zeros(len(rows), int)].set_axis(rows.index)
    return rows.assign(**{str(cell.name): column})


def reasons(rows: Frame, typical: Frame, before: Array, replaced: Array) -> list[str]:
    """Words for the cells of each row that raise a measure most.

    Parameters
    ----------
    rows, typical : pandas.DataFrame
    before : array, shape (rows,)
        The measure.
    replaced : array, shape (columns, rows)
        The measure with the typical cell of each column in place of the row's own.
    """
    falls = np.where(before > 0, 1 - replaced / np.where(before > 0, before, 1.0), 0.0)
    texts = []
    for i, fall in enumerate(falls.T):
        most = [j for j in np.argsort(-fall, kind="stable")[:REASONS] if fall[j] >= LEAST]
        cells = [cell_text(rows[typical.columns[j]].iloc[i], typical.columns[j]) for j in most]
        falls_by = [f"(-{100 * fall[j]:.0f} %)" for j in most]
        texts.append("; ".join(map(" ".join, zip(cells, falls_by, strict=True))))
    return texts


def cell_text(cell: Any, name: str) -> str:
    """A cell and its column: age = 30, or age is missing."""
    import pandas as pd

    return f"{name} is missing" if pd.isna(cell) else f"{name} = {value_text(cell)}"


def value_text(cell: Any) -> str:
    """A cell with a value, or a number, in four digits or 40 letters."""
    of_text = isinstance(cell, str) and POINT_NUMBER.fullmatch(cell) is not None
    is_broken = of_text or isinstance(cell, float | np.floating)
    return shortened(_number(float(cell)) if is_broken else label(cell))


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _number(cell: float) -> str:
    return f"{cell:.4g}" if abs(cell) < 10_000 else f"{cell:.0f}"
