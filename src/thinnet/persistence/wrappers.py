"""Do the parts of an estimator that wraps another, as a file has them, fit together?"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet import checks
from thinnet.uncertainty.temperature import COLDEST, HOTTEST


def finish_sets(wrapper: Any) -> None:
    """ValueError where scores are no finite numbers, or classes others than the classifier's."""
    _check_classes(wrapper)
    _check_numbers("scores_", wrapper.scores_)


def finish_intervals(wrapper: Any) -> None:
    """ValueError where errors, or their standard deviations, are no finite numbers."""
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
