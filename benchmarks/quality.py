"""Test accuracy at equal wall-clock time: thinned training against dropout of each element.

    python benchmarks/quality.py DIR [--json FILE] [--picture FILE]

DIR holds the folders mnist and fashion-mnist with the four files of each.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import matplotlib.pyplot as plt
import numpy as np
import typer

from thinnet import Adam, Network, datasets, evaluate, train
from thinnet.layers import mlp as chains
from thinnet.training import Training

SEEDS = 5
NAMES = {None: "each element", "batch": "thinned", "off": "no dropout"}


@dataclass(frozen=True)
class Task:
    title: str
    data: str
    rows: int
    hidden: tuple[int, ...]
    seconds: float  # of training, for each way
    rates: tuple[float, float]  # of input and hidden units, for both ways
    batch: int = 128


TASKS = (
    Task("MNIST, 784-2x1024-10", "mnist", 60_000, (1024, 1024), 40.0, (0.2, 0.5)),
    Task(
        "5,000 Fashion-MNIST images, 784-3x512-10", "fashion-mnist", 5_000, (512, 512, 512), 15.0,
        (0.2, 0.5),
    ),
)  # fmt: skip


@dataclass
class Curve:
    """Test accuracy after so many seconds of training; measuring does not count."""

    share: str | None
    seed: int
    seconds: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)


class Stopwatch:
    """Ends training when its time is over, and measures on the test rows at epochs' ends."""

    def __init__(self, curve: Curve, test: tuple[np.ndarray, np.ndarray], limit: float) -> None:
        self.curve, self.test, self.limit = curve, test, limit
        self.trained, self.since = 0.0, time.perf_counter()

    def on_epoch_end(self, training: Training) -> str | None:
        self.trained += time.perf_counter() - self.since
        self.curve.seconds.append(self.trained)
        self.curve.accuracy.append(evaluate(training.network, *self.test)[1])
        self.since = time.perf_counter()
        return "its time is over" if self.trained >= self.limit else None


def network(task: Task, share: Any, seed: int) -> Network:
    of_input, of_hidden = (0.0, 0.0) if share == "off" else task.rates
    layers = chains.mlp(
        task.hidden,
        10,
        dropout=of_hidden,
        input_dropout=of_input,
        share="batch" if share == "batch" else None,
    )
    return Network(layers, 784, seed=seed)


def curve(task: Task, split: Any, share: Any, seed: int) -> Curve:
    found = Curve(share, seed)
    watch = Stopwatch(found, (split.X_test, split.y_test), task.seconds)
    X, y = split.X_train[: task.rows], split.y_train[: task.rows]
    made = network(task, share, seed)
    train(
        made, X, y, optimizer=Adam(), epochs=10_000, batch_size=task.batch, clean_rows=0,
        callbacks=[watch], progress=False,
    )  # fmt: skip
    return found


def draw(axes: Any, task: Task, curves: list[Curve]) -> None:
    grid = np.linspace(0, task.seconds, 200)
    for share, name in NAMES.items():
        mine = [c for c in curves if c.share == share]
        at = [np.interp(grid, c.seconds, c.accuracy, left=np.nan) for c in mine]
        mean = np.mean(at, axis=0)
        axes.plot(grid, mean, label=name)
        axes.fill_between(grid, np.min(at, axis=0), np.max(at, axis=0), alpha=0.2)
    best = max(max(c.accuracy) for c in curves)
    axes.set(
        title=task.title, xlabel="seconds of training", ylabel="test accuracy",
        ylim=(best - 0.04, best + 0.003),
    )  # fmt: skip
    axes.legend(loc="lower right")


def main(
    data_dir: Annotated[Path, typer.Argument(help="Holds mnist and fashion-mnist.")],
    json_file: Annotated[Path | None, typer.Option("--json")] = None,
    picture: Annotated[Path | None, typer.Option(help="Curves as a PNG.")] = None,
) -> None:
    """Compare the two ways of dropping, second by second."""
    figure, all_axes = plt.subplots(1, len(TASKS), figsize=(11, 4), layout="constrained")
    kept = {}
    for task, axes in zip(TASKS, all_axes, strict=True):
        load = {"mnist": datasets.mnist, "fashion-mnist": datasets.fashion_mnist}[task.data]
        split = load(data_dir / task.data)
        curves = [curve(task, split, share, seed) for seed in range(SEEDS) for share in NAMES]
        for share, name in NAMES.items():
            last = [c.accuracy[-1] for c in curves if c.share == share]
            epochs = np.mean([len(c.seconds) for c in curves if c.share == share])
            print(f"{task.title}, {name}: {np.mean(last):.4f} +- {np.std(last):.4f} after "
                  f"{task.seconds:g} s, {epochs:.0f} epochs", flush=True)  # fmt: skip
        draw(axes, task, curves)
        kept[task.title] = [asdict(c) for c in curves]
    if picture is not None:
        figure.savefig(picture, dpi=110)
    if json_file is not None:
        json_file.write_text(json.dumps(kept) + "\n")


if __name__ == "__main__":
    typer.run(main)
