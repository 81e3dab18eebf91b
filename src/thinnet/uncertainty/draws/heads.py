"""Heads, which give the outputs of networks their meaning: one for classes, one for numbers.

A fitted estimator has its own as `head_`: files, exports, pictures and commands use that to know
what it predicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeAlias

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_array
from sklearn.utils.validation import column_or_1d

from thinnet import checks
from thinnet.arithmetic import exp
from thinnet.arrays import Array, TargetLike
from thinnet.engine.rounding_mode import standard_mode
from thinnet.losses import (
    BinaryCrossEntropy,
    GaussianNLL,
    Loss,
    Pinball,
    Poisson,
    SoftmaxCrossEntropy,
    SquaredError,
)
from thinnet.uncertainty.draws.curves import Curves
from thinnet.uncertainty.draws.mixtures import (
    OWN_UNITS,
    Gaussians,
    Mixture,
    Poissons,
    Units,
    with_own_noise,
)
from thinnet.uncertainty.draws.shapes import Calibrated, Shape
from thinnet.uncertainty.forecasts import class_places, indicators

TargetType: TypeAlias = Literal["binary", "multiclass", "multilabel-indicator"]
# Results of `uncertainty` that rows can be ranked by, the default first.
MEASURES: Final = (
    "predictive_entropy",
    "mutual_information",
    "variation_ratio",
    "expected_entropy",
)
SPREADS: Final = ("std", "epistemic", "aleatoric")
NAME: Final = "prediction"  # the name of a target without one
LOSSES: Final[dict[str, Loss]] = {
    "squared_error": SquaredError(),
    "poisson": Poisson(),
    "gaussian_nll": GaussianNLL(),
}
QUANTILE: Final = "quantile"  # whose loss has levels


@dataclass(frozen=True, eq=False)
class ClassHead:
    """Classes: one of two, one of many, or several at once.

    Parameters
    ----------
    classes : array, shape (n_classes,)
        The labels, sorted.
    kind : {'binary', 'multiclass', 'multilabel-indicator'}
        With 'binary' a network has one output, else one for each class.
    name : str
        The name of the target.
    """

    classes: Array
    kind: TargetType
    name: str = NAME

    measures: ClassVar = MEASURES

    @property
    def width(self) -> int:
        """The number of outputs of a network."""
        return 1 if self.kind == "binary" else len(self.classes)

    @property
    def loss(self) -> Loss:
        return SoftmaxCrossEntropy() if self.kind == "multiclass" else BinaryCrossEntropy()

    @property
    def activation(self) -> str:
        """The function that makes probabilities of raw outputs."""
        return "softmax" if self.kind == "multiclass" else "logistic"

    @property
    def is_multilabel(self) -> bool:
        """Whether a row can have several labels at once."""
        return self.kind == "multilabel-indicator"

    @property
    def columns(self) -> list[str]:
        """A name for the probability of each class."""
        return [f"p({label})" for label in self.classes]

    def targets(self, y: Any) -> Array:
        """Targets for the loss: places among the classes, or 0s and 1s with a column an output."""
        from sklearn.utils.multiclass import unique_labels

        unknown = np.setdiff1d(unique_labels(y), self.classes)
        if len(unknown):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. "
                f"'y' has {unknown} besides."
            )
        if self.is_multilabel:
            return np.asarray(y.todense() if hasattr(y, "todense") else y, np.float64)
        if self.kind == "multiclass":
            return np.searchsorted(self.classes, y)
        return (np.asarray(y) == self.classes[-1]).astype(np.float64) * (len(self.classes) - 1)

    def known(self, y: TargetLike) -> Array:
        """The place of each row's label, shape (rows,), or 0s and 1s, shape (rows, n_classes)."""
        if self.is_multilabel:
            return indicators(y, len(self.classes))
        return class_places(one_column(checks.array("y", y)), self.classes)

    @standard_mode()
    def predict(self, outputs: Array) -> Array:
        """Probabilities, shape (rows, n_classes), from raw outputs of shape (rows, width)."""
        p = self.loss.predict(outputs)
        return np.hstack([1 - p, p]) if self.kind == "binary" else p

    def of_draws(self, outputs: Array) -> Array:
        """Probabilities in float64 from raw outputs of shape (n_draws, rows, width)."""
        together = self.predict(outputs.reshape(-1, outputs.shape[-1]))
        return together.astype(np.float64).reshape(*outputs.shape[:2], together.shape[-1])

    def places(self, p: Array) -> Array:
        """The places of the classes that are predicted from probabilities `p`."""
        return np.asarray(
            np.minimum(p.argmax(axis=1), len(self.classes) - 1)
        )  # there may be one class only

    def guesses(self, p: Array) -> Array:
        """The labels that are predicted from probabilities `p`, or 0s and 1s for several."""
        return (p > 0.5).astype(int) if self.is_multilabel else self.classes[self.places(p)]

    def labels(self, outputs: Array) -> Array:
        """The most probable label of each row, or 0s and 1s, from raw outputs."""
        if self.is_multilabel:
            return (outputs > 0).astype(int)
        if self.kind == "multiclass":
            return self.classes[outputs.argmax(axis=1)]
        return self.classes[(outputs[:, 0] > 0).astype(int) * (len(self.classes) - 1)]


@dataclass(frozen=True, eq=False)
class NumberHead:
    """Numbers, and the noise around them.

    Parameters
    ----------
    kind : {'squared_error', 'poisson', 'gaussian_nll', 'quantile'}
        The loss.
    n_outputs : int
        The number of targets of a row.
    noise : array, shape (n_outputs,), optional
        With 'squared_error' the standard deviation around draws, in the network's units.
    units : Units
        The map between the target's own units and the network's.
    shape : Shape, optional
        The shape of errors on rows held out; without it noise is Gaussian.
    name : str
        The name of the target.
    levels : tuple of float
        With 'quantile' the levels of a network's quantiles.
    """

    kind: str
    n_outputs: int
    noise: Array | None = None
    units: Units = OWN_UNITS
    shape: Shape | None = None
    name: str = NAME
    levels: tuple[float, ...] = ()

    measures: ClassVar = SPREADS

    @property
    def width(self) -> int:
        """The number of outputs of a network."""
        of_each = {"gaussian_nll": 2, QUANTILE: len(self.levels)}
        return self.n_outputs * of_each.get(self.kind, 1)

    @property
    def loss(self) -> Loss:
        return Pinball(self.levels) if self.kind == QUANTILE else LOSSES[self.kind]

    @property
    def activation(self) -> str:
        """The function that makes numbers of raw outputs."""
        return {"poisson": "exp", QUANTILE: "median"}.get(self.kind, "identity")

    def targets(self, y: Any) -> Array:
        """Targets for the loss, shape (rows, n_outputs)."""
        return self.units.forward(columns(y))

    def read(self, y: TargetLike) -> Array:
        """Targets in their own units, shape (rows, outputs)."""
        return columns(check_array(y, ensure_2d=False, dtype=np.float64, input_name="y"))

    def known(self, y: TargetLike) -> Array:
        """Targets in their own units; ValueError if they are not of the kind learned from."""
        y = self.read(y)
        if y.shape[1] != self.n_outputs:
            raise ValueError(f"y must have {self.n_outputs} columns, got {y.shape[1]}")
        if self.kind == "poisson" and (bad := (y < 0) | (y != np.floor(y))).any():
            got = f"{y[bad][0]:g} in row {int(np.argwhere(bad)[0][0])}"
            raise ValueError(f"y must hold whole numbers >= 0 with loss='poisson', got {got}")
        return y

    @standard_mode()
    def predict(self, outputs: Array) -> Array:
        """Means in the network's units from raw outputs of shape (rows, width)."""
        return self.loss.predict(outputs)

    def of_draws(self, outputs: Array) -> Array:
        """Means in the target's own units from raw outputs of shape (n_draws, rows, width).

        With 'quantile' they are medians.
        """
        if self.kind == QUANTILE:
            medians = self.predict(outputs.reshape(-1, self.width))
            return self.units.back(medians.reshape(*outputs.shape[:2], self.n_outputs))
        return self.mixture(outputs).means()

    def mixture(self, outputs: Array) -> Mixture:
        """The distribution that raw outputs of shape (n_draws, rows, width) make together."""
        if self.kind == "poisson":
            return Poissons(exp(outputs))
        if self.kind == QUANTILE:
            return self.curves(outputs)
        plain = self.gaussians(outputs)
        return plain if self.shape is None else Calibrated.of(plain, self.shape)

    @property
    def has_distributions(self) -> bool:
        """Whether there is more than one quantile of a target."""
        return len(self.levels) != 1

    def curves(self, outputs: Array) -> Curves:
        """The distributions with the quantiles that raw outputs are."""
        enough = "two levels at least to give distributions"
        checks.must(self.has_distributions, "quantile", enough, self.levels)
        return Curves.of(outputs, Pinball(self.levels), self.units, self.shape)

    def gaussians(self, outputs: Array) -> Gaussians:
        """The mixture of Gaussians, without the shape of errors on rows held out."""
        if self.kind == "gaussian_nll":
            return with_own_noise(outputs, self.units)
        assert self.noise is not None  # it is learned if there are draws
        return Gaussians(outputs.astype(np.float64), self.noise, self.units)

    def squeezed(self, values: Array) -> Array:
        """`values` without their last axis if there is one output."""
        return values[..., 0] if self.n_outputs == 1 else values


Head: TypeAlias = ClassHead | NumberHead


def measure_of(head: Head, name: str | None) -> str:
    """`name`, if it is one of the head's measures of uncertainty; for None its default."""
    known = head.measures
    return known[0] if name is None else str(checks.one_of("measure", name, known))


def one_column(y: Any) -> Any:
    """`y` of shape (rows, 1) as (rows,), with scikit-learn's warning; others as they are."""
    return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def columns(y: Any) -> Array:
    """Numbers of shape (rows, outputs)."""
    y = one_column(y)
    return y.reshape(-1, 1) if y.ndim == 1 else y


def check_learned(estimator: Any, name: str) -> None:
    """Raise NotFittedError if an attribute that `fit` sets is not there."""
    if name not in vars(estimator):
        raise NotFittedError(f"this {type(estimator).__name__} is not fitted yet: call fit first")
