"""Dropout on spiral data: 2-64-3 and 2-512-3 networks, 10,001 full-batch epochs of Adam.

The system of Kinsley and Kukiela 2020, "Neural Networks from Scratch in Python", chapter 15.  Its
64-unit listing computes the dropout's output, then feeds the second layer from before it, so the
accuracy of 0.910 that it prints is one without dropout.  This script shows both:

    python examples/nnfs_spiral.py --units 64     # as listed (dropout bypassed), then repaired
    python examples/nnfs_spiral.py --units 512 --dropout
    python examples/nnfs_spiral.py --all          # a table: four networks, three seeds
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from thinnet import Adam, Dense, Dropout, Network, ReLU, SoftmaxCrossEntropy, derived_seed, train
from thinnet.datasets import spiral
from thinnet.initializers import Normal
from thinnet.schedules import InverseTime

L2 = 5e-4
PRINT_EVERY = 100


class Result(NamedTuple):
    train_acc: float  # of the training pass itself, dropout on, as the source reports it
    validation_acc: float
    validation_loss: float


def network_for(units: int, dropout: bool, seed: int) -> Network:
    first = Dense(units, initializer=Normal(0.01), l2=L2, bias_l2=L2)
    # Bypassed means that the second layer never sees the dropout's output.
    middle = [ReLU(), Dropout(0.1)] if dropout else [ReLU()]
    return Network([first, *middle, Dense(3, initializer=Normal(0.01))], features=2, seed=seed)


def reg_loss_by_hand(network: Network) -> float:
    W, b = (p.astype(np.float64) for p in network.sites[0].p)
    return float(L2 * np.sum(W * W) + L2 * np.sum(b * b))


@dataclass
class Printer:
    """Prints an epoch in the source's words.

    `reg_loss` is of the weights that the next pass will use: the source adds it to the data loss
    of the same weights, while an epoch of the history has the penalty after its update.
    """

    reg_loss: float

    def on_epoch_end(self, training: Any) -> None:
        last = training.history.last
        if last.epoch % PRINT_EVERY == 0:
            print(
                f"epoch: {last.epoch}, acc: {last.score:.3f}, loss: {last.loss + self.reg_loss:.3f}"
                f" (data_loss: {last.loss:.3f}, reg_loss: {self.reg_loss:.3f}), "
                f"lr: {last.learning_rate}"
            )
            assert np.isclose(last.penalty, reg_loss_by_hand(training.network))
        self.reg_loss = last.penalty


def trained(units: int, dropout: bool, seed: int, epochs: int, *, quiet: bool = False) -> Result:
    network = network_for(units, dropout, seed)
    history = train(
        network,
        *spiral(1000, seed=seed),
        optimizer=Adam(InverseTime(0.05, decay=5e-5), epsilon=1e-7),  # the source's epsilon
        epochs=epochs,
        batch_size=None,
        evaluate_every=epochs,
        clean_rows=0,
        callbacks=[] if quiet else [Printer(reg_loss_by_hand(network))],
        progress=False,
    )
    X, y = spiral(100, seed=derived_seed(seed, 1))  # fresh points: another seed's noise
    loss, outputs = SoftmaxCrossEntropy(), network.outputs(X)
    return Result(history.last.score, loss.score(outputs, y), loss(outputs, y)[0])


def show(units: int, dropout: bool, seed: int, epochs: int) -> None:
    print(f"{units} units, dropout {'on' if dropout else 'bypassed'}")
    result = trained(units, dropout, seed, epochs)
    print(f"validation, acc: {result.validation_acc:.3f}, loss: {result.validation_loss:.3f}\n")


def print_row(units: int, dropout: bool, seed: int | str, result: Result) -> None:
    print(
        f"{units:5}  {'on' if dropout else 'bypassed':8}  {seed:>6}  {result.train_acc:9.3f}  "
        f"{result.validation_acc:14.3f}  {result.validation_loss:15.3f}",
        flush=True,
    )


def table(seeds: range, epochs: int) -> None:
    """Four networks, seed by seed, then their medians.

    The last epoch counts, as in the source, and full-batch Adam at this learning rate jumps every
    twenty epochs or so: a seed whose last epoch falls on a jump must not move the summary.
    """
    print("units  dropout     seed  train acc  validation acc  validation loss")
    for units in (64, 512):
        for dropout in (False, True):
            results = []
            for seed in seeds:
                results.append(trained(units, dropout, seed, epochs, quiet=True))
                print_row(units, dropout, seed, results[-1])
            print_row(units, dropout, "median", Result(*np.median(results, axis=0)))


def main(
    units: Annotated[int, typer.Option(help="Of the hidden layer: 64 or 512 in the source.")] = 64,
    dropout: Annotated[
        bool | None, typer.Option("--dropout/--bypass", help="Show only the one or the other.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Of full-batch training.")] = 10_001,
    seed: Annotated[int, typer.Option(help="Of data, weights and masks.")] = 0,
    all_four: Annotated[bool, typer.Option("--all", help="A table of 64 and 512 units.")] = False,
    seeds: Annotated[int, typer.Option(help="How many seeds the table has.")] = 3,
) -> None:
    """Train on 3 x 1,000 spiral points, validate on 3 x 100 fresh ones."""
    if all_four:
        table(range(seed, seed + seeds), epochs)
        return
    for on in (False, True) if dropout is None else (dropout,):
        show(units, on, seed, epochs)


if __name__ == "__main__":
    typer.run(main)
