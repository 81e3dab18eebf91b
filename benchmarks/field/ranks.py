"""Mean ranks, wins, and how far apart mean ranks must be to differ by more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata, studentized_range


def mean_ranks(losses: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The mean over tables of each system's rank, 1 for the least loss; equal ones share theirs."""
    ranks = rankdata(np.array(list(losses.values())), axis=0)
    return dict(zip(losses, ranks.mean(axis=1).tolist(), strict=True))


def critical_difference(n_systems: int, n_tables: int, level: float = 0.05) -> float:
    """The difference of mean ranks from which on two systems differ (Nemenyi; Demšar 2006)."""
    quantile = studentized_range.ppf(1 - level, n_systems, np.inf) / math.sqrt(2)
    return float(quantile * math.sqrt(n_systems * (n_systems + 1) / (6 * n_tables)))


def wins(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """On how many tables our loss is less; equal losses are half a win."""
    return float(sum((a < b) + 0.5 * (a == b) for a, b in zip(ours, theirs, strict=True)))
