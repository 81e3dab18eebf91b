"""Some rows that a report shows: a sample of all, and those that are answered worst."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from thinnet.arrays import Array
from thinnet.commands.evaluating import Answers
from thinnet.commands.scoring import LEAST
from thinnet.tables import drifting, uncertain
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.heads import ClassHead

SOME_ROWS: Final = 150
HARDEST: Final = 10


class Hard(NamedTuple):
    """Rows with the largest losses, the largest first, whatever they weigh."""

    rows: Frame
    answers: Answers
    losses: Array


class Examples:
    """Keeps, block by block, a sample of rows and those with the largest losses.

    The sample depends on the rows and their order alone, not on how they are cut into blocks.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.generator = np.random.default_rng(0)
        self.keys: Array = np.zeros(0)
        self.sample: Frame | None = None
        self.hardest: Hard | None = None

    def add(self, rows: Frame, answers: Answers | None = None) -> None:
        """Add a block, and the answers for its rows if they are to be judged."""
        import pandas as pd

        keys = np.concatenate([self.keys, self.generator.random(len(rows))])
        most = np.sort(np.argsort(keys, kind="stable")[:SOME_ROWS])
        kept = rows if self.sample is None else pd.concat([self.sample, rows])
        self.sample, self.keys = kept.iloc[most], keys[most]
        if answers is not None:
            self._judge(Hard(rows, answers, row_losses(self.estimator, answers)))

    def _judge(self, new: Hard) -> None:
        import pandas as pd

        old = self.hardest
        if old is not None:
            pairs = zip(old.answers[:2], new.answers[:2], strict=True)
            answers = Answers(*(np.concatenate(pair) for pair in pairs))
            losses = np.concatenate([old.losses, new.losses])
            new = Hard(pd.concat([old.rows, new.rows]), answers, losses)
        worst = uncertain.least_certain(new.losses, HARDEST)
        answers = Answers(*(part[worst] for part in new.answers[:2]))
        self.hardest = Hard(new.rows.iloc[worst], answers, new.losses[worst])


def row_losses(estimator: Any, answers: Answers) -> Array:
    """For classes the log loss of each row, for numbers the absolute error or a quantile's loss."""
    y, predicted, _ = answers
    if isinstance(estimator.head_, ClassHead):
        return -np.log(np.maximum(predicted[np.arange(len(y)), y].astype(np.float64), LEAST))
    if estimator.head_.has_distributions:
        return np.abs(y - predicted)
    (level,) = estimator.head_.levels
    return np.maximum(level * (y - predicted), (1 - level) * (predicted - y))


def hardest_rows(examples: Examples) -> Frame:
    """The hardest rows as a table, with the cells that make them so.

    A cell is named if the loss is smaller with the column's typical value, of the sample, in its
    place.
    """
    import pandas as pd

    estimator, hard = examples.estimator, examples.hardest
    assert hard is not None
    assert examples.sample is not None
    missing, used = estimator.encoder_.missing_, uncertain.used(estimator)
    typical = uncertain.typical_row(examples.sample, used, missing)
    with drifting.reported_to(drifting.ignored):
        replaced = np.stack([_replaced(estimator, hard, typical, name) for name in typical.columns])
    found: dict[str, Any] = {"row": hard.rows.index.to_numpy()}
    head, (y, predicted, _) = estimator.head_, hard.answers
    if isinstance(head, ClassHead):
        found |= {"true": head.classes[y], "predicted": head.guesses(predicted)}
        found["probability of the true one"] = predicted[np.arange(len(y)), y]
    else:
        found |= {"true": y, "predicted": predicted, "error": predicted - y}
    rows = hard.rows[list(typical.columns)]
    found["why"] = uncertain.reasons(rows, typical, hard.losses, replaced)
    found["cells"] = _cells(rows, _shown(estimator, list(typical.columns)))
    return pd.DataFrame(found)


def _replaced(estimator: Any, hard: Hard, typical: Frame, name: str) -> Array:
    """The losses with the typical cell of one column in all rows."""
    rows = uncertain.with_cell(hard.rows, typical[name])
    predict = (
        estimator.predict_proba if isinstance(estimator.head_, ClassHead) else estimator.predict
    )
    return row_losses(estimator, Answers(hard.answers.y, predict(rows)))


MOST_CELLS: Final = 8


def _shown(estimator: Any, names: list[str]) -> list[str]:
    """The columns whose cells are shown: the most important ones, or the first."""
    found = getattr(estimator, "importances_", None)
    if found is None:
        return names[:MOST_CELLS]
    return [found.columns[j] for j in found.order if found.columns[j] in names][:MOST_CELLS]


def _cells(rows: Frame, names: list[str]) -> list[str]:
    return [
        "; ".join(uncertain.cell_text(row[name], name) for name in names)
        for _, row in rows.iterrows()
    ]
