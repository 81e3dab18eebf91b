"""BatchNorm written out, and L1 against L2 against dropout on one network that overfits.

The formulas are those of Ioffe and Szegedy 2015, section 3: the forward pass, then the chain rule
through every intermediate value.  thinnet's BatchNorm must give the same numbers.

    python examples/batchnorm_by_hand.py
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from thinnet import BatchNorm, Dense, Dropout, Network, ReLU, Run, dropout, train
from thinnet.datasets import digits

EPSILON = 1e-5


class Gradients(NamedTuple):
    dx_hat: np.ndarray
    dsigma2: np.ndarray
    dmu: np.ndarray
    dx: np.ndarray
    dgamma: np.ndarray
    dbeta: np.ndarray


class Values(NamedTuple):
    mu: np.ndarray
    sigma2: np.ndarray
    x_hat: np.ndarray
    y: np.ndarray


def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> Values:
    """x has one column per feature: m values of each."""
    mu = x.mean(axis=0)
    sigma2 = ((x - mu) ** 2).mean(axis=0)
    x_hat = (x - mu) / np.sqrt(sigma2 + EPSILON)
    return Values(mu, sigma2, x_hat, gamma * x_hat + beta)


def backward(x: np.ndarray, gamma: np.ndarray, v: Values, dy: np.ndarray) -> Gradients:
    m, inverse_std = len(x), 1 / np.sqrt(v.sigma2 + EPSILON)
    dx_hat = dy * gamma
    dsigma2 = (dx_hat * (x - v.mu)).sum(axis=0) * -0.5 * inverse_std**3
    dmu = -inverse_std * dx_hat.sum(axis=0) + dsigma2 * (-2 * (x - v.mu)).mean(axis=0)
    dx = dx_hat * inverse_std + dsigma2 * 2 * (x - v.mu) / m + dmu / m
    return Gradients(dx_hat, dsigma2, dmu, dx, (dy * v.x_hat).sum(axis=0), dy.sum(axis=0))


def predicted(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, v: Values) -> np.ndarray:
    """With what one batch has taught: its mean, and its variance with m - 1 for m."""
    unbiased = v.sigma2 * len(x) / (len(x) - 1)
    return gamma * (x - v.mu) / np.sqrt(unbiased + EPSILON) + beta


def compare(features: tuple[int, ...], rows: int, seed: int) -> None:
    """The library's forward and backward against the formulas, for rows of any shape."""
    rng = np.random.default_rng(seed)
    network = Network([BatchNorm(epsilon=EPSILON)], features, seed=seed, dtype=np.float64)
    network.theta[:] = rng.normal(size=network.theta.size)
    x, dy = rng.normal(3, 2, size=(2, rows, *features))
    y, cache = network.forward(x, Run.train(0))
    dx = network.backward(cache, dy)

    # A channel's statistics are over rows, height and width together.
    columns, d_columns = (a.reshape(-1, features[-1]) for a in (x, dy))
    p, g = network.sites[0].p, network.sites[0].g
    v = forward(columns, p.gamma, p.beta)
    by_hand = backward(columns, p.gamma, v, d_columns)
    pairs = {
        "y": (y, v.y),
        "y after": (network.outputs(x), predicted(columns, p.gamma, p.beta, v)),
        "dx": (dx, by_hand.dx),
        "dgamma": (g.gamma, by_hand.dgamma),
        "dbeta": (g.beta, by_hand.dbeta),
    }
    print(f"rows of shape {features}, {rows} of them: by hand and in thinnet")
    for name, (theirs, ours) in pairs.items():
        apart = np.abs(theirs.reshape(ours.shape) - ours).max()
        print(f"  {name:7} largest difference {apart:.1e}")
        assert apart < 1e-9 * max(1, np.abs(ours).max())
    print_values(v, by_hand)


def print_values(v: Values, gradients: Gradients) -> None:
    """The first feature's, which is what fits on a sheet of paper."""
    print(f"  first feature: mu {v.mu[0]:.4f}, sigma2 {v.sigma2[0]:.4f}")
    for name, values in gradients._asdict().items():
        first = values[:3, 0] if values.ndim == 2 else values[:1]
        shown = " ".join(f"{value:.6f}" for value in first)
        print(f"  {name:7} {shown}{' ...' if values.ndim == 2 else ''}")


def count_parameters(features: tuple[int, ...]) -> None:
    network = Network([BatchNorm()], features, seed=0)
    (gamma, beta), (mean, variance) = network.sites[0].p, network.sites[0].s
    print(
        f"BatchNorm on {features}: {gamma.size} gammas + {beta.size} betas learned, "
        f"{mean.size} means + {variance.size} variances running; "
        f"{gamma.size + beta.size + mean.size + variance.size} in all"
    )


def dropout_by_level(x: np.ndarray, level: float, seed: int) -> np.ndarray:
    """Dropout as this example names things: `level` is the share of neurons to drop."""
    if not 0 <= level < 1:
        raise ValueError(f"dropout level must be in the interval [0, 1), got {level}")
    return dropout(x, level, seed=seed, training=True)


def try_levels(seed: int) -> None:
    x = np.arange(1.0, 11.0)[None, :]
    for level in (0.0, 0.4, 1.0, -0.1):
        try:
            print(f"dropout(x, {level}) = {dropout_by_level(x, level, seed)[0].round(2).tolist()}")
        except ValueError as error:
            print(f"dropout(x, {level}) refused: {error}")


def regularised(rate: float = 0.0, **penalty: float) -> list[Any]:
    hidden = [Dense(128, **penalty), ReLU(), Dropout(rate)]
    return [*hidden, *hidden, Dense(10, **penalty)]


def overfit(name: str, layers: list[Any], epochs: int, seed: int) -> None:
    """500 digits, 3 in 10 labels drawn by lot: a network can only learn those by heart."""
    X, y, X_test, y_test = digits()
    X, y, rng = X[:500], y[:500].copy(), np.random.default_rng(seed)
    by_lot = rng.random(len(y)) < 0.3
    y[by_lot] = rng.integers(10, size=by_lot.sum())
    network = Network(layers, features=64, seed=seed)
    history = train(
        network,
        X,
        y,
        epochs=epochs,
        batch_size=50,
        validation=(X_test, y_test),
        evaluate_every=epochs,
        progress=False,
    )
    W = np.concatenate([s.p.W.ravel() for s in network.sites if s.p])
    print(
        f"{name:12}  {history.last.clean_score:9.3f}  {history.last.validation_score:8.3f}  "
        f"{history.last.validation_loss:9.3f}  {np.linalg.norm(W):7.1f}  "
        f"{np.mean(np.abs(W) < 1e-3):14.2f}"
    )


def compare_regularisers(epochs: int, seed: int) -> None:
    print("regulariser   train acc  test acc  test loss  |W|      share of W ~ 0")
    overfit("none", regularised(), epochs, seed)
    overfit("L1 1e-3", regularised(l1=1e-3), epochs, seed)
    overfit("L2 3e-3", regularised(l2=3e-3), epochs, seed)
    overfit("dropout 0.5", regularised(0.5), epochs, seed)


def main(
    epochs: Annotated[int, typer.Option(help="For each regulariser.")] = 100,
    seed: Annotated[int, typer.Option(help="Of data, weights and masks.")] = 0,
) -> None:
    """BatchNorm by hand, its parameters counted, then four regularisers compared."""
    compare((4,), rows=8, seed=seed)
    compare((5, 5, 3), rows=6, seed=seed)
    for features in ((50,), (28, 28, 32)):
        count_parameters(features)
    try_levels(seed)
    compare_regularisers(epochs, seed)


if __name__ == "__main__":
    typer.run(main)
