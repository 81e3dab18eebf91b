"""How large activations and gradients are, layer by layer and step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, TargetLike
from thinnet.displays import health_panels as panels
from thinnet.displays import health_presets
from thinnet.displays.panels import by_name, grid_of, plain_or_large
from thinnet.displays.recorded import Moments, network_of, networks_at, rows_of, targets_of
from thinnet.losses import Loss
from thinnet.network import Network
from thinnet.training.diagnostics import EXPLODING, VANISHING
from thinnet.training.series import KINDS, GradientSeries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEASURES: Final = ("rms", "norm", "std", "mean", "high")
WORDS: Final = {
    "rms": "root mean square",
    "norm": "norm",
    "std": "standard deviation",
    "mean": "mean, bars: 1 std",
    "high": "98th percentile",
}
NAMES: Final = {
    "activations": "activations",
    "gradients": "gradients",
    "parameters": "weight gradients",
}
SHOWN: Final = ("activations", "gradients")


@dataclass
class GradientHealth:
    """Activations and back-propagated gradients of each layer: one panel above, one below.

    Gradients are those of the mean loss by the pre-activations.  Where there is one step, layers
    stand along the axis; else steps do, and each layer is a line.

    Parameters
    ----------
    series : dict of str to GradientSeries
        By the names of trainings or networks, which are compared side by side.

    Attributes
    ----------
    axes_ : array of matplotlib axes
        Activations in the first row, gradients in the second, once it is plotted.
    figure_ : matplotlib figure

    References
    ----------
    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
    networks", figures 2, 3, 6 and 7.

    Examples
    --------
    >>> from thinnet import GradientHealth
    >>> shown = GradientHealth.preset("vanishing")
    >>> shown.verdicts()["sigmoid, 1/sqrt(n)"][:2]
    ['hidden 1: gradient vanishes', 'hidden 2: gradient vanishes']
    """

    series: dict[str, GradientSeries]
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.series = by_name(self.series)
        for each in self.series.values():
            checks.must(isinstance(each, GradientSeries), "series", "GradientSeries", each)
            checks.must(bool(each.steps), "series", "one with measurements", each)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator | Network | Mapping[str, FittedEstimator | Network],
        X: MatrixLike,
        y: TargetLike,
        *,
        loss: Loss | None = None,
        measure: str = "rms",
        axes: Sequence[Axes] | None = None,
    ) -> GradientHealth:
        """Plot one training pass over some rows, dropout on, of a network as it stands.

        Parameters
        ----------
        estimator : estimator, pipeline, Network, or a dict of them by name
        X : array, shape (rows, ...)
        y : array
            Targets, of a network in the form that its loss takes.
        loss : Loss, optional
            Of a network; by default the one that `train` takes for `y`.
        measure : str, default='rms'
            Or 'norm', 'std', 'mean', 'high' (the 98th percentile).
        axes : matplotlib axes, optional
            Two: activations, gradients.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If `X` or `y` doesn't fit, it is an ensemble, or a setting is not as above.
        """
        found = {}
        for name, model in by_name(estimator).items():
            network = network_of(model)
            targets, its_loss = targets_of(model, y, loss)
            found[name] = GradientSeries(rows_of(model, X), targets, loss=its_loss)
            found[name].measure(network)
        return cls(found).plot(axes, measure=measure)

    @classmethod
    def from_recording(
        cls,
        recording: Moments | Mapping[str, Moments],
        X: MatrixLike,
        y: TargetLike,
        steps: Sequence[int] | None = None,
        *,
        loss: Loss | None = None,
        measure: str = "rms",
        axes: Sequence[Axes] | None = None,
    ) -> GradientHealth:
        """Plot some steps of a recording, or of a dict of them by name.

        Parameters
        ----------
        recording : Recording
            Or any object whose ``at(step).network`` is the network before a step.
        X, y, loss, measure, axes
            As in `from_estimator`, of a network.
        steps : sequence of int, optional
            At least one; by default at most 40, evenly spaced, or of the keyframes where the
            recording doesn't have its data.

        Raises
        ------
        ValueError
            If a step is not in the recording, or something is not as above.
        """
        found = {}
        for name, each in by_name(recording).items():
            found[name] = GradientSeries(X, y, loss=loss)
            for _, network in networks_at(each, steps):
                found[name].measure(network)
        return cls(found).plot(axes, measure=measure)

    @classmethod
    def preset(cls, name: str = "vanishing", *, epochs: int = 0, seed: int = 0) -> GradientHealth:
        """Plot deep networks whose gradients vanish or explode, beside one whose don't.

        Parameters
        ----------
        name : {'vanishing', 'exploding'}
            'vanishing': twelve layers of sigmoids and of tanh with the weights of before 2010,
            ``U(-1/sqrt(n), 1/sqrt(n))``, and of tanh with Glorot's.  'exploding': twelve layers of
            ReLU with normal weights of standard deviation ``3/sqrt(n)``, and with He's.
        epochs : int, default=0
            Epochs of SGD on scikit-learn's digits, at least 0: with 0 as they start.  A training
            that diverges is shown up to there.
        seed : int

        Raises
        ------
        ValueError
            If a setting is not as above.
        """
        return cls(health_presets.series(name, epochs, seed)).plot()

    def verdicts(self) -> dict[str, list[str]]:
        """Where gradients vanish or explode at the last step, a sentence a layer.

        The root mean square is compared with that at the output, as in `gradient_report`.
        """
        return {name: _verdicts(each) for name, each in self.series.items()}

    def plot(
        self,
        axes: Sequence[Axes] | None = None,
        *,
        measure: str = "rms",
        kinds: Sequence[str] = SHOWN,
        output: bool = True,
    ) -> GradientHealth:
        """Plot on axes of yours, those of activations first, or on new ones.

        Parameters
        ----------
        axes : matplotlib axes, optional
            One for each kind and, over steps, each training; row by row.
        measure : str, default='rms'
            Or 'norm', 'std', 'mean', 'high' (the 98th percentile).
        kinds : sequence of str
            Rows of panels: 'activations', 'gradients', 'parameters' (gradients by the weights).
        output : bool, default=True
            Whether the last layer is shown, whose outputs are raw.

        Raises
        ------
        ValueError
            If a setting is not as above, or there is another number of axes.
        """
        checks.one_of("measure", measure, MEASURES)
        checks.must(len(kinds) > 0, "kinds", f"some of {', '.join(KINDS)}", kinds)
        kinds = [checks.one_of("each of kinds", kind, KINDS) for kind in kinds]
        checks.boolean("output", output)
        if not output:
            self._check_hidden()
        alone = all(len(each.steps) == 1 for each in self.series.values())
        with plain_or_large(axes):
            columns = 1 if alone else len(self.series)
            height = 1.4 + 2.1 * len(kinds)
            grid = grid_of(axes, len(kinds), columns, height, sharex=alone, sharey="row")
            self.axes_, self.figure_ = grid, grid[0, 0].figure
            (panels.over_layers if alone else panels.over_steps)(
                grid, self.series, panels.Shown(tuple(kinds), measure, output)
            )
            for kind, row in zip(kinds, self.axes_, strict=True):
                row[0].set_ylabel(f"{NAMES[kind]},\n{WORDS[measure]}")
        return self

    def plot_histograms(self, axes: Sequence[Axes] | None = None) -> GradientHealth:
        """Plot the distributions at the last step, a line a layer: figures 6 and 7 of the paper."""
        self._check_hidden()
        with plain_or_large(axes):
            grid = grid_of(axes, 2, len(self.series), 5.6)
            self.axes_, self.figure_ = grid, grid[0, 0].figure
            panels.histograms(grid, self.series, SHOWN)
        return self

    def _check_hidden(self) -> None:
        for name, each in self.series.items():
            hidden = len(each.layers) > 1
            checks.must(hidden, "each of series", "one of networks with hidden layers", name)


def _verdicts(series: GradientSeries) -> list[str]:
    size = series.column("gradients", "rms")[-1]
    found = []
    for layer, ratio in zip(series.layers, size / (size[-1] or 1.0), strict=True):
        words = "vanishes" if ratio < VANISHING else "explodes" if ratio > EXPLODING else ""
        if not np.isfinite(ratio):
            words = "is not finite"
        found += [f"{layer}: gradient {words}"] if words else []
    return found
