"""The protocol of 2018: one hidden layer of 50 units, and the grid searched on training rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from published.sets import DataSet, Figures, Split
from thinnet import Adam, Dense, Dropout, Network, ReLU, SquaredError, train
from thinnet.uncertainty.draws.mixtures import Gaussians, OwnUnits

LENGTH_SCALE = 1e-2
BATCH = 128


class Setting(NamedTuple):
    rate: float
    tau: float  # the precision of the noise, in the target's own units


class Fitted(NamedTuple):
    network: Network
    setting: Setting
    center: np.ndarray
    scale: np.ndarray
    y_center: float
    y_scale: float

    def entering(self, X: np.ndarray) -> np.ndarray:
        return ((X - self.center) / self.scale).astype(np.float32)

    def figures(self, split: Split, draws: int) -> Figures:
        X = self.entering(split.X_test)
        raw = self.network.sample(X, draws, progress=False).astype(np.float64)
        centers = raw * self.y_scale + self.y_center
        noise = np.array([self.setting.tau**-0.5])
        mixture = Gaussians(centers, noise, OwnUnits())
        error = centers.mean(axis=0)[:, 0] - split.y_test
        of_rows = mixture.log_density(split.y_test[:, None])
        return Figures(float(np.sqrt(np.mean(error**2))), float(of_rows.mean()))

    def point_rmse(self, split: Split) -> float:
        """With dropout off."""
        y = self.network.outputs(self.entering(split.X_test))[:, 0] * self.y_scale + self.y_center
        return float(np.sqrt(np.mean((y - split.y_test) ** 2)))


def fit(split: Split, setting: Setting, n_hidden: int, epochs: int, seed: int) -> Fitted:
    center, scale = split.X.mean(axis=0), split.X.std(axis=0)
    scale[scale == 0] = 1
    y_center, y_scale = float(split.y.mean()), float(split.y.std())
    n = len(split.y)
    l2 = LENGTH_SCALE**2 * (1 - setting.rate) / (2 * n * setting.tau)
    layers = [
        Dropout(setting.rate),
        Dense(n_hidden, "glorot_uniform", l2=l2),
        ReLU(),
        Dropout(setting.rate),
        Dense(1, "glorot_uniform", l2=l2),
    ]
    network = Network(layers, split.X.shape[1], seed=seed)
    fitted = Fitted(network, setting, center, scale, y_center, y_scale)
    y = ((split.y - y_center) / y_scale).astype(np.float32)
    train(
        network, fitted.entering(split.X), y[:, None], loss=SquaredError(), optimizer=Adam(0.001),
        epochs=epochs, batch_size=BATCH, clean_rows=0, progress=False,
    )  # fmt: skip
    return fitted


def grid_of(data: DataSet) -> list[Setting]:
    return [Setting(rate, tau) for rate in data.rates for tau in data.taus]


def run(data: DataSet, number: int, epochs: int, draws: int) -> dict[str, object]:
    """One split: the best of the grid by held-out training rows, learned from all of them."""
    split = data.split(number)
    inner = split.without_last()

    def held_out(setting: Setting) -> float:
        fitted = fit(inner, setting, data.n_hidden, epochs, seed=number)
        return fitted.figures(inner, draws).log_likelihood

    best = max(grid_of(data), key=held_out)
    fitted = fit(split, best, data.n_hidden, epochs, seed=number)
    found = fitted.figures(split, draws)
    return {
        "rmse": found.rmse,
        "log_likelihood": found.log_likelihood,
        "point_rmse": fitted.point_rmse(split),
        "rate": best.rate,
        "tau": best.tau,
    }
