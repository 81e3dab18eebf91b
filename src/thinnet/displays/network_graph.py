"""A network's units and weights, with the units that dropout drops crossed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, NetworkLike
from thinnet.displays import graphs, models, weight_images
from thinnet.displays.axes import WIDE
from thinnet.displays.chains import Chain, Moment, chain_of
from thinnet.displays.estimators import fitted, last_and_before
from thinnet.displays.graphs import Look
from thinnet.displays.moments import moving
from thinnet.displays.planes import plane_of
from thinnet.uncertainty.draws.drawn import entering

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Form: TypeAlias = Literal["graph", "matrices"] | None
FORMS: Final = ("graph", "matrices", None)
MOST_UNITS: Final = 16  # of a stage, up to which a graph shows all
POINTS: Final = 32  # along a side of a response map


@dataclass
class NetworkGraph:
    """Units as circles, weights as lines whose width is their size; or weights as images.

    A positive weight is a solid blue line, a negative one dashed and orange.  What the masks of a
    pass drop is crossed out, and its weights are grey.  A circle holds the unit's response over the
    plane of two inputs where there are two: blue above 0, orange below, on one scale for a layer's
    units.  Units stand behind all layers that act on each unit alone: behind Dense, ReLU and
    Dropout there is one row of them.

    Parameters
    ----------
    chain : Chain
        Stages of units, the weights between them, and what is dropped.
    inputs : sequence of str
        The names of the inputs, shown letter by letter; none are shown if there are more than fit.
    form : {'graph', 'matrices'}, optional
        By default a graph up to 16 units a layer, and matrices above.

    Attributes
    ----------
    axes_ : array of matplotlib axes
        One for the graph, or one for each matrix, once it is plotted.
    figure_ : matplotlib figure
    at : callable or None
        Of `from_network`, the same picture of another network or moment, as `animate` asks for it.

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import Dense, Dropout, Network, NetworkGraph, ReLU
    >>> network = Network([Dense(6), ReLU(), Dropout(0.5), Dense(1)], features=2, seed=0)
    >>> shown = NetworkGraph.from_network(network, np.eye(2), step=0, sample=0)
    >>> [(stage.name, int(stage.dropped.sum())) for stage in shown.chain.stages]
    [('input', 0), ('hidden 1', 1), ('output', 0)]
    """

    chain: Chain
    inputs: Sequence[str] = ()
    form: Form = None
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    at: Any = field(init=False, repr=False, default=None)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: MatrixLike = None,
        *,
        network: int = 0,
        step: int | None = None,
        sample: int | None = None,
        draw: int | None = None,
        form: Form = None,
        axes: Sequence[Axes] | None = None,
    ) -> NetworkGraph:
        """Plot a network of a fitted estimator, or of the last step of a pipeline.

        Parameters
        ----------
        estimator : estimator or Pipeline
        X : array or frame, shape (rows, 2), optional
            The plane of the response maps is its range, widened by a quarter on each side.
        network : int, default=0
            The network's place among those of an ensemble or a table's estimator.
        step, sample, draw, form, axes
            As in `from_network`.

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            As `from_network`.
        """
        last = fitted(estimator, "head_")
        before = last_and_before(estimator)[1]
        networks = models.networks_of(last)
        place = checks.integer("network", network, 0, len(networks) - 1)
        moment, _ = Moment(step, sample, draw), checks.one_of("form", form, FORMS)
        rows = None
        if X is not None:
            rows = entering(last, plane_of(before, X, None, POINTS).rows)
        known = () if hasattr(last, "encoder_") else getattr(last, "feature_names_in_", ())
        names = [str(name) for name in known]
        return cls._of(networks[place], moment, rows, names, form).plot(axes)

    @classmethod
    def from_network(
        cls,
        network: NetworkLike,
        X: MatrixLike = None,
        *,
        step: int | None = None,
        sample: int | None = None,
        draw: int | None = None,
        form: Form = None,
        layers: Sequence[int] | None = None,
        axes: Sequence[Axes] | None = None,
    ) -> NetworkGraph:
        """Plot a network, or a moment of a recording.

        Parameters
        ----------
        network : Network or moment
        X : array, shape (rows, 2), optional
            The plane of the response maps is its range, widened by a quarter on each side.
        step : int, optional
            The number of a training step, at least 0, whose masks cross units out.  The responses
            are then those of the thinned network, with running statistics.
        sample : int, optional
            The id of the step's row whose masks they are; by default the step's first row, or 0
            where its rows are not known.
        draw : int, optional
            The number of a draw in place of a step.
        form : {'graph', 'matrices'}, optional
            By default a graph up to 16 units a layer, and matrices above.  A graph of more shows
            the units with the largest weights.
        layers : sequence of int, optional
            With 'matrices', the places in `network.layers` of those whose weights are shown.
        axes : sequence of matplotlib axes, optional
            One for a graph; one for each matrix.

        Raises
        ------
        ValueError
            If X has not the two inputs of the network, `step` or `sample` is out of its range or
            nothing is dropped, or a layer has no weights.

        Warns
        -----
        UnusedMaskWarning
            If the network has been trained, but not in this step, or not on this row in it.
        """
        found = models.network_in(network)
        moment, _ = Moment(step, sample, draw), checks.one_of("form", form, FORMS)
        rows = None
        if X is not None:
            checks.must(
                found.features == (2,), "network", "one of two inputs with X", found.features
            )
            rows = plane_of(_as_it_is, X, None, POINTS).rows
        shown = cls._of(found, moment, rows, (), form, layers).plot(axes)

        def again(other: Any) -> NetworkGraph:
            now = None if step is None else models.network_in(other).clock.step
            return cls.from_network(
                other, X, step=now, sample=sample, draw=draw, form=form, layers=layers
            )

        shown.at = moving(again)
        return shown

    @classmethod
    def _of(
        cls,
        network: Any,
        moment: Moment,
        rows: Any,
        names: Sequence[str],
        form: Form,
        layers: Sequence[int] | None = None,
    ) -> NetworkGraph:
        chain = chain_of(network, moment.checked(network), rows)
        if layers is not None:
            chain, form = chain.only(layers), "matrices"
        return cls(chain, names, form)

    def plot(
        self, axes: Sequence[Axes] | None = None, *, max_units: int = MOST_UNITS
    ) -> NetworkGraph:
        """Plot on axes of yours, or on new ones.

        Parameters
        ----------
        axes : sequence of matplotlib axes, optional
            One for a graph; one for each matrix.
        max_units : int, default=16
            The most units of a layer that a graph shows, from 1 to 64.
        """
        checks.integer("max_units", max_units, 1, 64)
        form = checks.one_of("form", self.form, FORMS)
        few = max(stage.units for stage in self.chain.stages) <= max_units
        if form == "graph" or (form is None and few):
            look = Look(max_units=max_units, inputs=self.inputs)
            self.axes_ = graphs.axes_for(self.chain, axes, look)
            graphs.plot(self.axes_[0], self.chain, look)
        else:
            self.axes_ = weight_images.plot(self.chain, axes, WIDE)
        self.figure_ = self.axes_[0].figure
        return self


def _as_it_is(rows: Any) -> Any:
    return rows
