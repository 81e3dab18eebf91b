"""scikit-learn's own tests of its MLP, with our classes in place of theirs."""

import importlib
import sys

import pytest
import sklearn.neural_network

import thinnet

pytestmark = pytest.mark.filterwarnings("default")  # they let some of scikit-learn's pass

READ_PRIVATE_NAMES = {
    "test_gradient",
    "test_n_iter_no_change",
    "test_n_iter_no_change_inf",
    "test_adaptive_learning_rate",
    "test_learning_rate_warmstart",
}


@pytest.fixture
def global_random_seed():
    return 42


def with_our_classes():
    """The module, imported while scikit-learn's two names mean our classes."""
    name = "sklearn.neural_network.tests.test_mlp"
    with pytest.MonkeyPatch.context() as patch:
        for which in ("MLPClassifier", "MLPRegressor"):
            patch.setattr(sklearn.neural_network, which, getattr(thinnet, which))
        patch.delitem(sys.modules, name, raising=False)
        found = importlib.import_module(name)
        patch.delitem(sys.modules, name)
    return found


theirs = {name: f for name, f in vars(with_our_classes()).items() if name.startswith("test_")}
globals().update({name: f for name, f in theirs.items() if name not in READ_PRIVATE_NAMES})


def test_there_are_tests():
    assert len(theirs) > 35
    assert set(theirs) >= READ_PRIVATE_NAMES
