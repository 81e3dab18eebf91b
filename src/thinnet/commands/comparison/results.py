"""The effect of dropout, as a table and as a sentence about its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from rich.table import Table
from scipy.stats import binomtest

from thinnet.commands.comparison.training import Outcome

DOUBT: Final = 0.05  # a difference with a larger p-value is not called one
COLUMNS: Final = (
    "training,\ndropout on",
    "training,\ndropout off",
    "test",
    "test\nloss",
    "gap",
    "time",
)


def table(title: str, outcomes: Sequence[Outcome]) -> Table:
    """Scores with dropout on and off, on training rows and on test rows."""
    shown = Table(title=f"{title}: {outcomes[0].history.score_name}")
    shown.add_column("", no_wrap=True)
    for column in COLUMNS:
        shown.add_column(column, justify="right")
    for o in outcomes:
        noisy = o.history.last.score if len(o.history) else math.nan
        numbers = (noisy, o.train_score, o.test_score, o.test_loss, o.gap)
        shown.add_row(o.name, *map(_four, numbers), f"{o.seconds:.1f} s")
    return shown


def verdict(outcomes: Sequence[Outcome]) -> str:
    """One sentence on what the table shows."""
    if outcomes[-1].interrupted:
        return "Training was interrupted: the scores are those of the weights so far."
    if len(outcomes) == 1:
        return _alone(outcomes[0])
    return _of_two(*outcomes)


def _alone(o: Outcome) -> str:
    return (
        f"Trained {o.name}, it gets {_of_all(o)} test rows right; on the rows it has learned from "
        f"it scores {_four(o.train_score)} (the gap: {_four(o.gap)})."
    )


def _of_two(without: Outcome, dropped: Outcome) -> str:
    gained, other = int(dropped.right.sum()), int(without.right.sum())
    what = _helped(without, dropped)
    loss = _than(dropped.test_loss, without.test_loss, "lower", "higher")
    gap = _than(dropped.gap, without.gap, "narrower", "wider")
    return (
        f"{what}: with it {gained:,} of {len(dropped.right):,} test rows are right, without it "
        f"{other:,}; with it the test loss is {loss}, and the gap is {gap}."
    )


def _helped(without: Outcome, dropped: Outcome) -> str:
    """The sentence about the better network, by rows only one gets right (McNemar's test)."""
    better, worse = (dropped.right & ~without.right).sum(), (without.right & ~dropped.right).sum()
    if better == worse or binomtest(int(better), int(better + worse)).pvalue > DOUBT:
        return "On unseen rows dropout made no difference in accuracy beyond chance"
    return f"Dropout {'helped' if better > worse else 'hurt'} on unseen rows"


def _than(value: float, other: float, less: str, more: str) -> str:
    """`value` against `other`, compared in the digits that the table shows."""
    if _four(value) == _four(other):
        return "the same"
    return f"{less if value < other else more} ({_four(value)}, not {_four(other)})"


def _of_all(o: Outcome) -> str:
    return f"{int(o.right.sum()):,} of {len(o.right):,}"


def _four(number: float) -> str:
    return f"{number:.4f}"
