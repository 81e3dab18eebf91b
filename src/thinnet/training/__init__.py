"""Training: mini-batches in an order that is a pure function, history, stopping, resumption."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from thinnet import checks
from thinnet.arrays import MatrixLike, TargetLike, VectorLike
from thinnet.losses import Loss, loss_for
from thinnet.moved import renamed
from thinnet.network import Network
from thinnet.optimizers import Adam, Optimizer
from thinnet.training.checkpointing import Keeper
from thinnet.training.data import Data, checked_data
from thinnet.training.history import Epoch, History
from thinnet.training.loop import INTERRUPTED, Callback, carry_out, check_callbacks, measure
from thinnet.training.plan import Plan
from thinnet.training.state import Training
from thinnet.training.stopping import EarlyStopping

__all__ = [
    "INTERRUPTED",
    "Callback",
    "EarlyStopping",
    "Epoch",
    "History",
    "Training",
    "evaluate",
    "train",
]


@renamed(optimiser="optimizer")
def train(
    network: Network,
    X: MatrixLike,
    y: TargetLike,
    *,
    loss: Loss | None = None,
    optimizer: Optimizer | None = None,
    epochs: int = 10,
    batch_size: int | None = 128,
    shuffle: bool = True,
    sample_weight: VectorLike | None = None,
    samples: VectorLike = None,
    validation: tuple[MatrixLike, ...] | None = None,
    early_stopping: EarlyStopping | None = None,
    evaluate_every: int = 1,
    clean_rows: int = 1000,
    accumulate: int = 1,
    clip_norm: float | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 1,
    resume: bool = False,
    progress: bool | None = None,
    title: str = "training",
) -> History:
    """Train a network in place.

    Parameters
    ----------
    network : Network
    X : array or sparse matrix, shape (rows, *features)
        Finite numbers; cast to the network's type batch by batch.  Sparse rows (CSR; other forms
        are turned into it) are made dense batch by batch.
    y : array, shape (rows,) or (rows, ...)
        Targets in the form that the loss takes.
    loss : Loss, optional
        By default `SoftmaxCrossEntropy` for integer labels and one-hot rows, `SquaredError` for
        other targets.
    optimizer : Optimizer, optional
        By default ``Adam(0.001)``.
    epochs : int
        At least 0.
    batch_size : int, optional
        Rows of a step, at least 1; None takes all.
    shuffle : bool
        Put the rows in an order that is a pure function of (seed, epoch); not where one batch
        holds them all.
    sample_weight : array, shape (rows,), optional
        At least 0, not all 0.
    samples : sequence of int, optional
        The rows' ids, which their masks depend on; by default their place in `X`.
    validation : (X, y) or (X, y, sample_weight), optional
    early_stopping : EarlyStopping, optional
        Needs validation; the best weights are put back when training ends.
    evaluate_every : int
        Epochs between measurements of the clean training score and of validation; the last epoch
        is always measured.
    clean_rows : int
        Training rows that the clean training score is measured on (a fixed part); 0 for none.
    accumulate : int
        Micro-batches that a step is divided into: less memory, the same masks and the same
        result to rounding (BatchNorm excepted, which sees one micro-batch at a time).
    clip_norm : float, optional
        The gradient is scaled back to this Euclidean norm where it is longer; above 0.
    callbacks : sequence of Callback
        Objects with `on_step_end` or `on_epoch_end` or both; what they return, if anything, is
        the reason to stop.
    checkpoint : path, optional
        A new file, or one that holds a checkpoint.  It is written atomically every
        `checkpoint_every` epochs, and when training ends or is interrupted; not when it diverges.
    resume : bool
        Go on from `checkpoint` where it exists; the result is bit-identical to never having
        stopped.
    progress : bool, optional
        Show a progress bar; by default on terminals and in notebooks.
    title : str
        What stands before the bar.

    Returns
    -------
    History
        Ctrl-C ends training after the current step: the history says "interrupted", the
        checkpoint is written, the network is usable.

    Raises
    ------
    ValueError
        If a setting or the data is not as above.
    DivergedError
        If the loss or a gradient is no longer finite; the network keeps its last good weights.
    CheckpointError
        If the checkpoint to resume from is damaged, or of another run.

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import Dense, Dropout, Network, ReLU, train
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> network = Network([Dense(16), ReLU(), Dropout(0.2), Dense(2)], features=4, seed=0)
    >>> history = train(network, X, y, epochs=30, batch_size=20)
    >>> history.stopped
    'all epochs done'
    >>> history.last.clean_score > 0.9
    True
    """
    checks.must(isinstance(network, Network), "network", "a Network", network)
    loss = loss_for(y) if loss is None else loss
    checks.of_kind("loss", loss, Loss)
    data = checked_data(network, loss, X, y, sample_weight, samples)
    held_out = _held_out(network, loss, validation)
    plan = Plan(
        loss=loss,
        optimizer=Adam() if optimizer is None else optimizer,
        epochs=epochs,
        batch_size=data.n_rows if batch_size is None else batch_size,
        shuffle=shuffle,
        accumulate=accumulate,
        clip_norm=clip_norm,
        early_stopping=early_stopping,
        evaluate_every=evaluate_every,
        clean_rows=clean_rows,
        checkpoint_every=checkpoint_every,
    )
    plan.check_watched(held_out is not None)
    check_callbacks(callbacks)
    training = Training(network, data, held_out, plan)
    keeper = Keeper(training, checkpoint)
    if checks.boolean("resume", resume):
        keeper.resume()
    return carry_out(training, callbacks, keeper, progress, title)


def evaluate(
    network: Network,
    X: MatrixLike,
    y: TargetLike,
    *,
    loss: Loss | None = None,
    sample_weight: VectorLike | None = None,
) -> tuple[float, float]:
    """Loss and score of a network on some data, dropout off.

    Parameters
    ----------
    network, X, y, loss, sample_weight
        As in `train`.

    Returns
    -------
    loss, score : float
        The mean loss without penalties; accuracy for classes, R^2 for numbers.

    Raises
    ------
    ValueError
        If the data doesn't fit the network or the loss.

    Examples
    --------
    >>> from thinnet import Dense, Network
    >>> network = Network([Dense(2, initializer="zeros")], features=1, seed=0)
    >>> round(evaluate(network, [[1.0], [2.0]], [0, 1])[0], 4)  # log 2: it knows nothing
    0.6931
    """
    checks.must(isinstance(network, Network), "network", "a Network", network)
    loss = loss_for(y) if loss is None else loss
    checks.of_kind("loss", loss, Loss)
    data = checked_data(network, loss, X, y, sample_weight)
    return measure(network, loss, data)


def _held_out(network: Network, loss: Loss, validation: Any) -> Data | None:
    if validation is None:
        return None
    fits = isinstance(validation, tuple | list) and len(validation) in (2, 3)
    got = f"a {type(validation).__name__}"
    got += f" of {len(validation)}" if isinstance(validation, tuple | list) else ""
    checks.must(fits, "validation", "a pair (X, y) or (X, y, sample_weight)", got)
    X, y, weights = (*validation, None)[:3]
    return checked_data(network, loss, X, y, weights, name="validation ")
