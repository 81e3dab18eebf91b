"""The fitted estimator behind a plot, and the steps before it in a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thinnet import checks
from thinnet.arrays import MatrixLike
from thinnet.uncertainty.draws.drawn import Drawn


def last_and_before(estimator: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The last step of a pipeline, and the steps before it; or the estimator itself."""
    if not hasattr(estimator, "steps"):
        return estimator, _as_it_is
    several = len(estimator.steps) > 1
    return estimator.steps[-1][1], estimator[:-1].transform if several else _as_it_is


def fitted(estimator: Any, needs: str = "uncertainty") -> Any:
    """A fitted estimator of thinnet, or a pipeline's last step, that has the attribute `needs`."""
    from sklearn.utils.validation import check_is_fitted

    last, _ = last_and_before(estimator)
    ours = isinstance(last, Drawn)
    checks.must(ours, "estimator", "one of thinnet's", type(last).__name__)
    check_is_fitted(last)
    checks.must(hasattr(last, needs), "estimator", f"one that has {needs}", type(last).__name__)
    return last


def _as_it_is(X: MatrixLike) -> Any:
    return X
