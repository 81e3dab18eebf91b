"""The observed coverage of intervals or sets, as a sentence."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thinnet.arrays import Array
from thinnet.commands import conformal
from thinnet.console.tables import counted
from thinnet.network.summary import has_random_masks
from thinnet.tables import drifting
from thinnet.tables.calibrating import COVERAGES, Calibration
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.distributions import central
from thinnet.uncertainty.draws.heads import NumberHead

MOST_ROWS: Final = 1000  # rows of each block that are checked, evenly spaced


class CoverageCheck:
    """Counts, block by block, the targets that lie in their intervals or sets.

    Attributes
    ----------
    without_target : int
        Rows without a target, which are left out.
    """

    def __init__(self, estimator: Any) -> None:
        self.without_target = 0
        self.estimator, self.held = estimator, list[Array]()
        noisy = len(estimator.networks_) > 1 or has_random_masks(estimator.networks_[0])
        head = estimator.head_
        self.is_conformal = conformal.is_conformal(estimator)
        of_numbers = isinstance(head, NumberHead) and head.has_distributions
        self.is_able = self.is_conformal or (noisy and of_numbers)

    def add(self, frame: Frame, y: Array) -> None:
        if not self.is_able:
            return
        some = np.unique(np.linspace(0, len(y) - 1, min(len(y), MOST_ROWS)).astype(int))
        frame, y = frame.iloc[some], y[some]
        with drifting.reported_to(drifting.ignored):
            self.held.append(self._is_inside(frame, y))

    def _is_inside(self, frame: Frame, y: Array) -> Array:
        if self.is_conformal:
            return conformal.held(self.estimator, frame, y)[:, None]
        ends = [level for coverage in COVERAGES for level in central(coverage)]
        bounds = self.estimator.predict_quantiles(frame, ends, progress=False)
        return np.asarray((bounds[:, ::2] <= y[:, None]) & (y[:, None] <= bounds[:, 1::2]))

    def message(self) -> str:
        """The sentence; empty where no row was added."""
        if not self.held:
            return ""
        held = np.concatenate(self.held)
        nominal = (conformal.COVERAGE,) if self.is_conformal else COVERAGES
        what = "intervals" if isinstance(self.estimator.head_, NumberHead) else "sets"
        kind = f"conformal {what}" if self.is_conformal else what
        return sentence(kind, nominal, held.mean(axis=0), len(held))


def sentence(what: str, nominal: Any, held: Any, rows: int, which: str = "") -> str:
    meant = ", ".join(f"{100 * c:g}" for c in nominal)
    found = ", ".join(f"{100 * fraction:.1f}" for fraction in held)
    return f"{what} meant to hold {meant} % held {found} % of {counted(rows, 'row')}{which}"


def of_training(estimator: Any) -> str:
    """The sentence on a calibrated regressor's held-out rows; empty for other models."""
    found = getattr(estimator, "calibration_", None)
    if not isinstance(found, Calibration):
        return ""
    return sentence("intervals", found.coverages, found.held, found.rows, " held out in training")
