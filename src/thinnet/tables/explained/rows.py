"""`explain_row`: from the cells of one row to the answer of a table's model, and its error bar."""

from __future__ import annotations

from sklearn.utils.validation import check_is_fitted

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, TableLike
from thinnet.console.tables import as_html, as_text
from thinnet.network import Network
from thinnet.tables.base import TableEstimator
from thinnet.tables.explained import shown
from thinnet.tables.explained.answers import Bars, answer_of, error_bar_of, slopes_of
from thinnet.tables.explained.cells import read_cells
from thinnet.tables.explained.fields import Explained
from thinnet.tables.explained.first_layer import first_layer
from thinnet.tables.explained.passes import chosen, passed, trace_of
from thinnet.tables.explained.taking import OneRow, one_row, target_of
from thinnet.tables.explained.typical import with_typical_cells


class ExplainedRow(Explained):
    """A row of a table from its cells to the answer; made by `explain_row`.

    ``str(explained)`` is its text, and notebooks show it as tables.

    Attributes
    ----------
    row : int
        Its place in the table, from 0.
    member : int or None
        The network that `first_layer` and `trace` are of; None if it is none of the model's.
    head : Head
        What gives the networks' outputs their meaning.
    encoded : array, shape (slots,)
        The row as the networks take it.
    cells : tuple of ReadCell
        Each cell, and how it became numbers, in the order of the columns in fit.
    first_layer : FirstLayer
        What each column adds to the first layer.
    answer : Answer
        Of each network, and together.
    error_bar : ErrorBar or None
        None where nothing draws, or the model has learned one quantile.
    typical : Typical
        The answers with a typical value in place of each cell.
    trace : Trace
        Every number of the network's pass, with its formula; with a target also of the loss and of
        the way back.
    is_target_known : bool
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.row}: {shown.answer_text(self)}>"

    def __str__(self) -> str:
        lines = "\n".join(as_text(part) for part in shown.parts(self)).split("\n")
        return "\n".join(line.rstrip() for line in lines).rstrip("\n")

    def _repr_html_(self) -> str:
        return "".join(as_html(part) for part in shown.parts(self))


def explain_row(
    estimator: FittedEstimator,
    table: TableLike,
    row: int = 0,
    *,
    y: object = None,
    member: int | Network = 0,
    n_draws: int = 100,
    coverage: float = 0.9,
) -> ExplainedRow:
    """How a table's model comes from the cells of one row to its answer.

    Each cell becomes numbers; each column adds something to the units of the first layer; the
    networks answer, and their mean is the answer of `predict`.  By how much it moves where a cell
    takes a typical value says which cells matter for this row.  The typical value is the median,
    or the most frequent label, of the rows of training (a model of an earlier version takes the
    labels of `table`), and no text in place of a text.  That is the effect of one column with the
    row's others fixed: it shows no cause, and no columns that act only together.

    Parameters
    ----------
    estimator : TableClassifier or TableRegressor
        A fitted estimator.
    table : path, data frame or array, shape (rows, columns)
        As for `predict`.
    row : int, default=0
        The row's place in the table, from 0, as `uncertain_rows` has it.
    y : label or number, optional
        The row's target, with which `trace` also has the loss and the way back; by default the
        cell of the target's column, if the table has that and the cell has a value.
    member : int or Network, default=0
        The network whose first layer and whose trace are shown: its place in `networks_`, or one
        of the same form, such as a member at an earlier step of its training.
    n_draws : int, default=100
        At least 2: for the error bar.
    coverage : float, default=0.9
        That of the interval of numbers, in (0, 1).

    Returns
    -------
    ExplainedRow

    Raises
    ------
    NotFittedError
        Before fit.
    ValueError
        If the table has no such row or lacks a column, or a setting is not as above.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from thinnet import TableRegressor, explain_row
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"x": rng.normal(size=300), "z": rng.normal(size=300)})
    >>> model = TableRegressor(max_iter=20, random_state=0).fit(table, 3 * table["x"])
    >>> found = explain_row(model, table, row=7)
    >>> bool(found.answer.mean[0] == model.predict(table)[7])
    True
    >>> found.to_frame()["column"].tolist()
    ['x', 'z']
    >>> first = found.first_layer
    >>> bool(np.allclose(first.added.sum(axis=0) + first.bias, first.sums, atol=1e-5))
    True
    """
    check_is_fitted(estimator)
    ours = isinstance(estimator, TableEstimator)
    checks.must(ours, "estimator", "a TableClassifier or TableRegressor", type(estimator).__name__)
    bars = Bars(n_draws, coverage).checked()
    one = one_row(estimator, table, row)
    return explained(estimator, one, target_of(estimator, one.frame, y), member, bars)


def explained(
    estimator: FittedEstimator, one: OneRow, target: Array | None, member: int | Network, bars: Bars
) -> ExplainedRow:
    """`explain_row`, of a row that was read, and its target as a loss takes it."""
    place, network = chosen(estimator.networks_, member)
    encoder, head = estimator.encoder_, estimator.head_
    table = encoder.table(one.frame)
    encoded = encoder.encoded(table)[0].astype(estimator.dtype, copy=False)
    answer, taken = answer_of(estimator, encoded), passed(network, encoded)
    slopes = slopes_of(head, taken.outputs[-1][0], answer.places)
    loss = None if target is None else head.loss
    return ExplainedRow(
        one.number,
        place,
        head,
        encoded,
        read_cells(encoder, table, encoded),
        first_layer(encoder, network, taken, slopes),
        answer,
        error_bar_of(estimator, one.frame, bars),
        with_typical_cells(estimator, one.around, encoded, answer.mean),
        trace_of(network, encoded, one.number, loss, target),
        target is not None,
    )
