"""Faults of estimators."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "alpha is not halved",
        "estimators/settings.py",
        "layers",
        "estimator.alpha / 2 * by",
        "estimator.alpha * by",
        ("estimators/test_estimators.py::test_without_dropout_a_classifier_is_scikit_learns",),
    ),
    Mutant(
        "a worse loss counts as an improvement",
        "estimators/convergence.py",
        "Convergence._watch_loss",
        "worse = loss > estimator.best_loss_ - estimator.tol",
        "worse = loss > estimator.best_loss_ + estimator.tol",
        ("estimators/test_estimators.py::test_without_dropout_a_classifier_is_scikit_learns",),
    ),
    Mutant(
        "convergence is judged with dropout's noise",
        "estimators/convergence.py",
        "Convergence._watched",
        "return self._reported(epoch.clean_loss) + epoch.penalty",
        "return float(self._estimator.loss_)",
        (
            "estimators/test_estimators.py::test_with_dropout_convergence_is_judged_without_its_noise",
        ),
    ),
    Mutant(
        "a fit that goes on forgets the epoch of its best weights",
        "training/state.py",
        "TrainingState.best_was",
        "self.best_epoch = epoch",
        "pass",
        (
            "estimators/test_estimators.py"
            "::test_a_fit_that_goes_on_knows_the_epoch_of_its_best_weights",
        ),
    ),
    Mutant(
        "an estimator that stops early keeps its last weights",
        "estimators/convergence.py",
        "Convergence._kept_if_best",
        "keep(epoch.epoch)",
        "pass",
        ("estimators/test_estimators.py::test_without_dropout_a_classifier_is_scikit_learns",),
    ),
]
