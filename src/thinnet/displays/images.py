"""The images of a classifier's most and least certain predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thinnet import checks
from thinnet.arrays import Array, FittedEstimator, MatrixLike, TargetLike
from thinnet.displays.estimators import fitted_and_before, of_one_label
from thinnet.displays.inputs import beside
from thinnet.uncertainty.draws.heads import MEASURES, measure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHORT: Final = {
    "predictive_entropy": "entropy",
    "mutual_information": "mutual inf.",
    "variation_ratio": "var. ratio",
    "expected_entropy": "exp. entropy",
}
WRONG: Final = "#D55E00"  # Okabe and Ito's vermillion


@dataclass
class CertainImages:
    """Two rows of images, the most and the least certain, with their predicted classes.

    Parameters
    ----------
    images : array, shape (2, n, height, width) or (2, n, height, width, 3)
        The most certain images, the most certain first; the least certain, the least first.
    guesses : array, shape (2, n)
        The predicted labels.
    probabilities : array, shape (2, n)
        The probabilities of these labels, the mean over the draws.
    values : array, shape (2, n)
        The values of the measure.
    measure : str
        The measure of uncertainty.
    truths : array, shape (2, n), or None
        The true labels.  Where the prediction is another, the image is framed and its title
        coloured.

    Attributes
    ----------
    places_ : array of int, shape (2, n)
        The places of the images' rows, if they came from an estimator.
    axes_ : array of matplotlib axes, shape (2, n)
        The axes, once it is plotted.
    figure_ : matplotlib figure

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from thinnet import CertainImages, MLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier((50,), dropout=0.5, tol=0.01, random_state=0)
    >>> shown = CertainImages.from_estimator(model.fit(X, y), X, y, image_shape=(8, 8), n=4)
    >>> shown.images.shape
    (2, 4, 8, 8)
    """

    images: Array
    guesses: Array
    probabilities: Array
    values: Array
    measure: str = MEASURES[0]
    truths: Array | None = None
    places_: Array = field(init=False, repr=False)
    axes_: Array = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: FittedEstimator,
        X: MatrixLike,
        y: TargetLike = None,
        *,
        image_shape: Sequence[int],
        n: int = 8,
        measure: str = MEASURES[0],
        n_draws: int = 100,
        axes: Sequence[Axes] | None = None,
    ) -> CertainImages:
        """Plot rows of a fitted classifier, or of a pipeline that ends in one.

        Parameters
        ----------
        estimator : classifier of one label
        X : array, shape (rows, ...)
        y : array, shape (rows,), optional
            True labels.
        image_shape : sequence of int
            The shape of a row as an image: (height, width), or (height, width, 3) for colours.
        n : int, default=8
            The number of images in each of the two rows, from 1 to the number of rows.
        measure : str, default='predictive_entropy'
            Or 'mutual_information', 'variation_ratio', 'expected_entropy'.
        n_draws : int, default=100
            At least 2.
        axes : 2 n matplotlib axes, optional

        Raises
        ------
        NotFittedError
            Before fit.
        ValueError
            If rows don't have that shape, nothing draws, or a setting is not as above.
        """
        last, before = fitted_and_before(estimator)
        of_one_label(last)
        measure = measure_of(last.head_, measure)
        rows = checks.numeric("X", X)
        images = _images(rows, image_shape)
        checks.integer("n", n, 1, len(rows))
        truths = beside(y, len(rows))
        found = last.uncertainty(before(X), n_draws)
        order = np.argsort(getattr(found, measure), kind="stable")
        places = np.stack([order[:n], order[::-1][:n]])
        p = found.probabilities[places]
        shown = cls(
            images=images[places],
            guesses=last.head_.classes[p.argmax(axis=-1)],
            probabilities=p.max(axis=-1),
            values=getattr(found, measure)[places],
            measure=measure,
            truths=None if truths is None else truths[places],
        )
        shown.places_ = places
        return shown.plot(axes)

    def plot(self, axes: Sequence[Axes] | None = None) -> CertainImages:
        """Plot on axes of yours, those of the most certain images first, or on new ones."""
        n = self.guesses.shape[1]
        grid = self._new(n) if axes is None else np.asarray(axes, object)
        checks.must(grid.size == 2 * n, "axes", f"{2 * n}, one an image", grid.size)
        self.axes_ = grid.reshape(2, n)
        self.figure_ = self.axes_[0, 0].figure
        for place in np.ndindex(2, n):
            self._panel(grid.reshape(2, n)[place], place)
        for ax, words in zip(self.axes_[:, 0], ("most certain", "least certain"), strict=True):
            ax.set_ylabel(words)
        return self

    @staticmethod
    def _new(n: int) -> Array:
        from matplotlib import pyplot as plt

        size = (max(1.25 * n, 2.5) + 0.4, 4.2)
        _, grid = plt.subplots(2, n, figsize=size, layout="constrained", squeeze=False)
        return grid

    def _panel(self, ax: Any, place: tuple[int, ...]) -> None:
        ax.imshow(self.images[place], cmap="gray_r", interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        words = [f"{self.guesses[place]}, {self.probabilities[place]:.0%}".replace("%", " %")]
        words.append(f"{SHORT[self.measure]} {abs(self.values[place]):.2f}")
        wrong = self.truths is not None and self.truths[place] != self.guesses[place]
        if self.truths is not None:
            words.append(f"wrong: is {self.truths[place]}" if wrong else f"is {self.truths[place]}")
        ax.set_title("\n".join(words), fontsize=8, color=WRONG if wrong else "black")
        for side in ax.spines.values():
            side.set(color=WRONG if wrong else "0.7", linewidth=3 if wrong else 0.8)


def _images(rows: Array, image_shape: Sequence[int]) -> Array:
    shape = tuple(image_shape) if np.iterable(image_shape) else ()
    whole = all(checks.is_integer(side) and side > 0 for side in shape)
    colours = len(shape) == 3 and shape[-1] in (3, 4)
    right = whole and (len(shape) == 2 or colours)
    checks.must(right, "image_shape", "(height, width) or (height, width, 3)", image_shape)
    size = rows[0].size
    checks.must(np.prod(shape) == size, "image_shape", f"of {size} numbers, as rows are", shape)
    return rows.reshape(len(rows), *shape)
