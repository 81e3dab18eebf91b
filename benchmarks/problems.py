"""What the systems are given: the same data, initial weights and settings for each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

CHECKED_STEPS = 20  # without dropout, after which all systems must have the same loss


class Dense(NamedTuple):
    W: np.ndarray  # (units, width)
    b: np.ndarray


@dataclass(frozen=True)
class Training:
    """A multilayer perceptron with ReLU, dropout of input and hidden units, in float32."""

    sizes: tuple[int, ...]
    rates: tuple[float, float] = (0.0, 0.0)  # of input and hidden units
    batch: int = 256
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    batches: int = 40
    thinned: bool = False

    @property
    def rows(self) -> int:
        return self.batch * self.batches

    @property
    def epochs(self) -> int:
        """Of one call: so many that what a call does once weighs as little as in real use."""
        numbers = self.rows * sum(a * b for a, b in pairwise(self.sizes))
        return max(5, min(500, 2 * 10**9 // numbers))

    @property
    def checked_batches(self) -> int:
        """Batches of the data, from the first on, that the checked steps go through..."""
        return min(CHECKED_STEPS, self.batches)

    @property
    def checked_epochs(self) -> int:
        """...and how often."""
        return -(-CHECKED_STEPS // self.batches)

    @property
    def classifies(self) -> bool:
        return self.sizes[-1] > 1

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(self.rows, self.sizes[0])).astype(np.float32)
        if self.classifies:
            return X, rng.integers(0, self.sizes[-1], self.rows)
        return X, X[:, :1] * np.float32(0.5)

    def weights(self) -> list[Dense]:
        """Glorot's uniform distribution; no system's own."""
        rng = np.random.default_rng(1)
        layers = []
        for width, units in pairwise(self.sizes):
            limit = (6 / (width + units)) ** 0.5
            W = rng.uniform(-limit, limit, size=(units, width)).astype(np.float32)
            layers.append(Dense(W, np.zeros(units, np.float32)))
        return layers

    def order(self, epoch: int) -> np.ndarray:
        """Of an epoch, for systems that have no shuffle of their own."""
        return np.random.default_rng(epoch).permutation(self.rows)


@dataclass(frozen=True)
class Sampling:
    """Draws of a network for all rows, dropout kept on; or one prediction without it."""

    sizes: tuple[int, ...]
    rate: float = 0.5
    rows: int = 10_000
    draws: int = 100

    def data(self) -> np.ndarray:
        rng = np.random.default_rng(0)
        return rng.normal(size=(self.rows, self.sizes[0])).astype(np.float32)

    def weights(self) -> list[Dense]:
        return Training(self.sizes).weights()


@dataclass(frozen=True)
class Table:
    """A table of numbers and categories, two classes, and a row of it as a data frame."""

    rows: int = 2000
    numbers: int = 6
    categories: int = 8

    def frame(self) -> Any:
        import pandas as pd

        rng = np.random.default_rng(0)
        columns = {f"number {i}": rng.normal(size=self.rows) for i in range(self.numbers)}
        for i in range(self.categories):
            labels = [f"label {j}" for j in range(3 + 3 * i)]
            columns[f"category {i}"] = rng.choice(labels, self.rows)
        return pd.DataFrame(columns)

    def labels(self) -> np.ndarray:
        frame = self.frame()
        return np.where(frame["number 0"] + (frame["category 0"] == "label 1") > 0, "yes", "no")

    def row(self) -> Any:
        return self.frame().iloc[[7]]


@dataclass(frozen=True)
class Elements:
    """Dropout of an array."""

    rows: int
    width: int
    backward: bool = False
    rate: float = 0.5

    @property
    def size(self) -> int:
        return self.rows * self.width

    def array(self) -> np.ndarray:
        rng = np.random.default_rng(0)
        return rng.normal(size=(self.rows, self.width)).astype(np.float32)
