"""The members of an ensemble: their seeds, their bootstrap samples, and their training."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from thinnet import checks
from thinnet.arithmetic import lane_mean
from thinnet.arrays import Array
from thinnet.console import progress as bars
from thinnet.engine.threads import limited
from thinnet.estimators.base import MLP
from thinnet.estimators.weights import SEEDS
from thinnet.philox import derived_seed
from thinnet.training.interrupt import InterruptFlag
from thinnet.training.loop import INTERRUPTED
from thinnet.training.sharing import come_from, each_its_own, is_shared

HALF: Final = 0xFFFFFFFF  # the lower half of a derived seed, the largest that scikit-learn takes


class EnsembleData(NamedTuple):
    """The data that an ensemble is fitted to."""

    X: Any
    y: Any
    weights: Array | None
    held: tuple[Any, Any] | None  # the evaluation set

    @property
    def n(self) -> int:
        return int(self.X.shape[0])


class Seeds(NamedTuple):
    """The independent seeds of one member: for its network, and for its bootstrap sample."""

    network: int
    rows: int


def seeds(random_state: Any, n: int) -> list[Seeds]:
    """The seeds of each member, derived from an integer (docs/masks.md) or a generated one."""
    stream = check_random_state(random_state)
    whole = checks.is_integer(random_state)
    seed = int(random_state) if whole else int(stream.randint(SEEDS, dtype=np.int64))
    derived = [derived_seed(seed, member) for member in range(n)]
    return [Seeds(each & HALF, each >> 32) for each in derived]


def mean_of(predictions: Sequence[Array]) -> Array:
    """The mean over the members of their predictions, added in float64, in their own type."""
    mean = lane_mean(np.stack(predictions, dtype=np.float64))
    return np.asarray(mean.astype(predictions[0].dtype))


def times_chosen(seed: int, rows: int) -> Array:
    """The number of times that each row is in a bootstrap sample of all rows (Breiman 1996)."""
    places = np.random.RandomState(seed).randint(0, rows, rows)
    return np.bincount(places, minlength=rows)


def trained(
    model: MLP,
    rows: EnsembleData,
    of_each: Sequence[Seeds],
    times: Sequence[Array] | None,
    n_jobs: int | None,
    show: bool | None,
) -> dict[int, Any]:
    """A fitted clone of `model` for each seed, by its place; `n_jobs` are fitted at once.

    After Ctrl-C those whose training had ended by then; if there are none, the first.

    They are fitted in threads: an epoch is one call of compiled code, which doesn't hold Python's
    lock, whereas a process takes a second or two to import and compile.
    """
    n = len(of_each)
    together = min(effective_n_jobs(n_jobs), n)
    work = Parallel(n_jobs=together, prefer="threads", return_as="generator")
    weights = [rows.weights] * n if times is None else [_weights(rows, own) for own in times]
    threads = None if together == 1 else 1
    models = _models(model, of_each, bootstrapped=times is not None)
    with InterruptFlag() as flag, bars.opened(show, "ensemble", 0, n) as bar:
        tasks = (
            delayed(_fitted)(own, rows, weight, each.network, threads, flag)
            for own, weight, each in zip(models, weights, of_each, strict=True)
        )
        found = {i: member for i, member in enumerate(_counted(work(tasks), bar)) if member}
    return _trained_to_the_end(found, n) if flag.interrupted else found


def _models(model: MLP, of_each: Sequence[Seeds], *, bootstrapped: bool) -> list[Any]:
    """A clone of `model` for each member, with callbacks of its own."""
    own = each_its_own(model.callbacks or (), len(of_each))
    for callbacks, each in zip(own, of_each, strict=True):
        come_from(callbacks, bootstrap=each.rows if bootstrapped else None)
    return [_model(model, callbacks) for callbacks in own]


def _model(model: MLP, own: Sequence[Any]) -> Any:
    """A clone, with `own` callbacks where the model has one for each member, else with clones."""
    member: Any = clone(model)
    given = zip(model.callbacks or (), own, member.callbacks or (), strict=True)
    found = [each if is_shared(callback) else copied for callback, each, copied in given]
    return member.set_params(callbacks=found) if found else member


def _weights(rows: EnsembleData, times: Array) -> Array:
    return times if rows.weights is None else times * rows.weights


def _fitted(
    member: Any,
    rows: EnsembleData,
    weights: Array | None,
    seed: int,
    threads: int | None,
    flag: InterruptFlag,
) -> Any:
    if flag.interrupted:
        return None
    member.set_params(random_state=seed)
    with limited(threads), flag.shared():
        return member.fit(rows.X, rows.y, sample_weight=weights, eval_set=rows.held)


def _counted(members: Any, bar: Any) -> Iterator[Any]:
    for member in members:
        bar.advance(1)
        yield member


def _trained_to_the_end(found: dict[int, Any], wanted: int) -> dict[int, Any]:
    """The members whose training ended by itself; the first one, as it is, if none did."""
    if not found:
        raise KeyboardInterrupt
    whole = {i: each for i, each in found.items() if each.history_.stopped != INTERRUPTED}
    warnings.warn(
        f"Training interrupted by user: {len(whole) or 'none'} of {wanted} networks were trained "
        f"to their end, the others are left out{'' if whole else ' but the first'}.",
        UserWarning,
        stacklevel=5,
    )
    return whole or {min(found): found[min(found)]}
