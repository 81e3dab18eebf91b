"""Optimiser steps by compiled code, many in a call."""

from __future__ import annotations

from typing import Final

import numpy as np

from thinnet.arithmetic import joined
from thinnet.arrays import Array
from thinnet.network.row_order import micro_batches
from thinnet.schedules import Schedule
from thinnet.training.learned import Learned
from thinnet.training.reference import ReferenceSteps, weight_of
from thinnet.training.state import TrainingState

MOST_CHUNKS: Final = 256


class CompiledSteps:
    """Chunks of compiled steps; one that goes wrong is taken again by the reference executor.

    A chunk starts from weights that are kept.  When one of its steps goes wrong, the steps before
    it are repeated from there, which gives the same numbers, and the wrong one is taken by the
    reference executor, which finds out what is not finite.  So neither the weights that are kept
    nor the error depend on how steps are grouped.
    """

    def __init__(self, training: TrainingState, watched: bool) -> None:
        from thinnet.engine.records import ROUND
        from thinnet.engine.sparse_input import Batch, pays
        from thinnet.engine.stepper import Stepper

        self._training, plan, data = training, training.plan, training.data
        self._scheduled = isinstance(plan.optimizer.learning_rate, Schedule)
        self._parts = [
            (batch.start + part.start, batch.start + part.stop, i, piece)
            for i, batch in enumerate(training.slices)
            for piece, part in enumerate(
                micro_batches(training.network, batch.stop - batch.start, plan.accumulate)
            )
        ]
        self._table = self._blank(ROUND)
        self._ends = np.flatnonzero(self._table["finishes"])
        self._stepper = Stepper(
            training.network,
            plan.loss,
            plan.optimizer,
            training.optimizer_state,
            training.outputs,
            Batch(int(self._table["rows"].max()), pays(training.network, data.X)),
            keeps_gradient=watched or plan.accumulate > 1,
            clip_norm=plan.clip_norm,
        )
        self._stepper.check_rows(int(self._table["rows"].min()))
        self._stepper.bind(data.X, data.targets, data.weights, data.ids)
        self._chunks: dict[tuple[int, int], _Chunk] = {}  # by their first step and their length
        self._start = Learned.of(training.network)
        self._before_last = training.network.theta.copy()
        self._start_state = [part.copy() for part in training.optimizer_state]

    def _blank(self, dtype: np.dtype) -> Array:
        """A record for each round of an epoch, filled in as far as all epochs agree."""
        table = np.zeros(len(self._parts), dtype)
        start, stop, batch, table["piece"] = np.array(self._parts).T
        table["start"], table["stop"], table["rows"] = start, stop, stop - start
        table["finishes"] = np.append(np.diff(batch), 1)
        sizes = np.array([batch.stop - batch.start for batch in self._training.slices], float)
        self._weigh(table, sizes[batch])
        return table

    def _weigh(self, table: Array, weights: Array) -> None:
        """Write what losses and penalties are divided by; `weights` are those of the steps."""
        plan = self._training.plan
        table["total"] = weights / plan.loss_factor
        table["penalised"] = [plan.penalised(weight) for weight in weights.tolist()]

    def take(self, order: Array, at_most: int) -> int:
        training, first = self._training, self._training.batch
        n = min(at_most, self._stepper.steps, len(training.slices) - first)
        self._keep_start()
        went_well = self._take_steps(order, n)
        return n if went_well == n else self._after_bad_step(order, went_well)

    def _take_steps(self, order: Array, n: int) -> int:
        """Take `n` steps and return how many went well.

        If all did, the parameters before the last step are kept as good: its loss was finite.
        """
        training, network = self._training, self._training.network
        clock, chunk = network.clock, self._chunk_of(training.batch, n)
        np.add(chunk.of_step, clock.step, out=chunk.steps)
        np.add(chunk.of_step, training.t, out=chunk.counts)
        if self._scheduled:
            rates = [training.learning_rate_at(training.t + i) for i in range(n)]
            chunk.rates[:] = np.array(rates)[chunk.of_step]
        else:
            chunk.rates.fill(training.learning_rate)
        if training.data.weights is not None:
            self._weigh(chunk.rounds.table, self._weights(order, n)[chunk.of_step])
        went_well = self._stepper.take(order, chunk.rounds, self._before_last)
        if went_well == n:
            self._before_last = training.exchange_good(self._before_last)
            clock.step += n
            training.count_steps(n, _losses(chunk.rounds.table))
        return went_well

    def _chunk_of(self, batch: int, n: int) -> _Chunk:
        """The rounds of `n` steps from an epoch's step number `batch` on, kept for later epochs."""
        if (batch, n) not in self._chunks:
            if len(self._chunks) == MOST_CHUNKS:
                self._chunks.clear()
            first = self._ends[batch - 1] + 1 if batch else 0
            rounds = self._table[first : self._ends[batch + n - 1] + 1]
            self._chunks[batch, n] = _Chunk(rounds)
        return self._chunks[batch, n]

    def _weights(self, order: Array, n: int) -> Array:
        training = self._training
        slices = training.slices[training.batch : training.batch + n]
        return np.array([weight_of(training.data, order[rows]) for rows in slices])

    def _keep_start(self) -> None:
        self._start.copy_from(self._training.network)
        for kept, part in zip(self._start_state, self._training.optimizer_state, strict=True):
            kept[:] = part

    def _back_to_start(self) -> None:
        self._start.copy_to(self._training.network)
        for kept, part in zip(self._start_state, self._training.optimizer_state, strict=True):
            part[:] = kept

    def _after_bad_step(self, order: Array, went_well: int) -> int:
        self._back_to_start()
        if went_well:
            self._take_steps(order, went_well)
        return went_well + ReferenceSteps(self._training).take(order, 1)


class _Chunk:
    """Rounds of some steps, and views of the columns that each epoch writes."""

    def __init__(self, table: Array) -> None:
        from thinnet.engine.stepper import Rounds

        self.rounds = Rounds(table.copy())
        own = self.rounds.table
        self.of_step = np.cumsum(np.append(0, own["finishes"][:-1]))
        self.steps, self.counts, self.rates = own["step"], own["count"], own["learning_rate"]


def _losses(table: Array) -> list[float]:
    """Of each step, times its weight: its pieces' losses are joined."""
    totals = table["total"][table["finishes"] == 1]
    if len(totals) == len(table):
        return (table["loss"] * totals).tolist()
    pieces = np.split(table["loss"], np.flatnonzero(table["finishes"])[:-1] + 1)
    return [joined(p.tolist()) * total for p, total in zip(pieces, totals.tolist(), strict=True)]
