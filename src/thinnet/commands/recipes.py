"""Data sets by name, each with the settings that `thinnet fit` starts from."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from thinnet import checks, datasets
from thinnet.datasets import Split
from thinnet.layers.mlp import mlp
from thinnet.network import Network
from thinnet.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from thinnet.schedules import InverseTime, Schedule

OPTIMIZERS: dict[str, Callable[[float | Schedule], Optimizer]] = {
    "sgd": SGD,
    "momentum": lambda rate: SGD(rate, momentum=0.9),
    "nesterov": lambda rate: SGD(rate, momentum=0.9, nesterov=True),
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """A network and its training, in plain values."""

    hidden: tuple[int, ...]
    dropout: tuple[float, ...]
    input_dropout: float = 0.0
    batch_norm: bool = False
    l1: float = 0.0
    l2: float = 0.0
    max_norm: float | None = None
    optimizer: str = "adam"
    learning_rate: float = 0.001
    decay: float = 0.0
    batch_size: int = 128
    epochs: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        checks.one_of("optimizer", self.optimizer, tuple(OPTIMIZERS))
        checks.non_negative("learning_rate", self.learning_rate)
        checks.non_negative("decay", self.decay)
        for name in ("epochs", "batch_size"):
            checks.integer(name, getattr(self, name), 1)
        for name in ("l1", "l2"):
            checks.non_negative(name, getattr(self, name))
        if self.max_norm is not None:
            checks.positive("max_norm", self.max_norm)
        checks.unit_interval("input_dropout", self.input_dropout)
        for units in self.hidden:
            checks.integer("each of hidden", units, 1)
        for rate in self.dropout:
            checks.unit_interval("each of dropout", rate)

    @property
    def drops(self) -> bool:
        return any((*self.dropout, self.input_dropout))

    def network(self, n_features: int, n_classes: int) -> Network:
        rates = self.dropout * len(self.hidden) if len(self.dropout) == 1 else self.dropout
        layers = mlp(
            self.hidden,
            n_classes,
            dropout=rates,
            input_dropout=self.input_dropout,
            batch_norm=self.batch_norm,
            l1=self.l1,
            l2=self.l2,
            max_norm=self.max_norm,
        )
        return Network(layers, n_features, seed=self.seed)

    def new_optimizer(self) -> Optimizer:
        rate = InverseTime(self.learning_rate, self.decay) if self.decay else self.learning_rate
        return OPTIMIZERS[self.optimizer](rate)


class Recipe(NamedTuple):
    load: Callable[[str | os.PathLike[str] | None], Split]
    settings: Settings


def _digits(data_dir: Any) -> Split:
    _check_no_files(data_dir)
    return datasets.digits()


def _check_no_files(data_dir: Any) -> None:
    where = "left out for data that is not read from idx files"
    checks.must(data_dir is None, "--data-dir", where, str(data_dir))


def _spiral(data_dir: Any) -> Split:
    _check_no_files(data_dir)
    train, test = (datasets.spiral(n, noise=0.15, seed=seed) for seed, n in enumerate((30, 300)))
    return Split(*train, *test)


_IMAGES = Settings(hidden=(256, 256), dropout=(0.2, 0.5), batch_size=256, epochs=10)
RECIPES: dict[str, Recipe] = {
    "digits": Recipe(
        _digits,
        Settings(hidden=(256, 256), dropout=(0.3,), input_dropout=0.1, batch_size=64, epochs=60),
    ),
    "fashion-mnist": Recipe(datasets.fashion_mnist, _IMAGES),
    "mnist": Recipe(datasets.mnist, _IMAGES),
    "spiral": Recipe(
        _spiral,
        # Few points and many weights: the network can learn each point's noise by heart.
        Settings(hidden=(256, 256), dropout=(0.2,), learning_rate=0.003, batch_size=32, epochs=500),
    ),
}
