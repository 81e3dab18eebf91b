"""Data in two parts."""

from __future__ import annotations

from typing import NamedTuple

from thinnet.arrays import Array


class Split(NamedTuple):
    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array
