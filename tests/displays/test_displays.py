"""Pictures of fitted estimators."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from thinnet import KeptUnits, LearningCurve, MLPClassifier, TableClassifier

X = np.random.default_rng(0).normal(size=(60, 5))
Y = (X[:, 0] > 0).astype(int)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def model():
    settings = {"dropout": 0.5, "early_stopping": True, "max_iter": 10, "random_state": 0}
    return MLPClassifier((12, 8), **settings).fit(X, Y)


def test_a_learning_curve_has_training_with_and_without_dropout_and_validation(model):
    shown = LearningCurve.from_estimator(model)
    labels = [line.get_label() for line in shown.axes_[0].lines]
    assert labels[:3] == ["training, dropout on", "training, dropout off", "validation"]
    drawn = shown.axes_[0].lines[2].get_ydata()
    np.testing.assert_array_equal(drawn, model.history_["validation_loss"])


def test_kept_units_are_those_of_masks(model):
    rows = model.rows(2)[:2]
    shown = KeptUnits.from_estimator(model, step=2, samples=rows)
    masks = model.masks(2, rows)
    assert len(shown.axes_) == 3
    for ax, kept in zip(shown.axes_, masks.values(), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), kept)


def test_pictures_go_on_axes_of_ones_own(model):
    figure, axes = plt.subplots(3)
    assert KeptUnits.from_estimator(model, axes=axes).figure_ is figure
    figure, axes = plt.subplots(1, 2)
    assert LearningCurve.from_estimator(model, axes=axes).figure_ is figure
    with pytest.raises(ValueError, match="axes must be 3, one a layer, got 2"):
        KeptUnits.from_estimator(model, axes=axes)


def test_the_last_step_of_a_pipeline_and_tables_will_do():
    pipe = make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=3)).fit(X, Y)
    LearningCurve.from_estimator(pipe)
    table = TableClassifier(max_iter=3, n_networks=2, random_state=0).fit(X, Y)
    LearningCurve.from_estimator(table)
    KeptUnits.from_estimator(table)


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(NotFittedError):
        LearningCurve.from_estimator(MLPClassifier())
    with pytest.raises(ValueError, match="estimator must be one of thinnet's"):
        LearningCurve.from_estimator(StandardScaler())
