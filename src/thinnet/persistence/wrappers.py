"""Checks that the parts of an estimator made of others, from a file, fit together."""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet import checks
from thinnet.estimators.ensembles import check_members
from thinnet.persistence.networks import check_noise
from thinnet.uncertainty.temperature import COLDEST, HOTTEST


def finish_ensemble_classifier(ensemble: Any) -> None:
    """ValueError where the members' classes are not those of the ensemble."""
    check_members(ensemble)
    heads = [member.head_ for member in ensemble.estimators_]
    fits = all(
        head.kind == heads[0].kind and np.array_equal(head.classes, ensemble.classes_)
        for head in heads
    )
    if not fits:
        raise ValueError("estimators_ must have the classes of their ensemble, got others")


def finish_ensemble_regressor(ensemble: Any) -> None:
    """ValueError where the members' losses differ, or noise is no number above 0."""
    check_members(ensemble)
    check_noise(ensemble)
    losses = {(member.head_.kind, member.head_.levels) for member in ensemble.estimators_}
    if len(losses) > 1:
        raise ValueError(f"estimators_ must have one loss, got {len(losses)}")


def finish_sets(wrapper: Any) -> None:
    """ValueError if scores are not finite numbers, or classes not those of the classifier."""
    _check_classes(wrapper)
    _check_numbers("scores_", wrapper.scores_)


def finish_intervals(wrapper: Any) -> None:
    """ValueError if errors, or their standard deviations, are not finite numbers."""
    _check_numbers("errors_", wrapper.errors_)
    if wrapper.std_ is None:
        return
    _check_numbers("std_", wrapper.std_)
    fits = wrapper.std_.shape == wrapper.errors_.shape and (wrapper.std_ > 0).all()
    checks.must(fits, "std_", "a number > 0 for each error", wrapper.std_)


def finish_temperature(wrapper: Any) -> None:
    """ValueError where the temperature is out of its range."""
    _check_classes(wrapper)
    t = wrapper.temperature_
    near = 0.99 * COLDEST <= t <= 1.01 * HOTTEST
    checks.must(bool(near), "temperature_", f"in [{COLDEST}, {HOTTEST}]", t)


def _check_classes(wrapper: Any) -> None:
    known = getattr(wrapper.estimator, "classes_", ())
    same = np.array_equal(wrapper.classes_, known)
    checks.must(same, "classes_", "those of the estimator", wrapper.classes_)


def _check_numbers(name: str, values: Any) -> None:
    fits = values.dtype.kind == "f" and values.ndim == 1 and len(values) > 0
    checks.must(bool(fits and np.isfinite(values).all()), name, "finite numbers", values)
