"""What training stops by: scikit-learn's metrics of what a network answers for rows held out."""

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn import metrics
from trying import given_few_or_many

from thinnet import EarlyStopping, TableClassifier, TableRegressor, load, save
from thinnet.tables import members, splitting
from thinnet.tables.eval_metrics import CLASSES, NUMBERS, SPELT, _area

ROWS = 200
QUICK = {"n_networks": 1, "max_iter": 3, "random_state": 0, "hidden_layer_sizes": (8,)}
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": RNG.normal(size=ROWS), "b": RNG.choice(list("xyz"), ROWS)})
SKEWED = np.exp(TABLE["a"].to_numpy() + 0.3 * RNG.normal(size=ROWS))
BOTH = np.c_[SKEWED, RNG.normal(size=ROWS)]
TWO = np.where(SKEWED > 1.5, "high", "low")
THREE = np.select([SKEWED > 1.5, SKEWED > 0.5], ["high", "middle"], "low")
WEIGHTS = RNG.integers(1, 4, ROWS)

OF_CLASSES = {
    "log_loss": lambda y, p, k, w: -metrics.log_loss(y, p, sample_weight=w),
    "accuracy": lambda y, p, k, w: metrics.accuracy_score(y, k, sample_weight=w),
    "balanced_accuracy": lambda y, p, k, w: metrics.balanced_accuracy_score(y, k, sample_weight=w),
    "brier": lambda y, p, k, w: -metrics.brier_score_loss(
        y, p[:, 1] if p.shape[1] == 2 else p, sample_weight=w
    ),
    "roc_auc": lambda y, p, k, w: metrics.roc_auc_score(
        y, p[:, 1] if p.shape[1] == 2 else p, multi_class="ovr", sample_weight=w
    ),
    "f1": lambda y, p, k, w: metrics.f1_score(
        y, k, sample_weight=w, zero_division=0.0,
        **({"pos_label": 0} if p.shape[1] == 2 else {"average": "macro"})
    ),
}  # fmt: skip
OF_NUMBERS = {
    "squared_error": lambda y, z, w: -metrics.mean_squared_error(y, z, sample_weight=w),
    "rmse": lambda y, z, w: -metrics.root_mean_squared_error(y, z, sample_weight=w),
    "absolute_error": lambda y, z, w: -metrics.mean_absolute_error(y, z, sample_weight=w),
    "r2": lambda y, z, w: metrics.r2_score(y, z, sample_weight=w),
}
weighed = pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighed"])


def rows_held_out(model, y):
    return next(splitting.splits(model, y, np.random.RandomState(0)))[1]


@weighed
@pytest.mark.parametrize("balanced", [None, "balanced"])
@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_scores_of_classes_are_scikit_learns(name, y, balanced, weights):
    settings = QUICK | {"max_iter": 1, "eval_metric": name, "class_weight": balanced}
    model = TableClassifier(**settings).fit(TABLE, y, sample_weight=weights)
    places = np.searchsorted(model.classes_, y)
    held = rows_held_out(model, places)
    p = model.predict_proba(TABLE.iloc[held])
    p /= p.sum(axis=1, keepdims=True)
    guessed = np.searchsorted(model.classes_, model.predict(TABLE.iloc[held]))
    w = None if weights is None else weights[held]
    (epoch,) = model.history_
    if name == "log_loss" and balanced is None:
        assert model.history_.score_name == "accuracy"
        found = -epoch.validation_loss
    else:
        assert model.history_.score_name == SPELT.get(name, name)
        found = epoch.validation_score
    assert found == pytest.approx(OF_CLASSES[name](places[held], p, guessed, w), rel=1e-5)


@weighed
@pytest.mark.parametrize("loss", ["squared_error", "gaussian_nll"])
@pytest.mark.parametrize("y", [SKEWED, BOTH], ids=["one", "two"])
@pytest.mark.parametrize("name", OF_NUMBERS)
def test_scores_of_numbers_are_scikit_learns_in_their_own_units(name, y, loss, weights):
    settings = QUICK | {"max_iter": 1, "eval_metric": name, "loss": loss}
    model = TableRegressor(**settings).fit(TABLE, y, sample_weight=weights)
    held = rows_held_out(model, y)
    w = None if weights is None else weights[held]
    expected = OF_NUMBERS[name](y[held], model.predict(TABLE.iloc[held]), w)
    assert model.history_.last.validation_score == pytest.approx(expected, rel=1e-5)
    assert model.history_.score_name == SPELT.get(name, name)


@given_few_or_many(
    50,
    500,
    st.lists(
        st.tuples(st.integers(0, 5), st.booleans(), st.integers(1, 4)), min_size=2, max_size=30
    ).filter(lambda rows: len({is_class for _, is_class, _ in rows}) == 2),
)
def test_ties_count_half_in_an_area(rows):
    p, y, w = (np.array(part) for part in zip(*rows, strict=True))
    expected = metrics.roc_auc_score(y, p, sample_weight=w)
    assert _area(p / 5, y, w.astype(float)) == pytest.approx(expected)


def test_each_metric_has_an_oracle():
    assert {"loss", *OF_CLASSES} == set(CLASSES)
    assert {"loss", *OF_NUMBERS} == set(NUMBERS)


@pytest.mark.parametrize("name", ["loss", "log_loss", "neg_log_loss"])
def test_the_log_loss_is_the_loss_bit_for_bit(name):
    model = TableClassifier(**QUICK).fit(TABLE, TWO)
    other = TableClassifier(**QUICK, eval_metric=name).fit(TABLE, TWO)
    assert_array_equal(model.predict_proba(TABLE), other.predict_proba(TABLE))


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "f1"])
def test_the_weights_of_the_best_epoch_by_the_metric_are_kept(name):
    settings = QUICK | {"max_iter": 80, "eval_metric": name, "n_iter_no_change": 3}
    model = TableClassifier(**settings).fit(TABLE, TWO)
    scores = model.history_["validation_score"]
    assert (
        model.history_.best_epoch == scores.argmax() != model.history_["validation_loss"].argmin()
    )
    held = rows_held_out(model, np.searchsorted(model.classes_, TWO))
    p = model.predict_proba(TABLE.iloc[held])
    k = (model.predict(TABLE.iloc[held]) == "low").astype(int)
    expected = OF_CLASSES[name]((TWO[held] == "low").astype(int), p, k, None)
    assert scores.max() == pytest.approx(expected, rel=1e-5)


def test_all_rows_are_learned_from_for_the_epochs_that_are_best_by_the_metric():
    settings = QUICK | {"n_networks": 3, "max_iter": 20, "learning_rate_init": 0.01}
    model = TableClassifier(**settings, eval_metric="accuracy").fit(TABLE, TWO)
    n = min(map(len, model.histories_))
    mean, loss = (
        np.mean([history[name][:n] for history in model.histories_], axis=0)
        for name in ("validation_score", "validation_loss")
    )
    assert mean.argmax() != loss.argmin()
    steps = -(-ROWS // 16)
    assert model.networks_[0].clock.step == (mean.argmax() + 1) * steps
    assert members.common_epochs(model.histories_, by_score=True) == mean.argmax() + 1


def test_f1_is_of_the_positive_class():
    names = ("high", "low")
    found = [
        TableClassifier(**QUICK, eval_metric="f1", positive_class=name).fit(TABLE, TWO).history_
        for name in names
    ]
    default = TableClassifier(**QUICK, eval_metric="f1").fit(TABLE, TWO).history_
    rarer = names[int((TWO == "low").sum() < ROWS / 2)]
    assert_array_equal(default["validation_score"], found[names.index(rarer)]["validation_score"])
    assert (found[0]["validation_score"] != found[1]["validation_score"]).any()
    with pytest.raises(ValueError, match="positive_class must be None without threshold_for or"):
        TableClassifier(**QUICK, positive_class="low").fit(TABLE, TWO)


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (TableClassifier(eval_metric="rmse"), TWO, "eval_metric must be one of 'loss', 'log_loss'"),
        (TableClassifier(eval_metric=3), TWO, "or scikit-learn's name for one of these, got 3"),
        (TableRegressor(eval_metric="f1"), SKEWED, "one of 'loss', 'squared_error', 'rmse'"),
    ],
)
def test_unknown_metrics_are_refused_by_a_list_of_those_known(model, y, message):
    with pytest.raises(ValueError, match=message):
        model.fit(TABLE, y)


def test_an_area_needs_two_classes_among_rows_held_out():
    y = np.where(np.arange(ROWS) < 150, TWO, "low")
    model = TableClassifier(**(QUICK | {"n_networks": 3, "eval_metric": "roc_auc"}))
    message = "eval_metric='roc_auc' must have two classes among the rows held out .* only 'low'"
    with pytest.raises(ValueError, match=message):
        model.fit(TABLE, y, time=np.arange(ROWS))


def test_the_metric_is_saved_and_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    TABLE.assign(y=TWO).to_csv("t.csv", index=False)
    fast = ("--networks", 2, "--epochs", 3, "--hidden", 8)
    code, output = thinnet_command(
        "fit", "t.csv", "--target", "y", "--eval-metric", "roc_auc", "--report", "r", *fast
    )
    assert code == 0, output
    assert load("t.thinnet").eval_metric == "roc_auc"
    assert "stopped by roc_auc of rows held out" in thinnet_command("show", "t.thinnet")[1]
    code, output = thinnet_command("fit", "t.csv", "--target", "y", "--eval-metric", "rmse", *fast)
    assert (code, "--eval-metric must be one of 'loss', 'log_loss'" in output) == (1, True), output
    code, output = thinnet_command("fit", "t.csv", "--target", "y", "--eval-metric", "nosuch")
    assert (code, "'r2', or scikit-learn's name" in output) == (2, True), output
    save(load("t.thinnet"), "again.thinnet")


@pytest.mark.parametrize("monitor", ["accuracy", None, 3, EarlyStopping])
def test_early_stopping_watches_a_loss_a_score_or_a_metric(monitor):
    with pytest.raises(ValueError, match="monitor must be 'loss' or 'score'"):
        EarlyStopping(monitor=monitor)
