"""Do the members of an ensemble, as a file has them, fit together?"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.estimators.labels import Labels
from thinnet.persistence.networks import check_noise


def finish_classifier(ensemble: Any) -> None:
    """ValueError where the members' classes are not those of the ensemble."""
    _finish(ensemble)
    of_all: list[Labels] = [member._labels for member in ensemble.estimators_]
    fits = all(
        labels.kind == of_all[0].kind and np.array_equal(labels.classes, ensemble.classes_)
        for labels in of_all
    )
    if not fits:
        raise ValueError("estimators_ must have the classes of their ensemble, got others")


def finish_regressor(ensemble: Any) -> None:
    """ValueError where the members' losses differ, or noise is no number above 0."""
    _finish(ensemble)
    check_noise(ensemble)
    losses = {member.loss for member in ensemble.estimators_}
    if len(losses) > 1:
        raise ValueError(f"estimators_ must have one loss, got {len(losses)}")


def _finish(ensemble: Any) -> None:
    """Members are checked for themselves when they are made."""
    shape = (ensemble.n_features_in_, ensemble.n_outputs_)
    for member in ensemble.estimators_:
        fits = type(member) is ensemble._kind and hasattr(member, "network_")
        if not fits or (member.n_features_in_, member.n_outputs_) != shape:
            raise ValueError(
                f"estimators_ must be fitted {ensemble._kind.__name__}s that take {shape[0]} "
                f"numbers and give {shape[1]}, got {member!r}"
            )
    if not ensemble.estimators_:
        raise ValueError("estimators_ must hold an estimator at least, got none")
