"""Figures of two papers, drawn anew: why deep networks were hard to train, and what dropout does.

Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks":
figures 2 and 3 (units that saturate), 6 and 7 (activations and gradients of first weights), 8 and 9
(weight gradients).  Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
overfitting": figures 7 (features), 8 (sparsity), 9 (the rate) and 10 (the size of the data set).

The papers have MNIST and images of shapes; the default here is scikit-learn's digits, with smaller
networks, in about a minute.

    python examples/figures_of_papers.py --out pictures
    python examples/figures_of_papers.py --data-dir fashion-mnist --rows 10000 --out pictures
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib import pyplot as plt
from sklearn.exceptions import ConvergenceWarning

from thinnet import (
    SGD,
    ActivationSparsity,
    Adam,
    Dense,
    Dropout,
    FirstLayerFeatures,
    GradientHealth,
    MLPClassifier,
    Network,
    OptimizerRace,
    RateSweep,
    ReLU,
    RMSprop,
    Sigmoid,
    SquaredError,
    Tanh,
    WeightHistory,
    mlp,
    train,
)
from thinnet.datasets import Split, digits, fashion_mnist
from thinnet.displays.saving import save_figure
from thinnet.initializers import Normal, symmetric
from thinnet.layers import Layer
from thinnet.training import GradientSeries, WeightSeries

HELD = 300  # rows that activations and gradients are measured on, as in Glorot and Bengio 2010


@dataclass
class Size:
    """How large networks are and how long they are trained."""

    image: tuple[int, int]
    units: int  # of an autoencoder
    deep: int  # of each layer of a deep network
    swept: int  # of each layer where rates are compared
    epochs: int
    seeds: int


SMALL = Size((8, 8), units=256, deep=64, swept=128, epochs=60, seeds=3)
LARGE = Size((28, 28), units=256, deep=200, swept=256, epochs=20, seeds=2)


@dataclass
class Papers:
    """All figures of some data, saved in a folder."""

    data: Split
    size: Size
    out: Path

    def save(self, figure: plt.Figure, name: str) -> None:
        for end in ("png", "svg"):
            save_figure(figure, self.out / f"{name}.{end}")
        plt.close(figure)
        print(f"  saved as {self.out / name}.png and .svg")

    # --- Glorot and Bengio 2010 ---

    def deep_network(self, activation: Layer, rule: object, depth: int) -> Network:
        hidden = [Dense(self.size.deep, initializer=rule), activation] * depth
        features = self.data.X_train.shape[1]
        return Network([*hidden, Dense(10, initializer=rule)], features, seed=0)

    def measured(self, network: Network, learning_rate: float) -> GradientSeries:
        """Activations and gradients before training and in it: SGD on batches of 10, as there."""
        data, epochs = self.data, math.ceil(self.size.epochs / 3)
        steps = epochs * math.ceil(len(data.X_train) / 10)
        every = max(1, steps // 40)
        series = GradientSeries(data.X_test[:HELD], data.y_test[:HELD], every=every)
        series.measure(network)
        optimizer, callbacks = SGD(learning_rate), [series]
        settings = {"epochs": epochs, "batch_size": 10, "callbacks": callbacks, "progress": False}
        train(network, data.X_train, data.y_train, optimizer=optimizer, **settings)
        return series

    def saturation(self) -> None:
        """Figure 2: sigmoids of four layers; figure 3: tanh of five."""
        hidden = {"kinds": ["activations"], "output": False}
        series = self.measured(self.deep_network(Sigmoid(), before_glorot, 4), 0.1)
        shown = GradientHealth({"sigmoid, 4 hidden layers": series})
        print("\nGlorot and Bengio 2010, figure 2: mean activation of sigmoids, layer by layer")
        print_steps(series, "activations", "mean")
        self.save(shown.plot(measure="mean", **hidden).figure_, "glorot_2")
        series = self.measured(self.deep_network(Tanh(), before_glorot, 5), 0.1)
        shown = GradientHealth({"tanh, 5 hidden layers": series})
        print("\nGlorot and Bengio 2010, figure 3: 98th percentile of activations of tanh")
        print_steps(series, "activations", "high")
        self.save(shown.plot(measure="high", **hidden).figure_, "glorot_3")

    def two_rules(self) -> None:
        """Figures 6 to 9: first weights in +-1/sqrt(n), and Glorot's."""
        X, y = self.data.X_test[:HELD], self.data.y_test[:HELD]
        rules = {"1/sqrt(n)": before_glorot, "Glorot": "glorot_uniform"}
        networks = {name: self.deep_network(Tanh(), rule, 5) for name, rule in rules.items()}
        shown = GradientHealth.from_estimator(networks, X, y, measure="std")
        print("\nGlorot and Bengio 2010, figures 6 to 8: standard deviations before training")
        for name, series in shown.series.items():
            for kind in ("activations", "gradients", "parameters"):
                sizes = series.column(kind, "std")[0]
                print(f"  {name}, {kind}: {' '.join(f'{size:.1e}' for size in sizes)}")
        self.save(shown.figure_, "glorot_stds")
        self.save(shown.plot_histograms().figure_, "glorot_6_7")
        series = {name: self.measured(network, 0.05) for name, network in networks.items()}
        shown = GradientHealth(series).plot(measure="std", kinds=["gradients", "parameters"])
        print("\nGlorot and Bengio 2010, figure 9: standard deviation of weight gradients")
        for name, each in series.items():
            print(f"  {name}:")
            print_steps(each, "parameters", "std")
        self.save(shown.figure_, "glorot_9")

    def presets(self) -> None:
        for name in ("vanishing", "exploding"):
            shown = GradientHealth.preset(name)
            print(f"\n{name} gradients, twelve hidden layers")
            for network, verdicts in shown.verdicts().items():
                print(f"  {network}: {'; '.join(verdicts) or 'gradients keep their size'}")
            self.save(shown.figure_, name)

    # --- Srivastava et al. 2014 ---

    def autoencoders(self) -> None:
        """Figures 7 and 8: one hidden layer of ReLU that learns its own input."""
        networks, weights = {}, {}
        X = self.data.X_train
        for name, rate in (("without dropout", 0.0), ("dropout 0.5", 0.5)):
            first = Dense(self.size.units, initializer=Normal(0.01))
            layers = [first, ReLU(), Dropout(rate), Dense(X.shape[1], initializer=Normal(0.01))]
            networks[name], weights[name] = Network(layers, X.shape[1], seed=0), WeightSeries(20)
            weights[name].measure(networks[name])
            settings = {"epochs": self.size.epochs, "batch_size": 100, "progress": False}
            callbacks, loss = [weights[name]], SquaredError()
            train(networks[name], X, X, loss=loss, callbacks=callbacks, **settings)
        print("\nSrivastava et al. 2014, figure 7: features of an autoencoder's hidden units")
        shown = FirstLayerFeatures.from_estimator(networks, self.size.image)
        self.save(shown.figure_, "srivastava_7")
        shown = ActivationSparsity.from_estimator(networks, self.data.X_test)
        print("\nSrivastava et al. 2014, figure 8: activations of its hidden units")
        for name, zeros in shown.zeros().items():
            mean = shown.activations[name].mean()
            print(f"  {name}: mean {mean:.3f}, {100 * zeros:.0f} % are 0")
        self.save(shown.figure_, "srivastava_8")
        print("\nthe autoencoders' weights over the steps")
        self.save(WeightHistory(weights).plot().figure_, "weights")

    def classifier(self, rate: float, units: int, seed: int) -> MLPClassifier:
        """Two hidden layers; small batches, so that few rows make enough steps."""
        epochs = self.size.epochs
        settings = {"max_iter": epochs, "batch_size": 50, "alpha": 0.0, "random_state": seed}
        return MLPClassifier((units, units), dropout=rate, n_iter_no_change=epochs, **settings)

    def sweeps(self) -> None:
        """Figure 9: rates with n units, and with p n units; figure 10: fewer and more rows."""
        data, seeds = self.data, range(self.size.seeds)
        X, y, test = data.X_train, data.y_train, (data.X_test, data.y_test)
        some = len(X) // 3
        rates, n = [0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9], self.size.swept
        for constant, units, letter in (("n", n, "a"), ("pn", n // 4, "b")):
            shown = RateSweep.from_training(
                self.classifier, X[:some], y[:some], test, rates=rates, units=units,
                constant=constant, seeds=seeds,
            )  # fmt: skip
            print(f"\nSrivastava et al. 2014, figure 9{letter}: {constant} = {units}, {some} rows")
            print_errors(shown)
            self.save(shown.figure_, f"srivastava_9{letter}")
        sizes = [50, 100, 200, 500, 1000, 5000, 10_000, 50_000]
        sizes = [size for size in sizes if size <= len(X)]
        shown = RateSweep.from_sizes(self.classifier, X, y, test, sizes=sizes, units=n, seeds=seeds)
        print("\nSrivastava et al. 2014, figure 10: test errors by the number of training rows")
        print_errors(shown)
        self.save(shown.figure_, "srivastava_10")

    # --- side by side ---

    def races(self) -> None:
        data, some = self.data, len(self.data.X_train) // 3
        X, y, held = data.X_train[:some], data.y_train[:some], (data.X_test, data.y_test)
        network = Network(mlp([64, 64], 10), X.shape[1], seed=0)
        optimizers = {
            "SGD": SGD(0.1),
            "momentum": SGD(0.05, momentum=0.9),
            "RMSprop": RMSprop(0.001),
            "Adam": Adam(0.001),
        }
        lap = {"epochs": math.ceil(self.size.epochs / 3), "batch_size": 32, "validation": held}
        shown = OptimizerRace.from_training(network, optimizers, X, y, **lap)
        print("\noptimisers from the same weights, with the same batches: last losses")
        print_losses(shown)
        self.save(shown.figure_, "optimisers")
        shown = OptimizerRace.of_regularizers([self.size.swept] * 2, X, y, **lap)
        print("\nregularisers from the same weights, with the same batches: last losses")
        print_losses(shown)
        self.save(shown.figure_, "regularisers")


def before_glorot(stream: object, units: int, width: int) -> np.ndarray:
    """Uniform in +-1/sqrt(n) (Glorot and Bengio 2010, eq. 1)."""
    return symmetric(stream, units, width) / math.sqrt(width)


def print_steps(series: GradientSeries, kind: str, measure: str) -> None:
    values = series.column(kind, measure)
    for at in (0, len(values) // 2, len(values) - 1):
        numbers = " ".join(f"{value:9.2e}" for value in values[at])
        print(f"  step {series.steps[at]:5}: {numbers}")


def print_errors(shown: RateSweep) -> None:
    print(f"  {shown.name}: {' '.join(f'{x:7g}' for x in shown.x)}")
    for name, errors in shown.errors.items():
        print(f"  {name}: {' '.join(f'{error:7.4f}' for error in errors.mean(axis=1))}")


def print_losses(shown: OptimizerRace) -> None:
    for name, losses in shown.training.items():
        held = shown.validation[name]
        print(f"  {name}: training {losses[-1]:.4f}, validation {held[-1]:.4f}")


def main(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of four idx files, MNIST's or Fashion-MNIST's.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path(),
    rows: Annotated[int | None, typer.Option(min=150, help="Training rows at most.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of the longest trainings; others have a third.")
    ] = None,
) -> None:
    """Draw figures of Glorot and Bengio 2010 and of Srivastava et al. 2014."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs are trained and no more
    data, size = (digits(), SMALL) if data_dir is None else (fashion_mnist(data_dir), LARGE)
    size.epochs = epochs or size.epochs
    out.mkdir(parents=True, exist_ok=True)
    data = data._replace(X_train=data.X_train[:rows], y_train=data.y_train[:rows])
    print(f"{len(data.X_train)} training rows, {len(data.X_test)} test rows")
    papers = Papers(data, size, out)
    for figures in (
        papers.presets,
        papers.saturation,
        papers.two_rules,
        papers.autoencoders,
        papers.sweeps,
        papers.races,
    ):
        figures()


if __name__ == "__main__":
    typer.run(main)
