"""Dropout as in "Dive into Deep Learning" (Zhang et al. 2023, section 5.6), on Fashion-MNIST.

The source's text sets the dropout of the two hidden layers to 0.2 and 0.5, its code to 0.5 and
0.5; the text's is the default here.

    python examples/d2l_dropout.py --out pictures
    python examples/d2l_dropout.py --dropout-1 0.5      # as in the source's code
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib.figure import Figure

from thinnet import SGD, Dense, Dropout, History, Network, ReLU, dropout, keep_mask, train
from thinnet.datasets import Split, fashion_mnist
from thinnet.initializers import Normal
from thinnet.losses import SoftmaxCrossEntropy

Array = np.ndarray

CLASSES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def dropout_layer(X: Array, rate: float, seed: int) -> Array:
    """The source's function, with a mask that can be looked up again."""
    assert 0 <= rate <= 1
    if rate == 1:
        return np.zeros_like(X)
    mask = keep_mask(seed=seed, layer=0, step=0, samples=range(len(X)), units=X.shape[1], rate=rate)
    return mask * X / np.float32(1.0 - rate)


def show_dropout_layer(seed: int) -> None:
    X = np.arange(16, dtype=np.float32).reshape(2, 8)
    for rate in (0, 0.5, 1):
        Y = dropout_layer(X, rate, seed)
        np.testing.assert_array_equal(Y, dropout(X, rate, seed=seed, training=True))
        print(f"dropout_p = {rate}:\n{Y}")


def network_for(features: int, dropout_1: float, dropout_2: float, seed: int) -> Network:
    return Network(
        [
            Dense(256, initializer=Normal(0.01)),
            ReLU(),
            Dropout(dropout_1),
            Dense(256, initializer=Normal(0.01)),
            ReLU(),
            Dropout(dropout_2),
            Dense(10, initializer=Normal(0.01)),
        ],
        features,
        seed=seed,
    )


def trained(network: Network, data: Split, epochs: int) -> History:
    return train(
        network,
        data.X_train,
        data.y_train,
        optimizer=SGD(0.5),
        epochs=epochs,
        batch_size=256,
        validation=(data.X_test, data.y_test),
    )


def print_epochs(history: History) -> None:
    for e in history:
        print(
            f"epoch {e.epoch + 1}, train loss {e.loss:.3f}, train acc {e.score:.3f}, "
            f"test loss {e.validation_loss:.3f}, test acc {e.validation_score:.3f}"
        )


def save_curves(history: History, path: Path) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    history.plot(figure.subplots(1, 2))
    figure.savefig(path, dpi=120)
    print(f"curves saved as {path}")


def agreement(draws: Array) -> tuple[Array, Array]:
    """The class of each row by the mean over the draws, and the share of draws that name it."""
    answer = draws.mean(axis=0).argmax(axis=-1)
    return answer, (draws.argmax(axis=-1) == answer).mean(axis=0)


def show_uncertainty(network: Network, data: Split, n_draws: int, path: Path) -> None:
    """Dropout kept on at prediction: where the thinned networks agree, the answer is safer."""
    draws = SoftmaxCrossEntropy().predict(network.sample(data.X_test, n_draws))
    answer, agree = agreement(draws)
    right, plain = answer == data.y_test, network.outputs(data.X_test).argmax(axis=1)
    print(f"\n{n_draws} passes with dropout on: test acc of their mean {right.mean():.3f}")
    print(f"one pass with dropout off: test acc {np.mean(plain == data.y_test):.3f}")
    for low, high in ((1.0, 1.01), (0.9, 1.0), (0.6, 0.9), (0.0, 0.6)):
        among = (agree >= low) & (agree < high)
        agreeing = "all agree" if low == 1 else f"{low:.0%} to {high:.0%} agree"
        acc = f"test acc {right[among].mean():.3f}" if among.any() else "none"
        print(f"  {agreeing:17} {among.sum():5} images, {acc}")
    order = np.argsort(agree, kind="stable")
    picture(data, draws, order[[-1, -2, -3, 2, 1, 0]], path)


def picture(data: Split, draws: Array, rows: Array, path: Path) -> None:
    """Images above, and below each the probabilities that the thinned networks gave."""
    figure = Figure(figsize=(13, 5), layout="constrained")
    axes = figure.subplots(2, len(rows), height_ratios=(2, 3))
    for image, dots, row in zip(*axes, rows, strict=True):
        image.imshow(data.X_test[row].reshape(28, 28), cmap="gray_r")
        image.set(title=CLASSES[data.y_test[row]], xticks=[], yticks=[])
        dots.plot(draws[:, row], np.tile(range(10), (len(draws), 1)), "o", color="C0", alpha=0.2)
        dots.set(xlim=(-0.05, 1.05), xlabel="probability", yticks=range(10), yticklabels=[])
        dots.invert_yaxis()
    axes[1, 0].set_yticklabels(CLASSES)
    figure.suptitle(f"{len(draws)} thinned networks: three images they agree on, three they do not")
    figure.savefig(path, dpi=100)
    print(f"uncertainty saved as {path}")


def main(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the four idx files; else downloaded.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path(),
    dropout_1: Annotated[
        float, typer.Option(help="0.2 in the source's text, 0.5 in its code.")
    ] = 0.2,
    dropout_2: Annotated[float, typer.Option(help="Of the second hidden layer.")] = 0.5,
    epochs: Annotated[
        int, typer.Option(help="Of SGD with learning rate 0.5, batches of 256.")
    ] = 10,
    draws: Annotated[int, typer.Option(help="Passes with dropout on at prediction.")] = 50,
    seed: Annotated[int, typer.Option(help="Of weights, masks and order.")] = 0,
) -> None:
    """dropout_layer on 2 x 8 numbers, a 784-256-256-10 network, and its uncertainty."""
    show_dropout_layer(seed)
    data = fashion_mnist(data_dir)
    network = network_for(data.X_train.shape[1], dropout_1, dropout_2, seed)
    print(f"\n784-256-256-10, dropout {dropout_1} and {dropout_2}")
    history = trained(network, data, epochs)
    print_epochs(history)
    out.mkdir(parents=True, exist_ok=True)
    save_curves(history, out / "d2l_curves.png")
    show_uncertainty(network, data, draws, out / "d2l_uncertainty.png")


if __name__ == "__main__":
    typer.run(main)
