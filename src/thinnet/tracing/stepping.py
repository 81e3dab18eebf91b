"""`trace`: a step of a network, taken on a copy and explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from thinnet import checks, masks, sparse
from thinnet.arrays import Flat, Ids, MatrixLike, TargetLike, VectorLike
from thinnet.losses import Loss, loss_for
from thinnet.network import Network
from thinnet.optimizers import Optimizer
from thinnet.passes import Run
from thinnet.tracing import passing
from thinnet.tracing.building import build
from thinnet.tracing.names import PaperNames, PlaceNames
from thinnet.tracing.passing import Batch
from thinnet.tracing.sections import Section
from thinnet.tracing.selecting import Rows
from thinnet.tracing.traces import Trace
from thinnet.tracing.updates.stages import How
from thinnet.tracing.updates.taking import changed, compared, update
from thinnet.training.data import checked_data

Names: TypeAlias = Literal["paper"] | None


@dataclass(frozen=True, slots=True)
class Step:
    """All that a step of a training takes.

    Attributes
    ----------
    batch : Batch
        Without targets where there is a forward pass alone.
    run : Run
    loss : Loss or None
        None for a forward pass alone.
    how : How or None
        None for passes without an update.
    followed : array or None
        The flat parameters that really followed.
    """

    batch: Batch
    run: Run
    loss: Loss | None = None
    how: How | None = None
    followed: Flat | None = None


def trace(
    network: Network,
    x: MatrixLike,
    y: TargetLike | None = None,
    *,
    step: int | None = None,
    samples: VectorLike = None,
    show: VectorLike = None,
    optimizer: Optimizer | None = None,
    loss: Loss | None = None,
    names: Names = None,
    sample_weight: VectorLike = None,
    run: Run | None = None,
) -> Trace:
    """Open one training step: forward, loss, backward and update, with every number's formula.

    Parameters
    ----------
    network : Network
        It stays as it is.
    x : array or sparse matrix, shape (rows, *features)
        The whole batch: finite numbers.
    y : array, shape (rows,) or (rows, ...), optional
        Targets in the form that the loss takes; without them there is a forward pass alone.
    step : int, optional
        The step whose masks are taken, from 0 to 2^32 - 1; the network's next one by default.
    samples : sequence of int, optional
        The rows' ids, which their masks depend on; by default their places in `x`.
    show : sequence of int, optional
        The ids of the rows whose numbers are printed; all by default.
    optimizer : Optimizer, optional
        With it the step ends with an update, from the optimiser's first state.
    loss : Loss, optional
        By default the one that `train` takes for such targets.
    names : None or "paper"
        By place in ``network.layers``, as ``W2[0, 1]`` is ``network.sites[2].p.W[0, 1]`` and
        ``y2[7, 0]`` an output for the row with id 7; "paper" as in worked examples: w1, b1, net_h1,
        h1, o1.
    sample_weight : array, shape (rows,), optional
        What each row counts for: at least 0, not all 0.
    run : Run, optional
        Another kind of pass than that of a training step; instead of `step` and `samples`.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If an argument is not as above, or doesn't fit the network.

    Examples
    --------
    >>> import numpy as np
    >>> import thinnet
    >>> from thinnet import SGD, Dense, Network, Sigmoid
    >>> network = Network([Dense(2), Sigmoid(), Dense(1)], features=2, seed=0, dtype=np.float64)
    >>> t = thinnet.trace(network, [[0.5, -1.0]], [[1.0]], optimizer=SGD(0.1), names="paper")
    >>> t["net_h1"].formula
    'i1 * w1 + i2 * w2 + b1'
    >>> t["dE/dw5"].formula
    'dE/do1 * h1'
    >>> t["w5+"].formula
    'w5 - eta * dE/dw5'
    >>> t.check()
    49
    """
    checks.must(isinstance(network, Network), "network", "a Network", network)
    checks.one_of("names", names, (None, "paper"))
    if y is None:
        for name, given in [
            ("optimizer", optimizer),
            ("loss", loss),
            ("sample_weight", sample_weight),
        ]:
            checks.must(given is None, name, "None where there are no targets y", given)
        x = sparse.finite("x", network.fitting(x), network.dtype)
        network.check_encoded(x)
        batch, ids = Batch(x, np.zeros(0)), masks.row_ids(samples, x.shape[0], "x")
    else:
        loss = loss_for(y) if loss is None else loss
        checks.of_kind("loss", loss, Loss)
        data = checked_data(network, loss, x, y, sample_weight, samples)
        batch, ids = Batch(data.X, data.targets, data.weights), data.ids
    run = _run(network, step, samples, run, ids)
    return opened(network, Step(batch, run, loss, _how(network, optimizer, run)), ids, show, names)


def _run(network: Network, step: Any, samples: Any, run: Any, ids: Ids) -> Run:
    """The kind of pass: by default that of the network's next step."""
    if run is None:
        return Run.train(network.clock.step if step is None else step, ids)
    checks.must(isinstance(run, Run), "run", "a Run", run)
    checks.must(step is None, "step", "None where a run is given", step)
    checks.must(samples is None, "samples", "None where a run is given", samples)
    run.check_rows(len(ids))
    return run


def _how(network: Network, optimizer: Any, run: Run) -> How | None:
    if optimizer is None:
        return None
    fits = hasattr(optimizer, "step") and not isinstance(optimizer, type)
    checks.must(fits, "optimizer", "an optimiser", optimizer)
    rate = optimizer.learning_rate
    at = rate.at(run.step) if hasattr(rate, "at") else rate
    return How(optimizer, float(at), optimizer.start(network.theta))


def opened(network: Network, step: Step, ids: Ids, show: Any = None, names: Names = None) -> Trace:
    """The trace of a step that is checked already."""
    shown = ids if show is None else np.atleast_1d(np.asarray(show))
    for one in shown.tolist():
        checks.must(one in ids.tolist(), "show", "ids of the batch's rows", one)
    with np.errstate(all="ignore"):  # of a training that diverges
        taken = passing.forward(network, step.batch.x, step.run)
        found = _sections(taken, step)
    quantities = [quantity for section in found for quantity in section.quantities]
    # Rows that stand there twice have one id between them: they are named by their places.
    own = ids if len(np.unique(ids)) == len(ids) else np.arange(len(ids), dtype=ids.dtype)
    layers = taken.network.layers
    by_name = PaperNames(quantities, own, layers) if names else PlaceNames(quantities, own)
    return Trace(found, taken.network, by_name, Rows(ids, shown))


def _sections(taken: passing.Taken, step: Step) -> list[Section]:
    if step.loss is None:
        return build(taken).sections
    of_loss = passing.measured(taken, step.loss, step.batch)
    passing.backward(taken, of_loss.slope)
    built = build(taken, step.loss, of_loss)
    if step.how is None:
        return built.sections
    stage = update(taken, built, step.how)
    rest = [changed(taken, built, stage, step.loss, step.batch)]
    if step.followed is not None:
        rest.append(compared(stage, step.followed))
    return [*built.sections, *stage.sections, *rest]
