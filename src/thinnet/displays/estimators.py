"""The fitted estimator behind a plot, and the steps before it in a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thinnet import checks
from thinnet.arrays import MatrixLike
from thinnet.uncertainty.draws.drawn import Drawn
from thinnet.uncertainty.draws.heads import ClassHead, NumberHead


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


def fitted_and_before(estimator: Any) -> tuple[Any, Callable[[Any], Any]]:
    """A fitted estimator, and the steps before it."""
    return fitted(estimator), last_and_before(estimator)[1]


def of_one_number(estimator: Any) -> None:
    head = estimator.head_
    one = isinstance(head, NumberHead) and head.n_outputs == 1
    checks.must(one, "estimator", "a regressor of one number", type(estimator).__name__)


def of_one_label(estimator: Any) -> None:
    head = estimator.head_
    one = isinstance(head, ClassHead) and not head.is_multilabel
    checks.must(one, "estimator", "a classifier of one label a row", type(estimator).__name__)


def _as_it_is(X: MatrixLike) -> Any:
    return X
