"""The protocol of `published.protocol` as a loop of PyTorch, for its time."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import special

from published.protocol import BATCH, LENGTH_SCALE, Setting, grid_of
from published.sets import DataSet, Split

BLOCK = 1000  # draws of one pass, at most


def _network(width: int, n_hidden: int, rate: float) -> torch.nn.Sequential:
    layers = [
        torch.nn.Dropout(rate), torch.nn.Linear(width, n_hidden), torch.nn.ReLU(),
        torch.nn.Dropout(rate), torch.nn.Linear(n_hidden, 1),
    ]  # fmt: skip
    for layer in layers:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return torch.nn.Sequential(*layers)


def _trained(
    X: torch.Tensor, y: torch.Tensor, setting: Setting, n_hidden: int, epochs: int
) -> torch.nn.Sequential:
    network = _network(X.shape[1], n_hidden, setting.rate)
    l2 = LENGTH_SCALE**2 * (1 - setting.rate) / (2 * len(X) * setting.tau)
    biases = [p for name, p in network.named_parameters() if name.endswith("bias")]
    weights = [p for name, p in network.named_parameters() if name.endswith("weight")]
    groups = [{"params": weights, "weight_decay": 2 * l2}, {"params": biases}]
    optimiser = torch.optim.Adam(groups, lr=0.001)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(BATCH):
            optimiser.zero_grad()
            torch.nn.functional.mse_loss(network(X[rows]), y[rows]).backward()
            optimiser.step()
    return network


def _figures(
    split: Split, setting: Setting, n_hidden: int, epochs: int, draws: int
) -> tuple[float, float]:
    """RMSE and log likelihood of the rows held out."""
    center, scale = split.X.mean(axis=0), split.X.std(axis=0)
    scale[scale == 0] = 1
    y_center, y_scale = split.y.mean(), split.y.std()

    def entering(X: np.ndarray) -> torch.Tensor:
        return torch.tensor((X - center) / scale, dtype=torch.float32)

    y = torch.tensor((split.y - y_center) / y_scale, dtype=torch.float32)[:, None]
    network = _trained(entering(split.X), y, setting, n_hidden, epochs)
    X_test = entering(split.X_test)
    with torch.no_grad():
        sizes = [min(BLOCK, draws - start) for start in range(0, draws, BLOCK)]
        parts = [network(X_test.repeat(size, 1)) for size in sizes]
    drawn = torch.cat(parts).reshape(-1, len(X_test)).numpy() * y_scale + y_center
    error = split.y_test - drawn
    each = special.logsumexp(-setting.tau * error**2 / 2, axis=0) - math.log(len(drawn))
    each += math.log(setting.tau / (2 * math.pi)) / 2
    return float(np.sqrt(np.mean(error.mean(axis=0) ** 2))), float(each.mean())


def run(data: DataSet, number: int, epochs: int, draws: int) -> dict[str, object]:
    """One split, as `published.protocol.run`."""
    torch.set_num_threads(1)  # one core against one core
    torch.manual_seed(number)
    split = data.split(number)
    inner = split.without_last()

    def held_out(setting: Setting) -> float:
        return _figures(inner, setting, data.n_hidden, epochs, draws)[1]

    best = max(grid_of(data), key=held_out)
    rmse, likelihood = _figures(split, best, data.n_hidden, epochs, draws)
    return {"rmse": rmse, "log_likelihood": likelihood, **best._asdict()}
