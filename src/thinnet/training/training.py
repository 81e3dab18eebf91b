"""A training that goes step by step, and `train`, which takes it to its end."""

from __future__ import annotations

import os
from collections.abc import Sequence

from thinnet import checks
from thinnet.arrays import MatrixLike, TargetLike, VectorLike
from thinnet.losses import Loss, loss_for
from thinnet.moved import RenamedMethod, renamed
from thinnet.network import Network
from thinnet.optimizers import Adam, Optimizer
from thinnet.training.averaging import WeightAverage
from thinnet.training.checkpointing import Keeper
from thinnet.training.data import checked_data, held_out
from thinnet.training.history import History
from thinnet.training.loop import INTERRUPTED, Callback, Loop, check_callbacks
from thinnet.training.plan import Plan
from thinnet.training.state import TrainingState
from thinnet.training.stopping import EarlyStopping


class Training(TrainingState):
    """A training of a network in place, step by step.

    `train` takes the same settings and goes to the end.  Callbacks are called with this object.

    Parameters
    ----------
    network, X, y
    loss, optimizer, epochs, batch_size, shuffle, sample_weight, samples, validation
    early_stopping, average, evaluate_every, clean_rows, accumulate, clip_norm
    callbacks, checkpoint, checkpoint_every, resume
        As in `train`.

    Attributes
    ----------
    network : Network
    history : History
        The epochs that are complete, and the settings that were changed.
    epoch, t : int
        The numbers of complete epochs and of optimiser steps taken.
    learning_rate : float
        The learning rate of the next step.

    Raises
    ------
    ValueError
        If a setting or the data is not as in `train`.
    CheckpointError
        If the checkpoint to resume from is damaged, or of another training.

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import Dense, Dropout, Network, ReLU, Training
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> network = Network([Dense(16), ReLU(), Dropout(0.2), Dense(2)], features=4, seed=0)
    >>> training = Training(network, X, y, epochs=30, batch_size=20)
    >>> training.advance(100)
    ''
    >>> training.change("rate", 0.5)
    >>> training.change("learning_rate", 0.0005)
    >>> training.finish().stopped
    'all epochs done'
    >>> [(change.step, change.setting, change.value) for change in training.history.changes]
    [(100, 'rate', 0.5), (100, 'learning_rate', 0.0005)]
    """

    def __init__(
        self,
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
        average: WeightAverage | None = None,
        evaluate_every: int = 1,
        clean_rows: int = 1000,
        accumulate: int = 1,
        clip_norm: float | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 1,
        resume: bool = False,
    ) -> None:
        checks.must(isinstance(network, Network), "network", "a Network", network)
        loss = loss_for(y) if loss is None else loss
        checks.of_kind("loss", loss, Loss)
        data = checked_data(network, loss, X, y, sample_weight, samples)
        held = held_out(network, loss, validation)
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
            average=average,
        )
        plan.check_watched(held is not None)
        check_callbacks(callbacks)
        super().__init__(network, data, held, plan)
        keeper = Keeper(self, checkpoint)
        if checks.boolean("resume", resume):
            keeper.resume()
        self._loop = Loop(self, callbacks, keeper)

    def advance(self, n_steps: int = 1) -> str:
        """Take some steps; an epoch that ends among them is measured as in `train`.

        Parameters
        ----------
        n_steps : int
            At least 1.

        Returns
        -------
        str
            Empty where training may go on; else why it ended before or after these steps: "all
            epochs done", the reason of early stopping or of a callback, or "interrupted" (Ctrl-C
            ends the call after a whole step; training may go on from there).

        Raises
        ------
        DivergedError
            If the loss or a gradient is no longer finite; the network keeps its last good weights.
        """
        checks.integer("n_steps", n_steps, 1)
        if self._is_ended():
            return self.history.stopped
        return self._loop.advance(n_steps)

    run = RenamedMethod("finish")

    def finish(self, progress: bool | None = None, title: str = "training") -> History:
        """Train to the end; parameters, errors and the History are those of `train`."""
        if self._is_ended():
            return self.history
        self._loop.advance(None, progress, title)
        return self.history

    def _release(self) -> None:
        """Let go of the loop, which refers back: the data is freed as soon as nobody holds it."""
        del self._loop

    def _is_ended(self) -> bool:
        return self.history.stopped not in ("", INTERRUPTED)


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
    average: WeightAverage | None = None,
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
        are turned into it) are multiplied as they are stored where that is faster, else made dense
        batch by batch.
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
        Put the rows of each epoch in an order that is a pure function of (seed, epoch).  Where
        one batch holds all rows they stay in order.
    sample_weight : array, shape (rows,), optional
        At least 0, not all 0.
    samples : sequence of int, optional
        The rows' ids, which their masks depend on; by default their places in `X`.
    validation : (X, y) or (X, y, sample_weight), optional
    early_stopping : EarlyStopping, optional
        Needs validation; the best weights are put back when training ends.
    average : WeightAverage, optional
        An average of the weights is measured, and handed back, in their place.
    evaluate_every : int
        Epochs between measurements of the clean training score and of validation; the last epoch
        is always measured.
    clean_rows : int
        Training rows that the clean training score is measured on (a fixed part); 0 for none.
    accumulate : int
        Micro-batches that a step is divided into at most, of at least 128 rows each: less memory,
        the same masks and, in compiled code, the same bits (BatchNorm excepted, which sees one
        micro-batch at a time).
    clip_norm : float, optional
        The greatest Euclidean norm of a gradient, which is scaled back to it; above 0.
    callbacks : sequence of Callback
        Objects with `on_step_end` or `on_epoch_end` or both; training stops when one returns a
        sentence, which is the reason.
    checkpoint : path, optional
        A new file, or one that holds a checkpoint.  It is written atomically every
        `checkpoint_every` epochs, and when training ends or is interrupted; not when it diverges.
    resume : bool
        Go on from `checkpoint` where it exists; the result is bit-identical to never having
        stopped.
    progress, title : bool, str, optional
        Show a progress bar, by default on terminals and in notebooks, and the words before it.

    Returns
    -------
    History
        Its `stopped` is "interrupted" after Ctrl-C, which ends training after the current step:
        the checkpoint is written, the network is usable.

    Raises
    ------
    ValueError
        If a setting or the data is not as above.
    DivergedError, CheckpointError
        As `Training.advance` and `Training` do.

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
    training = Training(
        network,
        X,
        y,
        loss=loss,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        shuffle=shuffle,
        sample_weight=sample_weight,
        samples=samples,
        validation=validation,
        early_stopping=early_stopping,
        average=average,
        evaluate_every=evaluate_every,
        clean_rows=clean_rows,
        accumulate=accumulate,
        clip_norm=clip_norm,
        callbacks=callbacks,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
    )
    try:
        return training.finish(progress, title)
    finally:
        training._release()
