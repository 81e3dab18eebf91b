"""Trainings side by side: from the same seed, with the same weights and the same batches."""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.layers.mlp import mlp
from thinnet.losses import Loss, loss_for
from thinnet.network import Network
from thinnet.network.weight_layers import weight_layers
from thinnet.optimizers import Optimizer
from thinnet.training.data import checked_data, clean_subsample, held_out
from thinnet.training.loop import measure
from thinnet.training.state import TrainingState
from thinnet.training.training import Training

MEASUREMENTS: Final = 50
AT_MOST: Final = 1000  # rows that are measured
L1, L2, RATE = 1e-4, 1e-3, 0.5


class Race(NamedTuple):
    """The losses of several trainings, dropout off and without penalties.

    Attributes
    ----------
    steps : array, shape (points,)
        The steps before which they were measured.
    training, validation : dict of str to array, shape (points,)
        By the names of trainings: NaN from where one diverged.  `validation` is empty without it.
    """

    steps: Array
    training: dict[str, Array]
    validation: dict[str, Array]


class Lap(NamedTuple):
    """What all the trainings of a race have in common."""

    X: Any
    y: Any
    epochs: int
    batch_size: int
    validation: Any
    loss: Loss


def regularized(
    hidden: Any, n_outputs: int, features: int | tuple[int, ...], seed: int
) -> dict[str, Network]:
    """The same network of ReLUs without regularisation, and with each of four kinds of it.

    Examples
    --------
    >>> list(regularized([8], 2, 4, seed=0))
    ['none', 'L1 0.0001', 'L2 0.001', 'BatchNorm', 'dropout 0.5']
    """
    kinds: dict[str, dict[str, Any]] = {
        "none": {},
        f"L1 {L1:g}": {"l1": L1},
        f"L2 {L2:g}": {"l2": L2},
        "BatchNorm": {"batch_norm": True},
        f"dropout {RATE:g}": {"dropout": RATE},
    }
    return {
        name: Network(mlp(hidden, n_outputs, **settings), features, seed=seed)
        for name, settings in kinds.items()
    }


def race(
    networks: Mapping[str, Network],
    optimizers: Mapping[str, Optimizer],
    lap: Lap,
) -> Race:
    """Train a copy of each network by each optimiser; the first network's weights are all ones'.

    Raises
    ------
    ValueError
        If networks differ in their seeds, steps or the shapes of their weights, or a setting is
        not as in `train`.
    """
    check_alike(networks)
    for each in optimizers.values():
        checks.of_kind("each of optimizers", each, Optimizer)
    first = next(iter(networks.values()))
    runners = {}
    for (title, network), (name, optimizer) in itertools.product(
        networks.items(), optimizers.items()
    ):
        runner = copy.deepcopy(network)
        give_weights(first, runner)
        runners[", ".join(filter(None, (title, name)))] = _losses(runner, optimizer, lap)
    steps = max((each.steps for each in runners.values()), key=len)
    training = {k: _padded(each.training, len(steps)) for k, each in runners.items()}
    held = {k: _padded(each.validation, len(steps)) for k, each in runners.items()}
    return Race(np.array(steps), training, {} if lap.validation is None else held)


def race_of(
    networks: Mapping[str, Network], optimizers: Mapping[str, Optimizer], **settings: Any
) -> Race:
    """`race` with the settings of `train`: X, y, epochs, batch_size, validation, loss."""
    loss = settings.pop("loss", None)
    lap = Lap(**settings, loss=loss_for(settings["y"]) if loss is None else loss)
    return race(networks, optimizers, lap)


def check_alike(networks: Mapping[str, Network]) -> None:
    """ValueError unless networks have one seed, stand at one step, and share shapes of weights."""
    for each in networks.values():
        checks.must(isinstance(each, Network), "each of networks", "a Network", each)
    seeds = sorted({each.seed for each in networks.values()})
    checks.must(len(seeds) == 1, "the seeds of networks", "one and the same", seeds)
    steps = sorted({each.clock.step for each in networks.values()})
    checks.must(len(steps) == 1, "the steps of networks", "one and the same", steps)
    shapes = sorted({str(_shapes(each)) for each in networks.values()})
    checks.must(len(shapes) == 1, "the shapes of networks' weights", "one and the same", shapes)


def give_weights(source: Network, target: Network) -> None:
    """Copy the parameters of layers with weights, in their order."""
    pairs = zip(weight_layers(source), weight_layers(target), strict=True)
    for mine, theirs in pairs:
        given = source.sites[mine.place].p._asdict()
        for name, values in target.sites[theirs.place].p._asdict().items():
            if name in given and given[name].shape == values.shape:
                values[...] = given[name]


@dataclass
class _Losses:
    """A callback that measures the losses of a training."""

    every: int
    rows: Array
    validation: Any
    steps: list[int] = field(default_factory=list)
    training: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)

    def on_step_end(self, training: TrainingState) -> None:
        network, loss = training.network, training.plan.loss
        self.steps.append(network.clock.step)
        self.training.append(measure(network, loss, training.data, self.rows)[0])
        if self.validation is not None:
            self.held.append(measure(network, loss, self.validation)[0])


class _Run(NamedTuple):
    steps: list[int]
    training: list[float]
    validation: list[float]


def _losses(network: Network, optimizer: Optimizer, lap: Lap) -> _Run:
    """The losses of one training, up to where it ends or diverges."""
    data = checked_data(network, lap.loss, lap.X, lap.y)
    rows = clean_subsample(network, data.n_rows, AT_MOST)
    per_epoch = math.ceil(data.n_rows / checks.integer("batch_size", lap.batch_size, 1))
    steps = checks.integer("epochs", lap.epochs, 1) * per_epoch
    found = _Losses(
        max(1, steps // MEASUREMENTS), rows, held_out(network, lap.loss, lap.validation)
    )
    training = Training(
        network,
        lap.X,
        lap.y,
        loss=lap.loss,
        optimizer=optimizer,
        epochs=lap.epochs,
        batch_size=lap.batch_size,
        clean_rows=0,
        callbacks=[found],
    )
    found.on_step_end(training)
    with contextlib.suppress(checks.DivergedError):  # its curve ends there
        training.finish(progress=False)
    return _Run(found.steps, found.training, found.held)


def _padded(losses: list[float], n: int) -> Array:
    return np.array([*losses, *[math.nan] * (n - len(losses))])


def _shapes(network: Network) -> list[tuple[int, ...]]:
    return [network.sites[layer.place].g[0].shape for layer in weight_layers(network)]
