"""Do the members of an ensemble, as a file has them, fit together?"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.estimators.ensembles import check_members
from thinnet.persistence.networks import check_noise


def finish_classifier(ensemble: Any) -> None:
    """ValueError where the members' classes are not those of the ensemble."""
    check_members(ensemble)
    heads = [member.head_ for member in ensemble.estimators_]
    fits = all(
        head.kind == heads[0].kind and np.array_equal(head.classes, ensemble.classes_)
        for head in heads
    )
    if not fits:
        raise ValueError("estimators_ must have the classes of their ensemble, got others")


def finish_regressor(ensemble: Any) -> None:
    """ValueError where the members' losses differ, or noise is no number above 0."""
    check_members(ensemble)
    check_noise(ensemble)
    losses = {member.head_.kind for member in ensemble.estimators_}
    if len(losses) > 1:
        raise ValueError(f"estimators_ must have one loss, got {len(losses)}")
