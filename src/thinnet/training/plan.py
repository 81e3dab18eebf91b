"""The settings of a training."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from thinnet import checks
from thinnet.layers.base import title
from thinnet.losses import Loss
from thinnet.losses.scoring import Metric
from thinnet.network import Network
from thinnet.optimizers import Optimizer
from thinnet.schedules.plateau import ReduceOnPlateau
from thinnet.training.averaging import WeightAverage
from thinnet.training.stopping import EarlyStopping

MAY_CHANGE = {"epochs", "checkpoint_every"}  # settings that a resumed training may alter


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a training, checked.

    A step descends ``loss_factor * mean loss + penalties``; with ``penalty_per="row"`` the
    penalties are divided by the weight of the step's rows, as in scikit-learn's MLP.
    """

    loss: Loss
    optimizer: Optimizer
    epochs: int
    batch_size: int
    shuffle: bool
    accumulate: int
    clip_norm: float | None
    early_stopping: EarlyStopping | None
    evaluate_every: int
    clean_rows: int
    checkpoint_every: int
    loss_factor: float = 1.0
    penalty_per: Literal["step", "row"] = "step"
    average: WeightAverage | None = None

    def __post_init__(self) -> None:
        checks.of_kind("optimizer", self.optimizer, Optimizer)
        for name in ("batch_size", "accumulate", "evaluate_every", "checkpoint_every"):
            checks.integer(name, getattr(self, name), 1)
        checks.integer("epochs", self.epochs, 0)
        checks.integer("clean_rows", self.clean_rows, 0)
        checks.boolean("shuffle", self.shuffle)
        if self.clip_norm is not None:
            checks.positive("clip_norm", self.clip_norm)
        if self.early_stopping is not None:
            right = isinstance(self.early_stopping, EarlyStopping)
            checks.must(right, "early_stopping", "an EarlyStopping or None", self.early_stopping)
        right = isinstance(self.average, WeightAverage | None)
        checks.must(right, "average", "a WeightAverage or None", self.average)

    @property
    def metric(self) -> Metric:
        """What gives the scores: the loss, or what early stopping watches in place of its score."""
        rule = self.early_stopping
        return self.loss if rule is None or rule.metric is None else rule.metric

    def penalised(self, weight: float) -> float:
        """The factor of the penalties in a step whose rows have this total weight."""
        return 1.0 if self.penalty_per == "step" else 1.0 / weight

    def check_watched(self, has_validation: bool) -> None:
        """ValueError where a rule watches a value that is not measured."""
        if self.early_stopping is not None and not has_validation:
            raise ValueError("early_stopping needs validation data, got validation=None")
        watches = isinstance(self.optimizer.learning_rate, ReduceOnPlateau)
        if watches and not (has_validation or self.clean_rows):
            raise ValueError("ReduceOnPlateau needs validation data or clean_rows > 0, got neither")

    def fingerprint(self, network: Network) -> Mapping[str, str]:
        """The settings, by name, that a checkpoint must share with the training resuming it."""
        settings = {
            # Without the addresses that some objects print, which differ between processes.
            field.name: re.sub(r" at 0x\w+", "", repr(getattr(self, field.name)))
            for field in dataclasses.fields(self)
            if field.name not in MAY_CHANGE
        }
        if self.average is None:
            del settings["average"]  # checkpoints of before there were averages don't name it
        return settings | {
            "layers": ", ".join(title(layer) for layer in network.layers),
            "features": str(network.features),
            "seed": str(network.seed),
            "dtype": str(network.dtype),
        }
