"""The executor of a network: compiled code, or the reference in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from thinnet import philox
from thinnet.arrays import Array
from thinnet.layers.base import title
from thinnet.network.bound import Bound

DTYPES: Final = (np.float32, np.float64)


@cache
def obstacle() -> str:
    """The reason why this machine can't run compiled code; "" if it can.

    Raises
    ------
    ValueError
        If an environment variable names a processor, features or tiles that there are not.
    """
    if find_spec("numba") is None:
        return "numba is not installed"
    from thinnet.engine import shapes, target

    if not (reason := target.obstacle_to_networks()):
        shapes.chosen()  # refused here, before kernels are made of it
    return reason


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


class Lent:
    """A predictor for rows like X that no other thread gets as long as the context is open.

    If something goes wrong it is not used again.
    """

    __slots__ = ("_free", "_predictor")

    def __init__(self, network: Bound, kind: Any, X: Any) -> None:
        sparse, rows = _is_read_sparse(network, X), X.shape[0]
        self._free = network.predictors.setdefault((kind, sparse), [])
        self._predictor = _free_one(self._free, rows) or _new_one(network, kind, rows, sparse)

    def __enter__(self) -> Any:
        return self._predictor

    def __exit__(self, error: object, *_: object) -> None:
        if error is None:
            self._free.append(self._predictor)


def _is_read_sparse(network: Bound, X: Any) -> bool:
    if isinstance(X, Array):
        return False
    from thinnet.engine.sparse_input import pays

    return pays(network, X)


def _free_one(free: list[Any], rows: int) -> Any:
    """One of those that nobody uses; smaller ones are dropped."""
    try:
        while not (found := free.pop()).takes(rows):
            pass
        return found
    except IndexError:  # another thread may have taken the last one
        return None


def _new_one(network: Bound, kind: Any, rows: int, sparse: bool) -> Any:
    from thinnet.engine.predictor import Predictor

    return Predictor(network, kind, rows, sparse)
