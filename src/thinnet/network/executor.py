"""The executor of a network: compiled code, or the reference in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from thinnet import philox
from thinnet.layers.base import title
from thinnet.network.bound import Bound

DTYPES: Final = (np.float32, np.float64)


@cache
def obstacle() -> str:
    """The reason why this machine can't run compiled code; "" if it can."""
    if find_spec("numba") is None:
        return "numba is not installed"
    from thinnet.engine.features import fuses

    return "" if fuses() else "this processor has no fused multiply-add"


def obstacles(network: Bound) -> list[str]:
    """The reasons why compiled code can't run a network; empty if it can."""
    if reason := obstacle():
        return [reason]
    found = [] if network.dtype in DTYPES else [f"{network.dtype} is not float32 or float64"]
    from thinnet.engine.lowering import not_lowered

    unknown = not_lowered(network)
    return found + [f"layer {i}, {title(network.layers[i])}, has no compiled form" for i in unknown]


def is_compiled(network: Bound) -> bool:
    """Whether compiled code runs this network; checked once, as layers and type don't change."""
    if network.compiled is None:
        network.compiled = network.executor != "reference" and not obstacles(network)
    return network.compiled


def step_obstacles(loss: Any, optimizer: Any) -> list[str]:
    """The reasons why compiled code can't take steps with a loss and an optimiser, if any."""
    from thinnet.engine.stepper import LOSSES, OPTIMIZERS

    given = (("loss", loss, LOSSES), ("optimizer", optimizer, OPTIMIZERS))
    unknown = [(name, title(value)) for name, value, known in given if type(value) not in known]
    return [f"the {name}, {shown}, has no compiled form" for name, shown in unknown]


def check_trainable(network: Bound, loss: Any, optimizer: Any) -> None:
    """ValueError if the network must have compiled code, which can't take these steps."""
    if network.executor == "compiled" and (found := step_obstacles(loss, optimizer)):
        allowed = "'reference' or None for this training"
        raise ValueError(f"executor of the network must be {allowed}: {'; '.join(found)}")


def permutation(network: Bound) -> Callable[..., Any]:
    """The function that shuffles rows, compiled or not; both give the same order."""
    if not is_compiled(network):
        return philox.permutation
    from thinnet.engine import shuffling

    return shuffling.permutation


def predictor(network: Bound, free: list[Any], kind: Any, rows: int, sparse: bool) -> Any:
    """A predictor for at most `rows` rows at once; a new one if none is free."""
    from thinnet.engine.predictor import BLOCK_ROWS, Predictor

    while free:
        found = free.pop()
        if found.rows >= min(rows, BLOCK_ROWS):
            return found
    return Predictor(network, kind, rows, sparse)


@contextmanager
def lent(network: Bound, kind: str, X: Any) -> Iterator[Any]:
    """A predictor for rows like X that no other thread gets as long as the context is open."""
    from thinnet.engine.sparse_input import pays

    sparse = pays(network, X)
    free = network.predictors.setdefault((kind, sparse), [])
    found = predictor(network, free, kind, X.shape[0], sparse)
    yield found
    free.append(found)
