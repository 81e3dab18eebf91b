"""Who takes the steps: the reference executor, one by one, or compiled code, many in a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.schedules import Schedule
from thinnet.training.step import first_bad, first_bad_parameter, gradient_of, take_step, weight_of

if TYPE_CHECKING:
    from thinnet.training.loop import Training


@runtime_checkable
class Steps(Protocol):
    """Takes steps of a training run, from its next batch on."""

    def take(self, order: Array, at_most: int) -> int:
        """Take one step or more; how many."""
        ...


def steps_for(training: Training, watched: bool) -> Steps:
    """Compiled steps where everything in the run is known to compiled code."""
    from thinnet.network import executor

    plan = training.plan
    if executor.is_compiled(training.network) and executor.knows(plan.loss, plan.optimiser):
        return CompiledSteps(training, watched)
    return ReferenceSteps(training)


class ReferenceSteps:
    def __init__(self, training: Training) -> None:
        self._training = training

    def take(self, order: Array, at_most: int) -> int:
        training = self._training
        network, plan, data = training.network, training.plan, training.data
        rows = order[training.slices[training.batch]]
        seen, weight = gradient_of(network, plan, data, rows), weight_of(data, rows)
        if not (np.isfinite(seen.loss) and np.isfinite(network.gradient).all()):
            self._diverge(first_bad(network, plan, data, rows))
        training.good.take(network)
        training.outputs[rows] = seen.outputs
        training.loss_sum += seen.loss * (weight / plan.loss_factor)
        state, rate = training.optimiser_state, training.learning_rate
        take_step(network, plan, state, training.t, rate, weight)
        if not np.isfinite(network.theta).all():
            self._diverge(first_bad_parameter(network))
        training.batch, training.t = training.batch + 1, training.t + 1
        return 1

    def _diverge(self, where: str) -> NoReturn:
        """Put the weights back with which the last finite loss was computed, and say where."""
        training = self._training
        training.good.restore(training.network)
        step = training.network.clock.step
        raise checks.DivergedError(where, training.epoch, step, training.history)


class CompiledSteps:
    """Chunks of compiled steps; one that goes wrong is taken again by the reference executor.

    A chunk starts from weights that are kept.  When one of its steps goes wrong, the steps before
    it are repeated from there, which gives the same numbers, and the reference executor, which can
    say what is not finite, takes the wrong one.  So what is kept and said does not depend on how
    steps are grouped.
    """

    def __init__(self, training: Training, watched: bool) -> None:
        from thinnet.engine.stepper import Stepper
        from thinnet.engine.tables import ROUND

        self._training, plan, data = training, training.plan, training.data
        self._scheduled = isinstance(plan.optimiser.learning_rate, Schedule)
        self._parts = [
            (part[0], part[-1] + 1, i)
            for i, batch in enumerate(training.slices)
            for part in np.array_split(
                np.arange(batch.start, batch.stop), min(plan.accumulate, batch.stop - batch.start)
            )
        ]
        self._table = self._blank(ROUND)
        self._ends = np.flatnonzero(self._table["finishes"])
        self._stepper = Stepper(
            training.network,
            plan.loss,
            plan.optimiser,
            training.optimiser_state,
            training.outputs,
            int(self._table["rows"].max()),
            keeps_gradient=watched or plan.accumulate > 1,
            clip_norm=plan.clip_norm,
        )
        self._stepper.check_rows(int(self._table["rows"].min()))
        self._stepper.bind(data.X, data.targets, data.weights, data.ids)
        self._start = training.good.of(training.network)
        self._before_last = training.network.theta.copy()
        self._start_state = [part.copy() for part in training.optimiser_state]

    def _blank(self, dtype: np.dtype) -> Array:
        """The rounds of an epoch, as far as all epochs have them in common."""
        table = np.zeros(len(self._parts), dtype)
        start, stop, batch = np.array(self._parts).T
        table["start"], table["stop"], table["rows"] = start, stop, stop - start
        table["finishes"] = np.append(np.diff(batch), 1)
        table["adds"] = np.append(0, np.diff(batch) == 0)
        sizes = np.array([batch.stop - batch.start for batch in self._training.slices], float)
        self._weigh(table, sizes[batch])
        return table

    def _weigh(self, table: Array, weights: Array) -> None:
        """What losses and penalties are divided by, from the weights of each round's step."""
        plan = self._training.plan
        table["total"] = weights / plan.loss_factor
        table["penalised"] = [plan.penalised(weight) for weight in weights.tolist()]

    def take(self, order: Array, at_most: int) -> int:
        training, first = self._training, self._training.batch
        n = min(at_most, self._stepper.steps, len(training.slices) - first)
        self._keep_start()
        went_well = self._run(order, n)
        return n if went_well == n else self._after_bad_step(order, went_well)

    def _run(self, order: Array, n: int) -> int:
        """Take `n` steps from here; how many went well.

        If all did, what the last loss was computed with is good: the parameters before that step.
        """
        training, network = self._training, self._training.network
        clock = network.clock
        first = self._ends[training.batch - 1] + 1 if training.batch else 0
        table = self._table[first : self._ends[training.batch + n - 1] + 1].copy()
        of_step = np.cumsum(np.append(0, table["finishes"][:-1]))
        table["step"], table["count"] = clock.step + of_step, training.t + of_step
        table["learning_rate"] = self._learning_rates(n)[of_step]
        weights = training.data.weights
        if weights is not None:
            self._weigh(table, self._weights(order, n)[of_step])
        went_well = self._stepper.take(order, table, self._before_last)
        if went_well == n:
            training.good.theta[:], training.good.state[:] = self._before_last, network.state
            for loss, total in zip(table["loss"].tolist(), table["total"].tolist(), strict=True):
                training.loss_sum += loss * total
            clock.step += n
            training.batch, training.t = training.batch + n, training.t + n
        return went_well

    def _learning_rates(self, n: int) -> Array:
        training = self._training
        if self._scheduled:
            return np.array([training.learning_rate_at(training.t + i) for i in range(n)])
        return np.full(n, training.learning_rate)

    def _weights(self, order: Array, n: int) -> Array:
        training = self._training
        slices = training.slices[training.batch : training.batch + n]
        return np.array([weight_of(training.data, order[rows]) for rows in slices])

    def _keep_start(self) -> None:
        self._start.take(self._training.network)
        for kept, part in zip(self._start_state, self._training.optimiser_state, strict=True):
            kept[:] = part

    def _back_to_start(self) -> None:
        self._start.restore(self._training.network)
        for kept, part in zip(self._start_state, self._training.optimiser_state, strict=True):
            part[:] = kept

    def _after_bad_step(self, order: Array, went_well: int) -> int:
        self._back_to_start()
        if went_well:
            self._run(order, went_well)
        return went_well + ReferenceSteps(self._training).take(order, 1)
