"""Networks, histories and fitted perceptrons: taken apart, made again, and checked to fit.

Compiled code does not check the sizes of arrays, so all of them are compared here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.estimators.base import momentary
from thinnet.estimators.classifier import check_labels
from thinnet.estimators.linked import link
from thinnet.estimators.solvers import Momentary
from thinnet.network import Network
from thinnet.network.binding import checked_features, checked_layers, layer_shapes
from thinnet.network.bound import EXECUTORS
from thinnet.network.changes import checked_changes
from thinnet.network.logbook import Logbook
from thinnet.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from thinnet.optimizers.adaptive import Moments, Squares
from thinnet.optimizers.sgd import Empty, Momentum
from thinnet.passes import Clock
from thinnet.persistence.ways import State, check_names
from thinnet.philox import MAX_SEED, MAX_STEP
from thinnet.training.history import COLUMNS, Epoch, History
from thinnet.training.state import Begin

STATES: Final[dict[Any, tuple[type, ...]]] = {
    SGD: (Empty, Momentum),
    Adagrad: (Squares,),
    RMSprop: (Squares,),
    Adam: (Moments,),
    AdamW: (Moments,),
}
OF_NETWORK: Final = ("layers", "features", "seed", "dtype", "executor", "theta", "state")
OF_CLOCK: Final = ("step", "epoch")
LOGBOOK: Final = "logbook"
CHANGES: Final = "changes"
OF_HISTORY: Final = ("score_name", "stopped", "best_epoch")
COUNTS: Final = ("epoch", "step")  # the columns of a history that hold integers


def state_of_network(network: Network) -> State:
    clock = network.clock
    log: State = {LOGBOOK: network.logbook.until(clock.step)}
    log |= {CHANGES: [list(change) for change in network.changes]} if network.changes else {}
    return {name: getattr(network, name) for name in OF_NETWORK} | dataclasses.asdict(clock) | log


def make_network(cls: type[Network], state: State) -> Network:
    """A network with the vectors of a file, in the sizes of its layers; none is initialised."""
    check_names(cls, state, (*OF_NETWORK, *OF_CLOCK, LOGBOOK, CHANGES))
    checked = {
        "layers": checked_layers(state["layers"]),
        "features": checked_features(state["features"]),
        "_seed": checks.integer("seed", state["seed"], 0, MAX_SEED),
        "dtype": checks.float_dtype("dtype", state["dtype"]),
        "executor": checks.one_of("executor", state["executor"], EXECUTORS),
        "compiled": None,
        "clock": Clock(*(checks.integer(name, state[name], 0, MAX_STEP) for name in OF_CLOCK)),
        "logbook": _logbook(state.get(LOGBOOK, []), state["step"]),
    }
    checked["changes"] = checked_changes(state.get(CHANGES, []), checked["layers"], state["step"])
    network = cls.__new__(cls)
    network.__setstate__(checked | _vectors(checked, state))
    return network


def _logbook(entries: Any, step: int) -> Logbook:
    """The network's logbook; empty for files of older versions."""
    checks.must(type(entries) is list, LOGBOOK, "a list", type(entries).__name__)
    logbook = Logbook(entries)
    for entry in logbook.entries[-1:]:
        checks.must(entry.end <= step, "the end of an entry", f"at most {step}", entry.end)
    return logbook


def _vectors(checked: State, state: State) -> State:
    """Parameters and running statistics, checked to have the sizes of the layers."""
    shapes, dtype = layer_shapes(checked["layers"], checked["features"]), checked["dtype"]
    _check_vector("theta", state["theta"], _size(s.params for s in shapes), dtype)
    _check_vector("state", state["state"], _size((*s.state, *s.counters) for s in shapes), dtype)
    return {name: state[name] for name in ("theta", "state")}


def _size(groups: Iterable[Sequence[Any]]) -> int:
    return sum(math.prod(shape) for group in groups for shape in group)


def _check_vector(name: str, vector: Any, size: int, dtype: np.dtype) -> None:
    fits = isinstance(vector, np.ndarray) and vector.shape == (size,) and vector.dtype == dtype
    if not fits:
        raise ValueError(f"{name} must be {size} numbers of type {dtype}, got others")


def state_of_history(history: History) -> State:
    columns: State = {
        column: np.array([getattr(epoch, column) for epoch in history], _type(column))
        for column in COLUMNS
    }
    return {name: getattr(history, name) for name in OF_HISTORY} | columns


def _type(column: str) -> type:
    return int if column in COUNTS else float


def make_history(cls: type[History], state: State) -> History:
    check_names(cls, state, (*OF_HISTORY, *COLUMNS))
    for name in ("score_name", "stopped"):
        checks.must(isinstance(state[name], str), name, "text", state[name])
    rows = zip(*(_column(name, state[name]) for name in COLUMNS), strict=True)
    epochs = [Epoch(*row) for row in rows]
    best = checks.integer("best_epoch", state["best_epoch"], -1)
    return cls(state["score_name"], epochs, state["stopped"], best)


def _column(name: str, values: Array) -> list[Any]:
    _check_vector(name, values, len(values), np.dtype(_type(name)))
    return values.tolist()


def finish_classifier(classifier: Any) -> None:
    """Finish a classifier as `finish` does; ValueError also if labels don't fit the outputs."""
    check_labels(classifier)
    finish(classifier)


def finish(mlp: Any) -> None:
    """Show the network's weights as `coefs_`; ValueError if the parts don't fit together."""
    network = mlp.network_
    if (network.features, network.out) != ((mlp.n_features_in_,), (mlp.head_.width,)):
        raise ValueError("the network of an estimator must fit its inputs and outputs, got others")
    check_noise(mlp)
    if (state := momentary(mlp)) is not None:
        _check_momentary(state, network)
    link(mlp)


def check_noise(estimator: Any) -> None:
    """ValueError unless a regressor's noise, if it has one, is above 0 for each output."""
    found = getattr(estimator, "noise_", np.ones(estimator.n_outputs_))
    if found.shape != (estimator.n_outputs_,) or not (found > 0).all():
        raise ValueError(f"noise_ must be a number > 0 for each output, got {found!r}")


def _check_momentary(momentary: Any, network: Network) -> None:
    """ValueError unless it is the state of an optimiser for the network's parameters."""
    if not (isinstance(momentary, Momentary) and isinstance(momentary.begin, Begin)):
        raise ValueError("the optimiser's state must stand in a Momentary, got something else")
    kind: Any = momentary.kind
    optimizer, size = kind[:2]
    state, t = momentary.begin
    if size != network.theta.size or type(state) not in STATES[optimizer]:
        raise ValueError("the optimiser's state must fit the network, got another")
    for part in state:
        _check_vector("the optimiser's state", part, size, network.dtype)
    checks.integer("t", t, 0, MAX_STEP)
    checks.non_negative("rate", momentary.rate)
