"""Which neurons were dropped?  Of an array, and of any step of a network that was trained.

A mask is a pure function of (seed, layer, step, sample, unit), and so are the rows of a step of
(seed, epoch); so nothing has to be stored in training to answer the question afterwards:

    python examples/which_neurons.py --step 17
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer

from thinnet import Dense, Dropout, Network, ReLU, dropout, keep_mask, train
from thinnet.datasets import spiral

RATE = 0.5
BATCH_SIZE, STEPS_PER_EPOCH, EPOCHS = 30, 10, 10
LAST_STEP = EPOCHS * STEPS_PER_EPOCH - 1


def print_dropped(keep: np.ndarray, rows: np.ndarray) -> None:
    for row, kept in zip(rows, keep, strict=True):
        print(f"  row {row}: dropped {np.flatnonzero(~kept).tolist()}")


def of_an_array(seed: int) -> None:
    x = np.arange(1.0, 11.0).reshape(5, 2)
    y = dropout(x, RATE, seed=seed, training=True)
    keep = keep_mask(seed=seed, layer=0, step=0, samples=range(5), units=2, rate=RATE)
    np.testing.assert_array_equal(y, keep * x / (1 - RATE))
    print(f"x\n{x}\nits mask\n{keep.astype(int)}\ndropout(x, {RATE})\n{y}")
    print_dropped(keep, np.arange(5))


@dataclass
class Witness:
    """Keeps what one step of training had: the parameters before it, and its outputs."""

    step: int
    theta: np.ndarray
    outputs: np.ndarray | None = None

    def on_step_end(self, training: Any) -> None:
        if training.t <= self.step:
            self.theta = training.network.theta.copy()
        elif self.outputs is None:
            self.outputs = training.outputs.copy()


def trained(step: int, seed: int) -> tuple[Network, np.ndarray, Witness]:
    X, y = spiral(BATCH_SIZE * STEPS_PER_EPOCH // 3, seed=seed)
    order = np.random.default_rng(seed).permutation(len(X))
    X, y = X[order], y[order]
    network = Network([Dense(8), ReLU(), Dropout(RATE), Dense(3)], features=2, seed=seed)
    witness = Witness(step, network.theta.copy())
    train(
        network,
        X,
        y,
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        callbacks=[witness],
        progress=False,
    )
    return network, X, witness


def outputs_by_hand(network: Network, x: np.ndarray, keep: np.ndarray) -> np.ndarray:
    first, last = network.sites[0].p, network.sites[3].p
    h = np.maximum(x @ first.W.T + first.b, 0)
    return np.where(keep, h / np.float32(1 - RATE), 0) @ last.W.T + last.b


def of_a_step(step: int, seed: int) -> None:
    network, X, witness = trained(step, seed)
    rows = network.rows(step)
    keep = network.masks(step=step, samples=rows)[0]  # the first layer that draws
    print(f"\nstep {step}, the first 5 of its {BATCH_SIZE} rows\n{keep[:5].astype(int)}")
    print_dropped(keep[:5], rows[:5])
    network.theta[:] = witness.theta
    np.testing.assert_allclose(
        outputs_by_hand(network, X[rows], keep), witness.outputs[rows], rtol=1e-4, atol=1e-6
    )
    print("with this mask, the formula gives the outputs that training had in that step")


def main(
    step: Annotated[
        int, typer.Option(min=0, max=LAST_STEP, help="Of training, counted from 0.")
    ] = 17,
    seed: Annotated[int, typer.Option(help="Of data, weights and masks.")] = 0,
) -> None:
    """Show the mask of a 5 x 2 array, then that of a step of training."""
    of_an_array(seed)
    of_a_step(step, seed)


if __name__ == "__main__":
    typer.run(main)
