"""Losses on raw outputs, value and gradient together."""

import numpy as np

from thinnet.arrays import TargetLike
from thinnet.losses.base import Loss
from thinnet.losses.classification import BinaryCrossEntropy, SoftmaxCrossEntropy
from thinnet.losses.quantiles import Pinball
from thinnet.losses.regression import AbsoluteError, GaussianNLL, Huber, Poisson, SquaredError

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "GaussianNLL",
    "Huber",
    "Loss",
    "Pinball",
    "Poisson",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "loss_for",
]


def loss_for(y: TargetLike) -> Loss:
    """Softmax cross-entropy for integer labels and one-hot rows, squared error for all else."""
    y = np.asarray(y)
    is_labels = y.ndim == 1 and y.dtype.kind in "iub"
    is_one_hot = y.ndim == 2 and y.shape[1] > 1 and set(np.unique(y)) == {0, 1}
    if is_labels or (is_one_hot and bool((y.sum(axis=1) == 1).all())):
        return SoftmaxCrossEntropy()
    return SquaredError()
