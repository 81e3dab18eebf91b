"""Measurements of a network's layers at several steps of a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import checks, sparse
from thinnet.arrays import Array, MatrixLike, TargetLike
from thinnet.losses import Loss, loss_for
from thinnet.network import Network
from thinnet.network.weight_layers import weight_layers, weights_of
from thinnet.passes import Run, Site
from thinnet.training.data import checked_data
from thinnet.training.state import TrainingState

LEVELS: Final = (0.02, 0.25, 0.5, 0.75, 0.98)


class Spread(NamedTuple):
    """What is kept of many numbers: `low` and `high` are their 2nd and 98th percentiles."""

    norm: float  # Euclidean
    rms: float  # the root of the mean square
    mean: float
    std: float
    low: float
    high: float


NO_SPREAD: Final = Spread(*[float("nan")] * len(Spread._fields))


class Measured(NamedTuple):
    """The arrays of one moment, one for each layer with weights.

    `activations` are the outputs of the activation functions, `gradients` the derivatives of the
    mean loss by the pre-activations, `parameters` those by the weights.
    """

    activations: list[Array]
    gradients: list[Array]
    parameters: list[Array]


KINDS: Final = Measured._fields


def spread_of(values: Array) -> Spread:
    """Norm, root mean square, mean, standard deviation and percentiles; NaN if not all finite."""
    numbers = np.asarray(values, np.float64).ravel()
    if not np.isfinite(numbers).all():
        return NO_SPREAD
    low, high = np.quantile(numbers, (LEVELS[0], LEVELS[-1]))
    # The largest is taken out, so that no square overflows.
    most = float(np.abs(numbers).max()) or 1.0
    norm = most * float(np.sqrt(np.square(numbers / most).sum()))
    found = norm, norm / np.sqrt(numbers.size), numbers.mean(), numbers.std(), low, high
    return Spread(*map(float, found))


def measured(network: Network, X: MatrixLike, y: TargetLike, loss: Loss | None = None) -> Measured:
    """Activations and gradients of one training pass, dropout on; the network stays as it is.

    Raises
    ------
    ValueError
        If `X` or `y` doesn't fit the network or the loss.
    """
    loss = loss_for(y) if loss is None else loss
    checks.of_kind("loss", loss, Loss)
    data = checked_data(network, loss, X, y)
    before = network.state.copy(), network.gradient.copy()
    outputs, slopes = dict[str, Array](), dict[str, Array]()

    def forward(site: Site, y: Array) -> None:
        outputs[site.name] = y

    def backward(site: Site, dy: Array) -> None:
        slopes[site.name] = dy

    try:
        with np.errstate(all="ignore"):
            z, cache = network.forward(sparse.dense(data.X), Run.train(network.clock.step), forward)
            network.backward(cache, loss(z, data.targets)[1], backward)
        return _of_layers(network, outputs, slopes)
    finally:
        network.state[:], network.gradient[:] = before


def _of_layers(network: Network, outputs: dict[str, Array], slopes: dict[str, Array]) -> Measured:
    layers, sites = weight_layers(network), network.sites
    return Measured(
        [outputs[sites[layer.activation].name].copy() for layer in layers],
        [slopes[sites[layer.place].name].copy() for layer in layers],
        [next(g for g in sites[layer.place].g if g.ndim > 1).copy() for layer in layers],
    )


@dataclass(eq=False)
class GradientSeries:
    """Activations and gradients of each layer, measured every so many steps: a callback.

    They come from a training pass over all rows of `X`, dropout on; the training stays as it is,
    to the bit.

    Parameters
    ----------
    X : array or sparse matrix, shape (rows, *features)
        A few hundred rows are enough: each measurement takes a pass over all of them.
    y : array, shape (rows,) or (rows, ...)
        Targets as the loss takes them.
    every : int, default=1
        Steps between measurements, at least 1.
    loss : Loss, optional
        By default that of the training, or the one that `train` takes for `y`.

    Attributes
    ----------
    steps : list of int
        The network's steps before which it was measured.
    layers : tuple of str
        "hidden 1", "hidden 2", ..., "output".
    spreads : dict of str to list
        For "activations", "gradients" (of the loss by the pre-activations) and "parameters" (by
        the weights) the `Spread` of each layer at each step.
    latest : Measured or None
        The arrays of the latest measurement.

    Raises
    ------
    ValueError
        If `every` is below 1, or `X` and `y` don't fit.

    Examples
    --------
    >>> from thinnet import SGD, Dense, Network, Tanh, train
    >>> from thinnet.training import GradientSeries
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> series = GradientSeries(X, X[:, 0] > 0, every=10)
    >>> network = Network([Dense(8), Tanh(), Dense(2)], features=4, seed=0)
    >>> series.measure(network)  # before training
    >>> history = train(network, X, X[:, 0] > 0, batch_size=20, epochs=4, callbacks=[series])
    >>> series.steps, series.layers
    ([0, 10, 20], ('hidden 1', 'output'))
    >>> series.column("gradients", "rms").shape
    (3, 2)
    """

    X: MatrixLike = field(repr=False)
    y: TargetLike = field(repr=False)
    every: int = 1
    loss: Loss | None = None
    steps: list[int] = field(default_factory=list, init=False)
    layers: tuple[str, ...] = field(default=(), init=False)
    spreads: dict[str, list[list[Spread]]] = field(init=False, repr=False)
    latest: Measured | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        checks.integer("every", self.every, 1)
        self.spreads = {kind: [] for kind in KINDS}

    def on_step_end(self, training: TrainingState) -> None:
        self.measure(training.network, self.loss or training.plan.loss)

    def measure(self, network: Network, loss: Loss | None = None) -> None:
        """Measure a network as it stands; ValueError if its layers are others than before."""
        names = same_layers(self.layers, network)
        self.latest = measured(network, self.X, self.y, loss or self.loss)
        self.layers = names
        self.steps.append(network.clock.step)
        for kind, arrays in self.latest._asdict().items():
            self.spreads[kind].append([spread_of(each) for each in arrays])

    def column(self, kind: str, measure: str) -> Array:
        """One measure ("norm", "rms", "mean", "std", "low", "high"), shape (steps, layers)."""
        checks.one_of("kind", kind, KINDS)
        checks.one_of("measure", measure, Spread._fields)
        rows = [[getattr(spread, measure) for spread in moment] for moment in self.spreads[kind]]
        return np.array(rows, np.float64).reshape(len(self.steps), len(self.layers))


@dataclass(eq=False)
class WeightSeries:
    """The weights of each layer, measured every so many steps: a callback.

    Parameters
    ----------
    every : int, default=1
        Steps between measurements, at least 1.
    n_traces : int, default=8
        The number of single weights that are followed in each layer, evenly spaced, at least 0.

    Attributes
    ----------
    steps : list of int
        The network's steps before which it was measured.
    layers : tuple of str
        "hidden 1", "hidden 2", ..., "output".
    quantiles : list of array, shape (layers, 5)
        At 2, 25, 50, 75 and 98 %.
    traces : list of list of array
        The weights that are followed, of each layer.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> from thinnet import Dense, Network
    >>> from thinnet.training import WeightSeries
    >>> network, series = Network([Dense(8), Dense(2)], features=4, seed=0), WeightSeries()
    >>> series.measure(network)
    >>> series.steps, series.quantiles[0].shape
    ([0], (2, 5))
    """

    every: int = 1
    n_traces: int = 8
    steps: list[int] = field(default_factory=list, init=False)
    layers: tuple[str, ...] = field(default=(), init=False)
    quantiles: list[Array] = field(default_factory=list, init=False, repr=False)
    traces: list[list[Array]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        checks.integer("every", self.every, 1)
        checks.integer("n_traces", self.n_traces, 0)

    def on_step_end(self, training: TrainingState) -> None:
        self.measure(training.network)

    def measure(self, network: Network) -> None:
        """Measure a network as it stands; ValueError if its layers are others than before."""
        self.layers = same_layers(self.layers, network)
        weights = [weights_of(network, layer).ravel() for layer in weight_layers(network)]
        self.steps.append(network.clock.step)
        self.quantiles.append(
            np.stack([np.quantile(w.astype(np.float64), LEVELS) for w in weights])
        )
        self.traces.append([w[self._followed(w.size)] for w in weights])

    def _followed(self, size: int) -> Array:
        return np.unique(np.linspace(0, size - 1, min(self.n_traces, size)).astype(int))


def same_layers(before: tuple[str, ...], network: Any) -> tuple[str, ...]:
    """The names of a network's layers with weights; ValueError unless they are those of before."""
    checks.must(isinstance(network, Network), "network", "a Network", network)
    names = tuple(layer.name for layer in weight_layers(network))
    checks.must(bool(names), "network", "one that has layers with weights", network)
    allowed = f"one of {len(before)} layers with weights, as before"
    checks.must(before in ((), names), "network", allowed, len(names))
    return names
