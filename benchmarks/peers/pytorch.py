"""PyTorch: eager, compiled, and its own best ways to thin a network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from harness import Prepared
from problems import Elements, Sampling, Training
from torch import nn
from torch.nn import functional as F


def network(sizes, weights, rates=(0.0, 0.0)):
    layers = [nn.Dropout(rates[0])] if rates[0] else []
    for i, (width, units) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(width, units))
        if i < len(sizes) - 2:
            layers += [nn.ReLU(), *([nn.Dropout(rates[1])] if rates[1] else [])]
    made = nn.Sequential(*layers)
    with torch.no_grad():
        linear = [layer for layer in made if isinstance(layer, nn.Linear)]
        for layer, given in zip(linear, weights, strict=True):
            layer.weight.copy_(torch.from_numpy(given.W))
            layer.bias.copy_(torch.from_numpy(given.b))
    return made


def optimizer(problem: Training, parameters):
    if problem.optimizer == "sgd":
        return torch.optim.SGD(parameters, problem.learning_rate)
    return torch.optim.Adam(parameters, problem.learning_rate, fused=True)


def tensors(problem: Training):
    X, y = problem.data()
    return torch.from_numpy(X), torch.from_numpy(y)


def loss_of(problem: Training):
    return F.cross_entropy if problem.classifies else F.mse_loss


def epoch(problem: Training, net, steps, X, y, order) -> None:
    loss_function = loss_of(problem)
    for start in range(0, len(order), problem.batch):
        rows = order[start : start + problem.batch]
        steps.zero_grad()
        loss_function(net(X[rows]), y[rows]).backward()
        steps.step()


def checked_loss(problem: Training) -> float:
    net = network(problem.sizes, problem.weights())
    steps = optimizer(problem, net.parameters())
    X, y = tensors(problem)
    order = torch.arange(problem.batch * problem.checked_batches)
    for _ in range(problem.checked_epochs):
        epoch(problem, net, steps, X, y, order)
    with torch.no_grad():
        return float(loss_of(problem)(net(X[: problem.batch]), y[: problem.batch]))


def training(problem: Training) -> Prepared:
    return _training(problem, lambda net: net)


def compiled_training(problem: Training) -> Prepared:
    return _training(problem, torch.compile)


def _training(problem: Training, prepare) -> Prepared:
    net = prepare(network(problem.sizes, problem.weights(), problem.rates))
    steps = optimizer(problem, net.parameters())
    X, y = tensors(problem)

    def work() -> None:
        epoch(problem, net, steps, X, y, torch.randperm(problem.rows))

    return Prepared(work, problem.batches, checked_loss(problem))


class Thinned(nn.Module):
    """One mask for the batch; what it keeps of the weights is taken out by index_select."""

    def __init__(self, plain, rates) -> None:
        super().__init__()
        self.linear = nn.ModuleList(layer for layer in plain if isinstance(layer, nn.Linear))
        self.rates = [rates[0], *[rates[1]] * (len(self.linear) - 1), 0.0]

    def forward(self, x):
        kept = self._kept(x.shape[1], self.rates[0])
        if kept is not None:
            x = x.index_select(1, kept) / (1 - self.rates[0])
        for i, layer in enumerate(self.linear):
            rate = self.rates[i + 1]
            units = self._kept(len(layer.bias), rate)
            W, b = layer.weight, layer.bias
            if units is not None:
                W, b = W.index_select(0, units), b.index_select(0, units)
            if kept is not None:
                W = W.index_select(1, kept)
            x = F.linear(x, W, b)
            if i < len(self.linear) - 1:
                x = F.relu(x) / (1 - rate)
            kept = units
        return x

    def _kept(self, width, rate):
        return torch.nonzero(torch.rand(width) >= rate)[:, 0] if rate else None


def thinned_training(problem: Training) -> Prepared:
    plain = network(problem.sizes, problem.weights())
    net = Thinned(plain, problem.rates)
    steps = optimizer(problem, net.parameters())
    X, y = tensors(problem)

    def work() -> None:
        epoch(problem, net, steps, X, y, torch.randperm(problem.rows))

    return Prepared(work, problem.batches)


def sampling(problem: Sampling) -> Prepared:
    X = torch.from_numpy(problem.data())
    net = network(problem.sizes, problem.weights(), (0.0, problem.rate)).train()

    def work() -> torch.Tensor:
        with torch.inference_mode():
            return torch.stack([net(X) for _ in range(problem.draws)])

    return Prepared(work, problem.draws)


def thinned_sampling(problem: Sampling) -> Prepared:
    X = torch.from_numpy(problem.data())
    net = Thinned(network(problem.sizes, problem.weights()), (0.0, problem.rate))

    def work() -> torch.Tensor:
        with torch.inference_mode():
            return torch.stack([net(X) for _ in range(problem.draws)])

    return Prepared(work, problem.draws)


def prediction(problem: Sampling) -> Prepared:
    X = torch.from_numpy(problem.data())
    net = network(problem.sizes, problem.weights()).eval()

    def work() -> np.ndarray:
        with torch.inference_mode():
            return net(X).numpy()

    return Prepared(work, check=float(work()[0, 0]))


def dropout(problem: Elements) -> Prepared:
    x = torch.from_numpy(problem.array()).requires_grad_(problem.backward)
    dy = torch.ones_like(x)

    def work() -> None:
        y = F.dropout(x, problem.rate, training=True)
        if problem.backward:
            y.backward(dy)
            x.grad = None

    return Prepared(work, problem.size)
