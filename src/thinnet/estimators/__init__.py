"""scikit-learn's multilayer perceptrons with dropout."""

from thinnet.estimators.classifier import MLPClassifier
from thinnet.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
