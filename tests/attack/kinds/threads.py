"""Random networks, trained and asked on one thread and on another number up to 16: the same bits.

The work that a team needs before it is called is set to nothing, or small networks would all run
on one thread.
"""

import warnings
from contextlib import suppress

import numpy as np
from attack.drawing import drawn
from random_networks import problems, thin_chains, trained

import thinnet as tn
from thinnet.engine import launch
from thinnet.engine.threads import limited

ALONE, SECONDS, MOST = False, 60, 16
STRATEGIES = [
    problems(dtype=dtype, **more)
    for dtype in (np.float32, np.float64)
    for more in ({}, {"chains": thin_chains})
]


class Teams:
    """Notes how many threads really work together."""

    def __init__(self):
        self.largest, self._run_team = 1, launch.run_team

    def __call__(self, size, *arguments):
        self.largest = max(self.largest, size)
        self._run_team(size, *arguments)


def prepare(folder):
    launch.WORTH_MEETING = launch.WORTH_WAKING = 0
    launch.run_team = Teams()


def attempt(rng, state, folder):
    problem = drawn(STRATEGIES[rng.integers(len(STRATEGIES))], int(rng.integers(2**32)))
    n, rows = int(rng.integers(2, MOST + 1)), int(rng.integers(1, 2500))
    launch.run_team.largest = 1
    alone, together = (bits(problem, size, rows) for size in (1, n))
    assert alone.keys() == together.keys()
    for name in alone:
        assert alone[name] == together[name], f"{name} differs on {n} threads: {problem}"
    return f"team of {launch.run_team.largest:2}"


def bits(problem, n, rows):
    """All that training and asking leave behind, or how it went wrong."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), limited(n):
        warnings.simplefilter("ignore")
        try:
            found = trained(problem)
        except tn.DivergedError as error:
            return {"divergence": str(error)}
        network, history, seen = found
        X = np.random.default_rng(rows).normal(size=(rows, *network.features))
        arrays = {
            "theta": network.theta,
            "state": network.state,
            "outputs": network.outputs(X),
            "draws": draws_of(network, X),
            "losses": history["loss"],
            "seen": np.stack(seen.outputs),
        }
        return {name: array.tobytes() for name, array in arrays.items()}


def draws_of(network, X):
    with suppress(ValueError):  # of a network in which nothing draws
        return network.sample(X, n_draws=3, seed=1)
    return np.empty(0)
