"""Deep networks whose gradients vanish or explode, trained on digits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from thinnet import checks
from thinnet.arrays import Array, InitializerLike
from thinnet.datasets import digits
from thinnet.initializers import normal, symmetric
from thinnet.layers import Dense, Layer, ReLU, Sigmoid, Tanh
from thinnet.network import Network
from thinnet.optimizers import SGD
from thinnet.philox import Stream
from thinnet.training.series import GradientSeries
from thinnet.training.training import train

DEPTH: Final = 12
UNITS: Final = 64
ROWS: Final = 300
MEASUREMENTS: Final = 40
LEARNING_RATE: Final = 0.05
BATCH_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class BeforeGlorot:
    """Uniform in +-1/sqrt(fan_in) (Glorot and Bengio 2010, eq. 1): a third of LeCun's variance."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return symmetric(stream, units, width) / math.sqrt(width)


@dataclass(frozen=True, slots=True)
class TooLarge:
    """Normal with variance 9 / fan_in, where He's is 2 / fan_in."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * (3 / math.sqrt(width))


PRESETS: Final[dict[str, dict[str, tuple[Layer, InitializerLike]]]] = {
    "vanishing": {
        "sigmoid, 1/sqrt(n)": (Sigmoid(), BeforeGlorot()),
        "tanh, 1/sqrt(n)": (Tanh(), BeforeGlorot()),
        "tanh, Glorot": (Tanh(), "glorot_uniform"),
    },
    "exploding": {
        "ReLU, 3/sqrt(n)": (ReLU(), TooLarge()),
        "ReLU, He": (ReLU(), "he_normal"),
    },
}


def deep_network(
    activation: Layer, rule: InitializerLike, features: int, depth: int, units: int, seed: int
) -> Network:
    """A network of `depth` hidden layers alike, with ten outputs."""
    hidden: list[Any] = [Dense(units, initializer=rule), activation] * depth
    return Network([*hidden, Dense(10, initializer=rule)], features, seed=seed)


def series(name: str, epochs: int, seed: int) -> dict[str, GradientSeries]:
    """The measurements of a preset's networks, before training and in it."""
    networks = PRESETS[checks.one_of("name", name, tuple(PRESETS))]
    checks.integer("epochs", epochs, 0)
    checks.integer("seed", seed, 0)
    found = {}
    for title, how in networks.items():
        measured, diverged = _series(deep_network(*how, 64, DEPTH, UNITS, seed), epochs)
        found[f"{title}, diverged" if diverged else title] = measured
    return found


def _series(network: Network, epochs: int) -> tuple[GradientSeries, bool]:
    """The measurements, and whether training diverged."""
    data = digits()
    steps = epochs * math.ceil(len(data.X_train) / BATCH_SIZE)
    every = max(1, steps // MEASUREMENTS)
    found = GradientSeries(data.X_test[:ROWS], data.y_test[:ROWS], every=every)
    found.measure(network)
    return found, epochs > 0 and not _is_trained(network, data, epochs, found)


def _is_trained(network: Network, data: Any, epochs: int, found: GradientSeries) -> bool:
    """Whether training came to its end; what was measured until then is what is shown."""
    try:
        train(
            network,
            data.X_train,
            data.y_train,
            optimizer=SGD(LEARNING_RATE),
            epochs=epochs,
            batch_size=BATCH_SIZE,
            callbacks=[found],
            progress=False,
        )
    except checks.DivergedError:
        return False
    return True
