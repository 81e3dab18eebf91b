"""What a fit prints, and when it ends, is what scikit-learn's does."""

import numpy as np
import pytest
import sklearn.neural_network as theirs

from thinnet import MLPClassifier

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)
SETTINGS = {
    "early stopping": {"early_stopping": True, "max_iter": 30, "n_iter_no_change": 3},
    "too small a gain": {"max_iter": 30, "tol": 0.5, "n_iter_no_change": 2},
    "a rate that is cut": {
        "solver": "sgd", "learning_rate": "adaptive", "tol": 0.5, "max_iter": 12,
        "n_iter_no_change": 2, "learning_rate_init": 0.001},
    "to the end": {"max_iter": 4, "tol": 0.0},
}  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_verbose_fit_prints_what_scikit_learns_prints(settings, capsys):
    printed = []
    for kind in (theirs.MLPClassifier, MLPClassifier):
        kind((4,), verbose=True, random_state=0, **settings).fit(X, Y)
        printed.append(capsys.readouterr().out)
    assert printed[1].splitlines() == printed[0].splitlines()
    assert "Iteration 1, loss = " in printed[1]


def test_a_verbose_lbfgs_prints_a_line_for_each_iteration(capsys):
    model = MLPClassifier((4,), solver="lbfgs", verbose=True, max_iter=5, random_state=0).fit(X, Y)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Iteration")]
    assert [line.split(",")[0] for line in lines] == [f"Iteration {i}" for i in range(1, 6)]
    losses = [float(line.rpartition("=")[2]) for line in lines]
    assert losses == sorted(losses, reverse=True)
    assert model.n_iter_ == 5
