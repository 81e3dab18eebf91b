"""The losses and scores of a training, epoch by epoch, as a table and as a plot."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from thinnet import checks
from thinnet.arrays import Array, DataFrame
from thinnet.console.tables import as_html, as_text
from thinnet.network.changes import Change

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOT_MEASURED = math.nan


@dataclass(frozen=True, slots=True)
class Epoch:
    """The measurements of one epoch; NaN stands for values that were not measured.

    `loss` and `score` come from the training passes themselves, dropout on.  `clean_loss` and
    `clean_score` come from the same network with dropout off, on a fixed part of the training
    rows; only they compare with validation.  `penalty` is computed at the end of the epoch.
    """

    epoch: int
    step: int
    learning_rate: float
    loss: float
    penalty: float
    score: float
    clean_loss: float = NOT_MEASURED
    clean_score: float = NOT_MEASURED
    validation_loss: float = NOT_MEASURED
    validation_score: float = NOT_MEASURED
    seconds: float = NOT_MEASURED

    def progress_text(self) -> str:
        """The loss, and the validation score if measured: the words beside a progress bar."""
        text = f"loss {self.loss:.3f}"
        if math.isnan(self.validation_score):
            return text
        return f"{text}, validation {self.validation_score:.3f}"


COLUMNS = tuple(column.name for column in fields(Epoch))


@dataclass(slots=True, repr=False)
class History:
    """The epochs of a training.

    Attributes
    ----------
    epochs : list of Epoch
    score_name : str
        What the scores are: "accuracy" or "R^2", or the metric that training stops by.
    stopped : str
        Why training ended; empty while it goes on.
    best_epoch : int
        The epoch whose weights early stopping has restored; -1 without it.
    changes : list of Change
        Settings that were changed on the way (`Training.change`).

    Examples
    --------
    >>> history = History("accuracy", [Epoch(0, 10, 0.1, 0.7, 0.0, 0.9)])
    >>> history["score"]
    array([0.9])
    """

    score_name: str = "score"
    epochs: list[Epoch] = field(default_factory=list)
    stopped: str = ""
    best_epoch: int = -1
    changes: list[Change] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __getitem__(self, column: str) -> Array:
        """One column as a float array, NaN where nothing was measured."""
        if column not in COLUMNS:
            raise KeyError(f"column must be one of {', '.join(COLUMNS)}, got {column!r}")
        return np.array([getattr(epoch, column) for epoch in self.epochs], float)

    @property
    def last(self) -> Epoch:
        """The latest epoch; IndexError before the first is complete."""
        return self.epochs[-1]

    def to_dict(self) -> dict[str, Array]:
        """The columns by name, as `pandas.DataFrame` takes them."""
        return {column: self[column] for column in COLUMNS}

    def to_frame(self) -> DataFrame:
        """A row for each epoch, as a pandas.DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.to_dict())

    def to_rows(self) -> list[dict[str, Any]]:
        """A dictionary for each epoch, as JSON takes it."""
        return [asdict(epoch) for epoch in self.epochs]

    def table(self, at_most: int = 12) -> Table:
        """The epochs as a table; evenly spaced ones if there are more than `at_most`."""
        table = Table(title=self._count(), caption=self.stopped or None)
        shown = [c for c in COLUMNS if c not in ("step", "seconds") and _says_something(c, self[c])]
        for column in shown or ("epoch",):
            table.add_column(column.replace("_", " "), justify="right")
        for i in _spaced(len(self), at_most):
            table.add_row(*(_number(c, getattr(self.epochs[i], c)) for c in shown))
        return table

    def __str__(self) -> str:
        return as_text(self.table())

    def __repr__(self) -> str:
        return f"<History of {self._count()}: {self.stopped or 'in progress'}>"

    def _repr_html_(self) -> str:
        return as_html(self.table())

    def _count(self) -> str:
        return f"{len(self)} epoch{'' if len(self) == 1 else 's'}"

    def plot(self, axes: Sequence[Axes] | None = None) -> Sequence[Axes]:
        """Plot losses and scores over the epochs, on two axes of yours or on new ones.

        Parameters
        ----------
        axes : pair of matplotlib axes, optional
            The first is for losses, the second for scores.

        Returns
        -------
        pair of matplotlib axes

        Raises
        ------
        ValueError
            If `axes` are not two.
        """
        if axes is None:
            from matplotlib import pyplot as plt

            _, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        fits = hasattr(axes, "__len__") and len(axes) == 2
        checks.must(fits, "axes", "two matplotlib axes", axes)
        for ax, what, name in zip(axes, ("loss", "score"), ("loss", self.score_name), strict=True):
            for prefix, label, style in CURVES:
                self._curve(ax, f"{prefix}{what}", label, style)
            if self.best_epoch >= 0:
                ax.axvline(self.best_epoch + 1, color="0.5", linestyle="-.", label="weights kept")
            ax.set(xlabel="epoch", ylabel=name)
            ax.xaxis.get_major_locator().set_params(integer=True)
            if ax.lines:
                ax.legend()
        return axes

    def _curve(self, ax: Axes, column: str, label: str, style: dict[str, Any]) -> None:
        values = self[column]
        there = np.isfinite(values)
        if there.any():
            marker = "." if there.sum() < 3 else ""
            ax.plot(self["epoch"][there] + 1, values[there], marker=marker, label=label, **style)


CURVES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    # Okabe and Ito's colours, and lines that differ without them.
    ("", "training, dropout on", {"color": "#56B4E9", "linestyle": ":"}),
    ("clean_", "training, dropout off", {"color": "#0072B2", "linestyle": "--"}),
    ("validation_", "validation", {"color": "#D55E00", "linestyle": "-"}),
)


def _says_something(column: str, values: Array) -> bool:
    """Whether a column was measured and, if it is the penalty, is ever other than 0."""
    return bool(np.isfinite(values).any()) and (column != "penalty" or bool(values.any()))


def _spaced(n: int, at_most: int) -> list[int]:
    return sorted({round(i) for i in np.linspace(0, n - 1, min(n, at_most))}) if n else []


def _number(column: str, value: float) -> str:
    if math.isnan(value):
        return ""
    return str(value) if column == "epoch" else f"{value:.4g}"
