"""What outputs mean: every estimator hands out a head, and says nothing else than it."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError

from thinnet import (
    EnsembleClassifier,
    EnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    TableClassifier,
    TableRegressor,
)
from thinnet.uncertainty.draws.heads import ClassHead, NumberHead

MLP = {"hidden_layer_sizes": (4,), "dropout": 0.3, "max_iter": 2, "random_state": 0}
TABLE = {"hidden_layer_sizes": (4,), "n_networks": 2, "max_iter": 2, "random_state": 0}
ESTIMATORS = [
    MLPClassifier(**MLP),
    MLPRegressor(**MLP),
    MLPRegressor("poisson", **MLP),
    MLPRegressor("gaussian_nll", **MLP),
    MLPRegressor("quantile", **MLP),
    MLPRegressor("quantile", quantile=0.3, **MLP),
    EnsembleClassifier(MLPClassifier(**MLP), 2, random_state=0),
    EnsembleRegressor(MLPRegressor(**MLP), 2, random_state=0),
    TableClassifier(**TABLE),
    TableClassifier(class_weight={"few": 3, "many": 1}, **TABLE),
    TableClassifier(threshold_for="f1", **TABLE),
    TableRegressor(**TABLE),
    TableRegressor(loss="gaussian_nll", calibrated=False, **TABLE),
    TableRegressor(loss="quantile", **TABLE),
]
each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(40, 3))


@pytest.fixture
def fitted(estimator, rows):
    classes = np.where(rows[:, 0] > 0.7, "few", "many")
    counts = np.floor(np.exp(rows[:, 0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two epochs don't converge
        return estimator.fit(rows, classes if is_classifier(estimator) else counts)


def networks(estimator):
    return getattr(estimator, "networks_", None) or [estimator.network_]


def raw(estimator, rows):
    """What the networks say, shape (networks, rows, width)."""
    inputs = estimator.encoder_.lookups(rows) if hasattr(estimator, "encoder_") else rows
    given = inputs.astype(networks(estimator)[0].dtype)
    return np.stack([network.outputs(given) for network in networks(estimator)])


@pytest.mark.parametrize("estimator", [type(one)() for one in ESTIMATORS], ids=str)
def test_there_is_no_head_before_fit(estimator):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        _ = estimator.head_


@each
def test_a_head_is_of_classes_or_of_numbers_and_as_wide_as_the_networks(fitted):
    kind = ClassHead if is_classifier(fitted) else NumberHead
    assert isinstance(fitted.head_, kind)
    assert {network.out for network in networks(fitted)} == {(fitted.head_.width,)}


@each
def test_what_is_predicted_is_what_the_head_makes_of_raw_outputs(fitted, rows):
    head = fitted.head_
    mean = np.mean([head.predict(z).astype(float) for z in raw(fitted, rows)], axis=0)
    if is_classifier(fitted):
        assert_allclose(mean, fitted.predict_proba(rows), rtol=1e-5)
        assert_array_equal(head.guesses(fitted.predict_proba(rows)), fitted.predict(rows))
        assert_array_equal(head.classes[head.known(fitted.predict(rows))], fitted.predict(rows))
    else:
        assert_allclose(head.squeezed(head.units.back(mean)), fitted.predict(rows), rtol=1e-5)


def test_weighed_classes_have_the_probabilities_of_classes_that_were_not(rows):
    classes = np.where(rows[:, 0] > 0.7, "few", "many")
    model = TableClassifier(class_weight={"few": 3, "many": 1}, **TABLE).fit(rows, classes)
    (z, *_) = raw(model, rows).astype(float)
    odds = np.exp(z[:, 0] - z[:, 1]) / 3
    assert_allclose(model.head_.predict(z)[:, 0], odds / (1 + odds), rtol=1e-6)


def test_binary_probabilities_are_the_logistic_function_and_the_rest():
    z = np.array([[-2.0], [0.5]])
    p = special.expit(z[:, 0])
    found = ClassHead(np.array(["a", "b"]), "binary").predict(z)
    assert_allclose(found, np.stack([1 - p, p], axis=1))


def test_a_head_of_counts_has_poisson_mixtures():
    z = np.log([[[2.0]], [[4.0]]])  # two draws of one row
    found = NumberHead("poisson", 1).mixture(z).log_density(np.array([[3.0]]))
    assert_allclose(np.exp(found), stats.poisson.pmf(3, [2, 4]).mean())


def test_labels_that_were_not_learned_are_refused():
    head = ClassHead(np.array(["a", "b"]), "binary")
    with pytest.raises(ValueError, match="classes not in"):
        head.targets(np.array(["a", "c"]))
    with pytest.raises(ValueError, match="labels among"):
        head.known(["a", "c"])


@pytest.mark.parametrize(
    ("kind", "y", "message"),
    [("squared_error", [[1, 2]], "1 columns, got 2"), ("poisson", [1.5], "whole numbers")],
)
def test_numbers_other_than_those_learned_are_refused(kind, y, message):
    with pytest.raises(ValueError, match=message):
        NumberHead(kind, 1).known(y)
