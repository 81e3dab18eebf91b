"""Columns that give the target away by themselves."""

import numpy as np
import pandas as pd
import pytest

from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.leaks import leaking

N = 1500
DRAWN = np.random.default_rng(0)
X = DRAWN.normal(size=N)
CLASSES = np.array(["a", "b", "c"])[DRAWN.integers(0, 3, N)]
RARE = np.where(DRAWN.random(N) < 0.01, "ill", "well")
NUMBERS = np.round(DRAWN.gamma(2, 300, N), 2)
CODE = pd.Series(CLASSES).map({"a": 3.0, "b": 1.0, "c": 2.0}).to_numpy()
FEW = DRAWN.integers(0, 9, N)
DAYS = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N), "D")

LEAKS = {
    "a threshold": (np.where(RARE == "ill", 5 + X**2, X), RARE),
    "intervals": (np.where(RARE == "ill", 0.5, np.where(X > 0, 1 + X**2, X)), RARE),
    "numbers for classes": (CODE, CLASSES),
    "noisy numbers for classes": (CODE + X / 20, CLASSES),
    "a hole for a class": (np.where(RARE == "ill", np.nan, X), RARE),
    "a date for a class": (np.where(RARE == "ill", DAYS, np.datetime64("NaT")), RARE),
    "labels": (CLASSES, CLASSES),
    "huge numbers": (np.where(RARE == "ill", 1e200, 1e199), RARE),
    "a copy": (NUMBERS, NUMBERS),
    "another unit": (-np.round(NUMBERS * 0.9), NUMBERS),
    "a logarithm": (np.log(NUMBERS), NUMBERS),
    "labels of numbers": (np.array(list("xdpqlmnzk"))[FEW], FEW * (FEW - 5.0)),
    "codes of numbers": (FEW, FEW * (FEW - 5.0)),
    "a copy with holes": (np.where(X > 1, np.nan, NUMBERS), NUMBERS),
    "one of two targets": (NUMBERS, np.stack([X, NUMBERS], axis=1)),
}
GOOD = {
    "a number that says much": (np.where(CLASSES == "a", X + 3, X), CLASSES),
    "half of a rare class given away": (np.where((RARE == "ill") & (X > 0), 9.0, X), RARE),
    "many intervals": (np.arange(N), np.array(["a", "b"])[np.arange(N) // 10 % 2]),
    "noise": (X, CLASSES),
    "a part of the target": (NUMBERS, NUMBERS + 50 * X),
    "few rows a label": (np.array([f"n{k // 3}" for k in range(N)]), NUMBERS),
}


def leaks(column, y):
    frame = pd.DataFrame({"of": column, "other": DRAWN.normal(size=N)})
    encoder = TableEncoder(n_bins=1).fit(frame, np.arange(N))
    return list(leaking(frame, encoder, y, classes=y.dtype.kind == "U"))


@pytest.mark.parametrize(("column", "y"), LEAKS.values(), ids=LEAKS)
def test_a_column_that_gives_the_target_away_is_named(column, y):
    assert leaks(column, y) == ["of"]


@pytest.mark.parametrize(("column", "y"), GOOD.values(), ids=GOOD)
def test_a_column_that_only_helps_is_not(column, y):
    assert leaks(column, y) == []
