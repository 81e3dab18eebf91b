"""Training steps by compiled code, many in one call."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Final, TypeAlias, get_args

import numpy as np

from thinnet.arrays import Array, Flat, Ids
from thinnet.engine import data_layout, rates
from thinnet.engine import opcodes as code
from thinnet.engine.data_layout import Data
from thinnet.engine.launch import CHUNK_SECONDS, call, team_for
from thinnet.engine.lowered import Bound
from thinnet.engine.lowering import lower
from thinnet.engine.program import place_slopes, training_stages
from thinnet.engine.records import Operation
from thinnet.engine.sparse_input import Batch
from thinnet.engine.workspace import workspace_of
from thinnet.layers import BatchNorm
from thinnet.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    GaussianNLL,
    Huber,
    Pinball,
    Poisson,
    SoftmaxCrossEntropy,
    SquaredError,
)
from thinnet.losses.base import Loss
from thinnet.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from thinnet.optimizers.base import Optimizer, at_least_tiny
from thinnet.passes import Run

LOSSES: Final[dict[type, int]] = {
    SoftmaxCrossEntropy: code.CROSS_ENTROPY,
    BinaryCrossEntropy: code.BINARY,
    SquaredError: code.SQUARED,
    AbsoluteError: code.ABSOLUTE,
    Huber: code.HUBER,
    GaussianNLL: code.GAUSSIAN,
    Poisson: code.POISSON,
    Pinball: code.PINBALL,
}
Known: TypeAlias = SGD | Adagrad | RMSprop | Adam | AdamW
OPTIMIZERS: Final[tuple[type, ...]] = get_args(Known)
SHARD_ROWS: Final = 128  # of a task over rows, at most
EVEN: Final = 8  # rows that shards differ by, at least
GROWTH: Final = 8  # of the number of steps from one call to the next, at most


def shard_of(rows: int) -> int:
    """Rows of a task: as many for each, so that none waits; 200 rows are 104 and 96."""
    each = math.ceil(rows / math.ceil(rows / SHARD_ROWS))
    return math.ceil(each / EVEN) * EVEN


def optimizer_code(optimizer: Optimizer, theta: Flat) -> tuple[int, tuple[float, ...]]:
    """Number and settings (`kernels.optimizers.update`)."""
    assert isinstance(optimizer, Known)
    if isinstance(optimizer, SGD):
        plain = code.MOMENTUM if optimizer.momentum else code.DESCENT
        return code.NESTEROV if optimizer.nesterov else plain, (optimizer.momentum,)
    epsilon = at_least_tiny(optimizer.epsilon, theta)
    if isinstance(optimizer, Adagrad):
        return code.ADAGRAD, (epsilon, 0.0)
    if isinstance(optimizer, RMSprop):
        return code.RMSPROP, (epsilon, optimizer.rho)
    decay = optimizer.weight_decay if isinstance(optimizer, AdamW) else 0.0
    hat = float(isinstance(optimizer, Adam) and optimizer.epsilon_hat)
    return code.ADAM, (epsilon, optimizer.beta_1, optimizer.beta_2, decay, hat)


class Rounds:
    """A table of rounds that steps consist of, to be done once or again.

    Its columns `step`, `count`, `learning_rate`, `total` and `penalised` may change in between.
    """

    def __init__(self, table: Array) -> None:
        table["number"] = np.arange(len(table))
        table["packs"], table["repacks"] = table["number"] == 0, table["finishes"]
        table["repacks"][-1] = False
        self.table, self.ends = table, np.flatnonzero(table["finishes"])


class Stepper:
    """A network, a loss and an optimiser, lowered and with memory for a batch.

    Parameters
    ----------
    network, loss, optimizer
        All known to compiled code.
    state : the optimiser's, changed in place
    outputs : array of shape (rows of data, outputs)
        Gets the outputs that each row's loss was computed from.
    batch : Batch
        The largest.
    """

    def __init__(
        self,
        network: Bound,
        loss: Loss,
        optimizer: Optimizer,
        state: Sequence[Array],
        outputs: Array,
        batch: Batch,
        *,
        keeps_gradient: bool,
        clip_norm: float | None,
    ) -> None:
        self.network = network
        rows = batch.rows
        lowered = self._lowered = lower(network, "train", batch.sparse)
        self._add_loss(loss)
        place_slopes(lowered)
        keeps = keeps_gradient or clip_norm is not None
        builder = training_stages(lowered, keeps, clip_norm is not None)
        shard = shard_of(rows)
        tasks = max(math.ceil(rows / shard), len(builder.tasks))
        self._team = team_for(lowered, rows, tasks, passes=3)
        flat, vectors = outputs.reshape(len(outputs), -1), self._vectors(state)
        self._workspace = workspace_of(lowered, builder, vectors, flat, rows, self._team.size)
        self._workspace.forget("theta")
        self._put_optimizer(optimizer)
        if isinstance(loss, Pinball):
            of_each = lowered.operations[-1].n_out // len(loss.levels)
            self._workspace.put({"quantiles": np.repeat(loss.levels, of_each)})
        self._workspace.set(
            shard_rows=shard, learns=1, keeps_gradient=keeps,
            clip_norm=math.inf if clip_norm is None else clip_norm,
            k0=network.seed & 0xFFFFFFFF, k1=network.seed >> 32,
        )  # fmt: skip
        self._like = network.dtype.type(0)
        self._constant = rates.is_constant(lowered.drawings.noisy)
        self._n_noisy = 0  # the rounds that there is constant noise for
        self._rounds: Rounds | None = None  # those that the record points to
        self._nodes = np.zeros(0, network.dtype)
        self.steps = 1  # of the next call

    def _vectors(self, state: Sequence[Array]) -> dict[str, Array]:
        network, nothing = self.network, np.zeros(1, self.network.dtype)
        first, second = [*state, nothing, nothing][:2]
        own = {"theta": network.theta, "gradient": network.gradient, "state": network.state}
        return own | {"first": first, "second": second}

    def _put_optimizer(self, optimizer: Optimizer) -> None:
        number, settings = optimizer_code(optimizer, self.network.theta)
        self._workspace.put({"settings": np.array([*settings, 0.0])})
        self._workspace.set(optimizer=number)

    def _add_loss(self, loss: Loss) -> None:
        last = self._lowered.operations[-1]
        a = float(getattr(loss, "label_smoothing", getattr(loss, "delta", 0.0)))
        self._lowered.operations.append(
            Operation(
                kind=code.LOSS, n_in=last.n_out, n_out=last.n_out, x=last.y, y=last.y,
                code=LOSSES[type(loss)], a=a,
            )
        )  # fmt: skip

    def check_rows(self, least: int) -> None:
        """Can every normalisation learn from batches of so many rows?"""
        for op in self._lowered.operations:
            layer = self.network.layers[op.layer]
            if op.kind == code.BATCH_NORM and isinstance(layer, BatchNorm):
                layer.check_enough(least * op.groups)

    def bind(self, X: Data, targets: Array, weights: Array | None, ids: Ids) -> None:
        """The data that steps are taken on; it must stay where it is."""
        self._workspace.put(data_layout.of_rows(X, self.network.dtype))
        self._workspace.put(data_layout.of_targets(targets))
        self._workspace.put({"weights": weights, "ids": ids})
        self._workspace.set(n_targets=0 if targets.ndim == 1 else targets[0].size)

    def take(self, order: Array, rounds: Rounds, good: Flat) -> int:
        """Do the rounds, which get their losses; how many steps went well.

        `good` gets the parameters as they are before the last of these steps.  Where a step goes
        wrong the network's are no longer good, and it is the caller who has kept better ones.
        """
        if self._rounds is not rounds:
            self._put_rounds(rounds)
        if not self._constant:
            self._put_noise([Run.train(step) for step in rounds.table["step"].tolist()])
        self._workspace.lay("order", order)
        self._workspace.lay("good", good)
        ends, start = rounds.ends, time.perf_counter()
        wrong = self._write(len(rounds.table))
        self._learn_pace(time.perf_counter() - start, len(ends))
        return int(np.searchsorted(ends, wrong - 1)) if wrong else len(ends)

    def _put_rounds(self, rounds: Rounds) -> None:
        self._make_room(int(rounds.table["piece"].max(initial=0)))
        copied = int(rounds.ends[-2]) + 1 if len(rounds.ends) > 1 else 0
        self._workspace.put({"rounds": rounds.table})
        self._workspace.set(copied=copied)
        if self._constant and len(rounds.table) > self._n_noisy:
            self._n_noisy = len(rounds.table)
            self._put_noise([Run.train(0)], repeated=self._n_noisy)
        self._rounds = rounds

    def _write(self, n_rounds: int) -> int:
        """Do the rounds with a view of the parameters, which shows others that they change."""
        self._workspace.lay("theta", self.network.theta)
        try:
            return call(self._team, n_rounds, self._workspace, self._like)
        finally:
            self._workspace.forget("theta")

    def _make_room(self, last: int) -> None:
        """For gradients of pieces up to number `last` that wait to be joined."""
        size = last.bit_length() * self.network.theta.size
        if size > self._nodes.size:
            self._nodes = np.zeros(size, self.network.dtype)
            self._workspace.put({"nodes": self._nodes})

    def _learn_pace(self, seconds: float, steps: int) -> None:
        """How many steps fit into a chunk; it is asked before the next call only."""
        fitting = int(CHUNK_SECONDS * steps / max(seconds, 1e-9))
        self.steps = max(1, min(fitting, GROWTH * steps))

    def _put_noise(self, runs: Sequence[Run], repeated: int = 1) -> None:
        limits, levels = rates.limits_and_levels(
            self._lowered.drawings.noisy, runs, self.network.dtype
        )
        limits, levels = np.tile(limits, (repeated, 1)), np.tile(levels, (repeated, 1, 1))
        self._workspace.put({"limits": limits, "levels": levels})
