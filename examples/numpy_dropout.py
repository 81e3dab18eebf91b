"""Dropout in NumPy: a mask, applied, scaled; what it equals on average; and against five nets.

Each step is written out in NumPy first, then thinnet must agree.

    python examples/numpy_dropout.py
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from thinnet import Dense, Dropout, Network, ReLU, Run, derived_seed, train
from thinnet.datasets import Split, digits
from thinnet.losses import SoftmaxCrossEntropy
from thinnet.masks import keep_probability

Array = np.ndarray

KEEP_PROBS = (0.8, 0.5)  # of the two hidden layers
RATES = (0.2, 0.5)  # what thinnet takes: the probability of dropping, not of keeping
N_NETS = 5


def show_inverted_dropout(seed: int) -> None:
    rng, keep_prob = np.random.default_rng(seed), 0.8
    a = rng.normal(size=(2, 5))
    mask = rng.random(a.shape) < keep_prob
    applied = a * mask
    scaled = applied / keep_prob
    print(f"inverted dropout, keep probability {keep_prob}")
    for name, values in (("a", a), ("mask", mask * 1), ("a * mask", applied), ("scaled", scaled)):
        print(f"{name}\n{values.round(3)}")


def forward_by_hand(
    network: Network, x: Array, keep_probs: list[float], masks: list[Array]
) -> Array:
    """Dense, ReLU, dropout for every keep probability; a last Dense makes the outputs."""
    *hidden, last = (site.p for site in network.sites if site.p)
    for p, keep_prob, mask in zip(hidden, keep_probs, masks, strict=True):
        x = np.maximum(x @ p.W.T + p.b, 0)
        x = x * mask / keep_prob
    return x @ last.W.T + last.b


def check_keep_probability_per_layer(seed: int) -> None:
    layers = [layer for rate in RATES for layer in (Dense(1000), ReLU(), Dropout(rate))]
    network = Network([*layers, Dense(3)], features=4, seed=seed, dtype=np.float64)
    x = np.random.default_rng(seed).normal(size=(10, 4))
    masks = list(network.masks(step=0, samples=range(10)).values())
    # thinnet keeps with a probability in 65536ths, and scales by just that one.
    exact = [keep_probability(rate) for rate in RATES]
    outputs, _ = network.forward(x, Run.train(0))
    by_hand = forward_by_hand(network, x, exact, masks)
    np.testing.assert_allclose(outputs, by_hand, rtol=1e-10, atol=1e-10)
    print("\na keep probability per layer: the formula and thinnet agree in a training pass")
    for i, (keep_prob, mask) in enumerate(zip(KEEP_PROBS, masks, strict=True), start=1):
        print(f"  hidden layer {i}: keep probability {keep_prob}, {mask.mean():.3f} were kept")


def show_expectations(n_masks: int, seed: int) -> None:
    """The mean over many masks, beside what the network computes with dropout off."""
    rng, x, keep_prob = np.random.default_rng(seed), np.arange(1.0, 9.0), 0.8
    mask = rng.random((n_masks, x.size)) < keep_prob
    error = x * np.sqrt(keep_prob * (1 - keep_prob) / n_masks)  # of the mean of mask * x
    print(f"\nmeans over {n_masks:,} masks, keep probability {keep_prob}\n  input             {x}")
    classical, inverted = (x * mask).mean(axis=0), (x * mask / keep_prob).mean(axis=0)
    print(f"  inverted, mean    {inverted.round(2)}")
    print(f"  classical, mean   {classical.round(2)}")
    print(f"  classical, tested {(keep_prob * x).round(2)}  (the input times {keep_prob})")
    assert np.all(np.abs(classical - keep_prob * x) < 5 * error)
    assert np.all(np.abs(inverted - x) < 5 * error / keep_prob)


def check_scalings(n_draws: int, seed: int) -> None:
    """Both scalings in thinnet: with dropout off, the mean of what it gives with dropout on."""
    x = np.arange(1.0, 9.0)[None, :]
    for scaling in ("inverted", "classical"):
        network = Network([Dropout(0.2, scaling=scaling), Dense(3)], 8, seed=seed, dtype=np.float64)
        off, draws = network.outputs(x), network.sample(x, n_draws)
        errors = np.abs(draws.mean(axis=0) - off) / (draws.std(axis=0) / np.sqrt(n_draws))
        print(
            f"  thinnet, {scaling}: {n_draws:,} passes with dropout on, their mean is "
            f"{errors.max():.1f} standard errors from the pass with dropout off"
        )
        assert errors.max() < 5


def fitted(data: Split, rate: float, seed: int, epochs: int) -> Array:
    """Class probabilities of the test images after training."""
    hidden = [Dense(128), ReLU(), Dropout(rate)]
    network = Network([*hidden, *hidden, Dense(10)], features=64, seed=seed)
    train(
        network,
        data.X_train,
        data.y_train,
        epochs=epochs,
        batch_size=50,
        clean_rows=0,
        progress=False,
    )
    return SoftmaxCrossEntropy().predict(network.outputs(data.X_test))


def majority_vote(probabilities: Array) -> Array:
    """Of several nets; a tie goes to the smallest of the tied classes."""
    votes = probabilities.argmax(axis=-1)
    return np.stack([votes == k for k in range(10)]).sum(axis=1).argmax(axis=0)


def compare_with_five_nets(share_by_lot: float, epochs: int, seed: int) -> None:
    data, rng = digits(), np.random.default_rng(seed)
    y = data.y_train[:500].copy()
    by_lot = rng.random(500) < share_by_lot
    y[by_lot] = rng.integers(10, size=by_lot.sum())
    data = data._replace(X_train=data.X_train[:500], y_train=y)

    nets = np.stack([fitted(data, 0.0, derived_seed(seed, i), epochs) for i in range(N_NETS)])
    answers = {
        "average of five nets": nets.mean(axis=0).argmax(axis=-1),
        "majority vote of five nets": majority_vote(nets),
        "one net with dropout": fitted(data, 0.5, seed, epochs).argmax(axis=-1),
    }
    print(f"\n500 digits, {share_by_lot:.0%} of their labels drawn by lot: test accuracy")
    each = [np.mean(net.argmax(axis=-1) == data.y_test) for net in nets]
    print(f"  {'each net without dropout':27}", *(f"{accuracy:.3f}" for accuracy in each))
    for name, answer in answers.items():
        print(f"  {name:27} {np.mean(answer == data.y_test):.3f}")


def main(
    masks: Annotated[int, typer.Option(help="Over how many the mean is taken.")] = 20_000,
    epochs: Annotated[int, typer.Option(help="For each net.")] = 100,
    seed: Annotated[int, typer.Option(help="Of data, weights and masks.")] = 0,
) -> None:
    """Inverted dropout by hand, its mean, classical dropout, and a comparison with five nets."""
    show_inverted_dropout(seed)
    check_keep_probability_per_layer(seed)
    show_expectations(masks, seed)
    check_scalings(min(masks, 2000), seed)
    for share_by_lot in (0.0, 0.2):
        compare_with_five_nets(share_by_lot, epochs, seed)


if __name__ == "__main__":
    typer.run(main)
