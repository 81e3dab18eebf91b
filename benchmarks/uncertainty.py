"""What draws add to a single pass on images: `python benchmarks/uncertainty.py --data-dir DIR`.

A 784-256-256-10 network with dropout .2 and .5 learns Fashion-MNIST.  Told are the negative log
likelihood of its test images, by a single pass without dropout and by the mean of 100 draws, and
how well four measures tell images of MNIST, which it knows nothing of, from those it knows.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import special
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

from thinnet import MLPClassifier
from thinnet.datasets import fashion_mnist, mnist
from thinnet.uncertainty.calibration import (
    expected_calibration_error,
    negative_log_likelihood,
)

N_DRAWS = 100


class Figures(NamedTuple):
    accuracy: float
    single_nll: float
    draws_nll: float
    single_error: float  # expected calibration error
    draws_error: float
    confidence: float  # from here on areas under ROC curves
    single_entropy: float
    entropy: float
    mutual_information: float


HEADINGS = (
    "seed", "accuracy", "NLL, one pass", "NLL, draws", "ECE, one pass", "ECE, draws",
    "softmax confidence", "its entropy", "predictive entropy", "mutual information", "seconds",
)  # fmt: skip


def separation(known: np.ndarray, unknown: np.ndarray) -> float:
    """The area under the ROC curve of a measure that shall be larger for the unknown."""
    is_unknown = np.repeat([0, 1], [len(known), len(unknown)])
    return float(roc_auc_score(is_unknown, np.concatenate([known, unknown])))


SOLVERS = {
    "sgd": {"learning_rate_init": 0.1, "momentum": 0.0},  # as in d2l's chapter on dropout
    "adam": {"learning_rate_init": 0.001},
}


def measure(seed: int, folder: Path, solver: str, epochs: int) -> Figures:
    data, others = fashion_mnist(folder / "fashion-mnist"), mnist(folder / "mnist")
    X, y = data.X_train.reshape(len(data.X_train), -1), data.y_train
    X_test, unknown = (images.reshape(len(images), -1) for images in (data.X_test, others.X_test))
    model = MLPClassifier(
        (256, 256), dropout=(0.2, 0.5), solver=solver, **SOLVERS[solver], batch_size=256,
        alpha=0.0, max_iter=epochs, n_iter_no_change=epochs, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is chosen
        model.fit(X, y)
    single, single_unknown = model.predict_proba(X_test), model.predict_proba(unknown)
    known, strange = model.uncertainty(X_test, N_DRAWS), model.uncertainty(unknown, N_DRAWS)
    return Figures(
        accuracy=float((known.probabilities.argmax(axis=1) == data.y_test).mean()),
        single_nll=negative_log_likelihood(data.y_test, single),
        draws_nll=negative_log_likelihood(data.y_test, known.probabilities),
        single_error=expected_calibration_error(data.y_test, single),
        draws_error=expected_calibration_error(data.y_test, known.probabilities),
        confidence=separation(-single.max(axis=1), -single_unknown.max(axis=1)),
        single_entropy=separation(
            special.entr(single).sum(axis=1), special.entr(single_unknown).sum(axis=1)
        ),
        entropy=separation(known.predictive_entropy, strange.predictive_entropy),
        mutual_information=separation(known.mutual_information, strange.mutual_information),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="with both data sets")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--solver", choices=SOLVERS, default="sgd")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--json", type=Path)
    settings = parser.parse_args()
    shown, found = Table(*HEADINGS), []
    for seed in range(settings.seeds):
        start = time.perf_counter()
        figures = measure(seed, settings.data_dir, settings.solver, settings.epochs)
        found.append(figures)
        seconds = f"{time.perf_counter() - start:.0f}"
        shown.add_row(str(seed), *(f"{value:.4f}" for value in figures), seconds)
    shown.add_section()
    shown.add_row("mean", *(f"{value:.4f}" for value in np.mean(found, axis=0)), "")
    Console(width=170).print(shown)
    if settings.json:
        settings.json.write_text(json.dumps([figures._asdict() for figures in found], indent=1))


if __name__ == "__main__":
    main()
