"""scikit-learn's multilayer perceptrons with dropout, alone and in ensembles."""

from thinnet.estimators.classifier import MLPClassifier
from thinnet.estimators.ensemble_classifier import EnsembleClassifier
from thinnet.estimators.ensemble_regressor import EnsembleRegressor
from thinnet.estimators.regressor import MLPRegressor

__all__ = ["EnsembleClassifier", "EnsembleRegressor", "MLPClassifier", "MLPRegressor"]
