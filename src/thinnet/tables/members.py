"""The networks of a table's estimator: each is trained on other rows, and stops by the rest."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from thinnet import checks
from thinnet.arithmetic import lane_mean, nearest_power_of_two
from thinnet.arrays import Array
from thinnet.checks import DivergedError
from thinnet.estimators.activations import ACTIVATIONS
from thinnet.layers import Columns, Dense, Dropout, Layer
from thinnet.layers.mlp import mlp
from thinnet.losses import Loss
from thinnet.losses.scoring import Metric
from thinnet.network import Network
from thinnet.network.summary import has_random_masks
from thinnet.optimizers import AdamW
from thinnet.tables import efforts
from thinnet.tables.printing import with_lines
from thinnet.training import EarlyStopping, History, WeightAverage, train
from thinnet.training.sharing import come_from
from thinnet.uncertainty.draws import noise

BATCHES: Final = 40  # batches of an epoch, if 16 to 256 rows a batch allow it
CLEAN_ROWS: Final = 1000  # of the first network, whose learning curve is shown
AVERAGE: Final = WeightAverage(0.98, every=10)  # about an epoch's steps


class TableRows(NamedTuple):
    """Encoded rows, targets, the weights of their losses, and `own`, those without the classes'."""

    X: Array
    y: Array
    weights: Array | None
    own: Array | None = None

    def part(self, places: Array | slice) -> TableRows:
        weights, own = (None if part is None else part[places] for part in self[2:])
        return TableRows(self.X[places], self.y[places], weights, own)


def product(a: Array | None, b: Array | None) -> Array | None:
    """The products of two weights of each row, of which None is 1."""
    return b if a is None else a if b is None else a * b


def check(estimator: Any) -> None:
    """ValueError for the first parameter that is out of its range."""
    checks.one_of("activation", estimator.activation, tuple(ACTIVATIONS))
    checks.one_of("dtype", estimator.dtype, ("float32", "float64"))
    efforts.check(estimator)
    for name in ("n_networks", "max_iter"):
        checks.integer(name, getattr(estimator, name), 1)
    checks.below_one("input_dropout", estimator.input_dropout)
    for rate in np.atleast_1d(np.asarray(estimator.dropout, object)):
        checks.below_one("dropout", rate)
    checks.positive("learning_rate_init", estimator.learning_rate_init)
    checks.non_negative("weight_decay", estimator.weight_decay)
    fraction = checks.below_one("validation_fraction", estimator.validation_fraction)
    checks.must(fraction > 0, "validation_fraction", "in (0, 1)", fraction)
    if estimator.batch_size != "auto":
        checks.integer("batch_size", estimator.batch_size, 1)
    checks.boolean("warm_start", estimator.warm_start)
    if not isinstance(estimator.verbose, bool | np.bool_):
        checks.integer("verbose", estimator.verbose, 0)
    if estimator.n_threads is not None:
        checks.integer("n_threads", estimator.n_threads, 1)
    chain(estimator, 1)


def common_epochs(histories: Sequence[History], *, by_score: bool = False) -> int:
    """The number of epochs with the least mean loss, over the folds, on their held-out rows.

    With `by_score` that with the largest mean score.
    """
    n = min(len(history) for history in histories)
    column, sign = ("validation_score", -1) if by_score else ("validation_loss", 1)
    curve = sign * lane_mean(np.stack([history[column][:n] for history in histories]))
    return int(np.nanargmin(curve)) + 1 if np.isfinite(curve).any() else n


def layers(estimator: Any, n_outputs: int) -> list[Layer]:
    """The `chain`, whose first Dense layer and dropout read encoded rows as lookups."""
    dropout, dense, *others = chain(estimator, n_outputs)
    assert isinstance(dropout, Dropout)
    assert isinstance(dense, Dense)
    encodings = estimator.encoder_.encodings_
    return [Columns(encodings, dense, dropout.rate, dropout.share), *others]


def chain(estimator: Any, n_outputs: int) -> list[Layer]:
    """The layers that the parameters describe."""
    return mlp(
        efforts.hidden_widths(estimator),
        n_outputs,
        activation=ACTIVATIONS[estimator.activation].layer,
        dropout=estimator.dropout,
        input_dropout=estimator.input_dropout,
        share=estimator.dropout_share,
        batch_norm=estimator.batch_norm,
    )


class SomeRows(NamedTuple):
    """Some rows of a table, copied only when they are asked for."""

    table: TableRows
    places: Array | slice = slice(None)

    @property
    def n(self) -> int:
        return len(np.arange(len(self.table.y))[self.places])

    @property
    def bytes(self) -> int:
        """The memory that a copy of the encoded rows takes."""
        return self.n * self.table.X[:1].nbytes

    def copied(self) -> TableRows:
        return self.table.part(self.places)

    def some(self) -> TableRows:
        """As many of them as noise is learned from."""
        places = np.arange(len(self.table.y))[self.places]
        return self.table.part(places[noise.some_rows(len(places))])


class TrainingSet(NamedTuple):
    """The training rows of one network, and the rows to stop by or its number of epochs."""

    rows: SomeRows
    held: SomeRows | None
    epochs: int
    n_outputs: int
    monitor: Literal["loss"] | Metric = "loss"
    start: Network | None = None  # the network to go on with, in place; None makes one
    clean_rows: int = 0  # training rows that each epoch is measured on, dropout off

    @property
    def to_stop_by(self) -> tuple[Array, Array, Array | None] | None:
        """The rows to stop by; a metric is of what users get, without the classes' weights."""
        if self.held is None:
            return None
        X, y, weights, own = self.held.copied()
        return X, y, weights if self.monitor == "loss" else own

    @property
    def n_held(self) -> int:
        return 0 if self.held is None else self.held.n


def member_network(estimator: Any, training_set: TrainingSet, seed: int) -> Network:
    """The network to train: a new one, or that to go on with."""
    if training_set.start is not None:
        return training_set.start
    width = training_set.rows.table.X.shape[1]
    described = layers(estimator, training_set.n_outputs)
    return Network(described, width, seed=seed, dtype=estimator.dtype)


def train_member(
    estimator: Any,
    loss: Loss,
    network: Network,
    training_set: TrainingSet,
    title: str,
    callbacks: Sequence[Any],
) -> History:
    """Train a network; if it stops by held-out rows it has the weights of its best epoch."""
    rows = training_set.rows.copied()
    held = training_set.to_stop_by
    n = len(rows.y)
    batch = _batch_size(estimator.batch_size, n)
    patience = efforts.patience(estimator, n, batch)
    come_from(callbacks, training_set.rows.places, copied=training_set.rows.copied)
    try:
        return train(
            network,
            rows.X,
            rows.y,
            loss=loss,
            optimizer=AdamW(estimator.learning_rate_init, weight_decay=estimator.weight_decay),
            epochs=training_set.epochs,
            batch_size=batch,
            sample_weight=rows.weights,
            validation=held,
            early_stopping=None
            if held is None
            else EarlyStopping(patience, monitor=training_set.monitor),
            average=AVERAGE,
            clean_rows=training_set.clean_rows,
            callbacks=with_lines(callbacks, estimator.verbose, title),
            progress=estimator.progress,
            title=title,
        )
    except DivergedError as error:
        warnings.warn(str(error), UserWarning, stacklevel=2)
        return error.history


def held_out_draws(
    networks: Sequence[Network], training_sets: Sequence[TrainingSet]
) -> tuple[Array, Array, Array | None]:
    """Draws of each network for the rows held out from it, their targets and own weights.

    Returns
    -------
    array, shape (n_draws, rows, outputs)
        The draws; a network without dropout repeats the same one `noise.N_DRAWS` times.
    array, shape (rows, outputs)
    array, shape (rows,), or None
    """
    draws, parts = [], []
    for network, training_set in zip(networks, training_sets, strict=True):
        assert training_set.held is not None
        parts.append(training_set.held.some())
        draws.append(draws_of(network, parts[-1].X, noise.N_DRAWS))
    y = np.concatenate([part.y for part in parts])
    return np.concatenate(draws, axis=1).astype(np.float64), y, own_weights(parts)


def own_weights(parts: Sequence[TableRows]) -> Array | None:
    """The own weights of all rows of some parts of a table."""
    own = [part.own for part in parts if part.own is not None]
    return np.concatenate(own) if own else None


def draws_of(network: Network, X: Array, n: int) -> Array:
    """Raw outputs, shape (n, rows, outputs); without dropout the same each time."""
    if has_random_masks(network):
        return network.sample(X, n, progress=False)
    return np.repeat(network.outputs(X)[None], n, axis=0)


def _batch_size(wanted: Any, rows: int) -> int:
    if wanted != "auto":
        return int(min(wanted, rows))
    return int(min(rows, 2 ** np.clip(nearest_power_of_two(max(rows, 1) / BATCHES), 4, 8)))
