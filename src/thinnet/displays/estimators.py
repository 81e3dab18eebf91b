"""What a picture of an estimator needs of it."""

from __future__ import annotations

from typing import Any

from thinnet import checks


def fitted(estimator: Any) -> Any:
    """The fitted estimator of thinnet, or the one at the end of a pipeline."""
    from sklearn.utils.validation import check_is_fitted

    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    ours = hasattr(last, "masks") and not isinstance(last, type)
    checks.must(ours, "estimator", "one of thinnet's", type(last).__name__)
    check_is_fitted(last)
    return last
