"""Losses on raw outputs, value and gradient together."""

from typing import Any

import numpy as np

from thinnet.losses.base import Loss
from thinnet.losses.classification import BinaryCrossEntropy, SoftmaxCrossEntropy
from thinnet.losses.regression import AbsoluteError, GaussianNLL, Huber, Poisson, SquaredError

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "GaussianNLL",
    "Huber",
    "Loss",
    "Poisson",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "loss_for",
]


def loss_for(y: Any) -> Loss:
    """Softmax cross-entropy for integer labels, squared error for anything else."""
    y = np.asarray(y)
    return SoftmaxCrossEntropy() if y.ndim == 1 and y.dtype.kind in "iub" else SquaredError()
