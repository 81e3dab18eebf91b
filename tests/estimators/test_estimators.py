"""MLPClassifier and MLPRegressor: scikit-learn's numbers without dropout, and what dropout adds."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn.neural_network as theirs
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from thinnet import MLPClassifier, MLPRegressor, Run, train
from thinnet.estimators.activations import ACTIVATIONS
from thinnet.estimators.settings import STOCHASTIC

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS, LABELS = DIGITS[:400] / 16, LABELS[:400]
BODIES, DISEASE = load_diabetes(return_X_y=True)
BODIES, DISEASE = BODIES[:200] * 20, (DISEASE[:200] - 150) / 75
SEVERAL = make_multilabel_classification(n_samples=150, random_state=0)

CLASSIFIERS = {
    "defaults": {},
    "tanh": {"activation": "tanh", "alpha": 1.0},
    "logistic": {"activation": "logistic", "batch_size": 50},
    "two layers": {"hidden_layer_sizes": (20, 10), "activation": "identity"},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.01},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "max_iter": 60},
    "early stopping": {"early_stopping": True, "max_iter": 100},
    "in order": {"shuffle": False},
    "lbfgs": {"solver": "lbfgs"},
}
REGRESSORS = {
    "defaults": {},
    "poisson": {"loss": "poisson"},
    "lbfgs": {"solver": "lbfgs", "max_iter": 15},
    "poisson lbfgs": {"loss": "poisson", "solver": "lbfgs", "max_iter": 15},
}


def both(name, X, y, **settings):
    settings = {"max_iter": 20, "random_state": 3, "hidden_layer_sizes": (30,)} | settings
    module = {"theirs": getattr(theirs, name), "ours": globals()[name]}
    return [module[whose](**settings).fit(X, y) for whose in ("theirs", "ours")]


def assert_same_network(a, b, rtol=1e-7, atol=1e-10):
    for mine, yours in zip([*b.coefs_, *b.intercepts_], [*a.coefs_, *a.intercepts_], strict=True):
        assert_allclose(mine, yours, rtol=rtol, atol=atol)


@pytest.mark.parametrize("settings", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_without_dropout_a_classifier_is_scikit_learns(settings):
    a, b = both("MLPClassifier", DIGITS, LABELS, **settings)
    assert_same_network(a, b)
    assert b.n_iter_ == a.n_iter_
    assert b.t_ == a.t_
    assert_array_equal(b.predict(DIGITS), a.predict(DIGITS))
    assert_allclose(b.predict_proba(DIGITS), a.predict_proba(DIGITS), atol=1e-9)
    if "loss_curve_" in vars(a):
        # scikit-learn adds up the penalty of every step; ours is as if it changed evenly.
        assert_allclose(b.loss_curve_, a.loss_curve_, rtol=1e-3)
    if settings.get("early_stopping"):
        assert_allclose(b.validation_scores_, a.validation_scores_, atol=1e-12)
        assert b.best_validation_score_ == pytest.approx(a.best_validation_score_)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("settings", REGRESSORS.values(), ids=REGRESSORS)
def test_without_dropout_a_regressor_is_scikit_learns(settings, outputs):
    y = np.abs(DISEASE) if "loss" in settings else DISEASE
    y = y if outputs == 1 else np.c_[y, y**2]
    a, b = both("MLPRegressor", BODIES, y, **settings)
    assert_same_network(a, b, rtol=1e-6)
    assert_allclose(b.predict(BODIES), a.predict(BODIES), rtol=1e-6, atol=1e-9)
    if not (outputs == 2 and settings.get("solver") == "lbfgs"):  # its value is of another scale
        assert b.loss_ == pytest.approx(a.loss_, rel=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_early_stopping_of_few_classes_is_scikit_learns(n_classes):
    rows = n_classes > LABELS
    a, b = both("MLPClassifier", DIGITS[rows], LABELS[rows], early_stopping=True, max_iter=50)
    assert_same_network(a, b)


def test_several_labels_at_once_are_scikit_learns():
    a, b = both("MLPClassifier", *SEVERAL)
    assert_same_network(a, b)
    assert_array_equal(b.predict(SEVERAL[0]), a.predict(SEVERAL[0]))


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_rows_give_the_network_of_dense_ones(kind):
    dense = MLPClassifier((20,), max_iter=5, random_state=0).fit(DIGITS, LABELS)
    thin = MLPClassifier((20,), max_iter=5, random_state=0).fit(kind(DIGITS), LABELS)
    assert_array_equal(thin.network_.theta, dense.network_.theta)
    assert_array_equal(thin.predict(kind(DIGITS)), dense.predict(DIGITS))


def test_sample_weights_are_scikit_learns():
    w = np.random.default_rng(0).uniform(0.1, 3, len(LABELS))
    models = [
        which((20,), max_iter=10, random_state=0, batch_size=64, alpha=0.1)
        for which in (theirs.MLPClassifier, MLPClassifier)
    ]
    assert_same_network(*(model.fit(DIGITS, LABELS, sample_weight=w) for model in models))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_partial_fit_goes_on_as_scikit_learns_does(solver):
    models = [
        which((20,), solver=solver, learning_rate="invscaling", random_state=0)
        for which in (theirs.MLPClassifier, MLPClassifier)
    ]
    for model in models:
        for start in (0, 100, 200):
            rows = slice(start, start + 100)
            model.partial_fit(DIGITS[rows], LABELS[rows], classes=range(10))
    assert_same_network(*models)


def test_warm_starts_go_on_as_scikit_learns_do():
    models = [
        which((20,), max_iter=5, warm_start=True, random_state=0)
        for which in (theirs.MLPClassifier, MLPClassifier)
    ]
    for model in models:
        model.fit(DIGITS, LABELS).fit(DIGITS, LABELS)
    assert_same_network(*models)
    assert len(models[1].loss_curve_) == 10


@pytest.mark.parametrize("which", [MLPClassifier, MLPRegressor])
def test_scikit_learns_own_checks_pass(which):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model, check in estimator_checks_generator(which(max_iter=5, learning_rate_init=0.03)):
            try:
                check(model)
            except pytest.skip.Exception:
                continue
            except Exception as error:
                if type(error).__name__ != "SkipTest":
                    raise


FAST = {"hidden_layer_sizes": (32,), "random_state": 0, "max_iter": 8}


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_solver_and_activation_learns(solver, activation):
    rate = {"sgd": 0.05, "adagrad": 0.05}.get(solver, 0.005)
    model = MLPClassifier(
        (32,), activation, solver=solver, learning_rate_init=rate, max_iter=15, random_state=0
    )
    model.fit(DIGITS, LABELS)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert np.isfinite(model.network_.theta).all()


def test_dropout_drops_the_units_that_masks_says():
    model = MLPClassifier(**FAST, dropout=0.5, input_dropout=0.2).fit(DIGITS, LABELS)
    kept = model.masks(step=5, samples=model.rows(5)[:2])
    assert kept[0].shape == (2, 64)
    assert kept[1].shape == (2, 32)
    assert 0.3 < model.masks(5, model.rows(5))[1].mean() < 0.7
    shared = MLPClassifier(**FAST, dropout=0.5, dropout_share="batch").fit(DIGITS, LABELS)
    assert shared.masks(5, share="batch")[1].shape == (1, 32)


def test_with_dropout_the_history_has_the_score_without_it_beside():
    plain = MLPClassifier(**FAST).fit(DIGITS, LABELS)
    noisy = MLPClassifier(**FAST, dropout=0.5).fit(DIGITS, LABELS)
    assert np.isnan(plain.history_["clean_score"]).all()
    assert noisy.history_.last.clean_score > noisy.history_.last.score


def test_with_dropout_convergence_is_judged_without_its_noise():
    model = MLPClassifier((64,), dropout=0.5, max_iter=300, random_state=0).fit(
        BODIES > 0, LABELS[:200]
    )
    watched = model.history_["clean_loss"] + model.history_["penalty"]
    assert model.best_loss_ == pytest.approx(watched.min())


def test_the_fit_is_the_same_each_time_and_with_any_number_of_threads():
    fits = [
        MLPClassifier(**FAST, dropout=0.3, n_threads=n).fit(DIGITS, LABELS) for n in (1, 2, None)
    ]
    for other in fits[1:]:
        assert_array_equal(other.network_.theta, fits[0].network_.theta)
        assert_array_equal(other.predict_proba(DIGITS), fits[0].predict_proba(DIGITS))


def test_predictions_do_not_depend_on_the_rows_beside_them():
    model = MLPClassifier(**FAST).fit(DIGITS, LABELS)
    together = model.predict_proba(DIGITS)
    order = np.random.default_rng(0).permutation(len(DIGITS))
    assert_array_equal(model.predict_proba(DIGITS[order]), together[order])
    assert_array_equal(np.vstack([model.predict_proba(row[None]) for row in DIGITS[:9]]),
                       together[:9])  # fmt: skip


def test_an_evaluation_set_is_measured_and_watched():
    train_part, held = slice(0, 300), slice(300, 400)
    pair = (DIGITS[held], LABELS[held])
    measured = MLPClassifier(**FAST).fit(DIGITS[train_part], LABELS[train_part], eval_set=pair)
    score = measured.history_.last.validation_score
    assert score == pytest.approx(measured.score(*pair))
    watched = MLPClassifier(**(FAST | {"max_iter": 200}), early_stopping=True)
    watched.fit(DIGITS[train_part], LABELS[train_part], eval_set=[pair])
    assert watched.t_ == 300 * watched.n_iter_  # nothing else is held out
    assert watched.score(*pair) == pytest.approx(max(watched.validation_scores_))


def test_class_weights_multiply_sample_weights():
    y = (LABELS == 3).astype(int)
    weights = np.where(y == 1, 5.0, 1.0)
    a = MLPClassifier(**FAST, class_weight={0: 1, 1: 5}).fit(DIGITS, y)
    b = MLPClassifier(**FAST).fit(DIGITS, y, sample_weight=weights)
    assert_array_equal(a.network_.theta, b.network_.theta)
    balanced = MLPClassifier(**FAST, class_weight="balanced").fit(DIGITS, y)
    plain = MLPClassifier(**FAST).fit(DIGITS, y)
    assert balanced.predict(DIGITS).mean() > plain.predict(DIGITS).mean()


def test_weights_can_be_read_written_into_and_assigned():
    model = MLPRegressor(**FAST).fit(BODIES, DISEASE)
    assert [W.shape for W in model.coefs_] == [(10, 32), (32, 1)]
    model.coefs_[1][:] = 0
    model.intercepts_ = [model.intercepts_[0], np.array([7.0])]
    assert_array_equal(model.predict(BODIES), np.full(200, 7.0))
    model.coefs_[0] = np.zeros((3, 3))
    with pytest.raises(ValueError, match=r"coefs_\[0\] must be of shape \(10, 32\), got"):
        model.predict(BODIES)


@pytest.mark.parametrize("copy", [lambda m: pickle.loads(pickle.dumps(m)), lambda m: m])
def test_a_copy_goes_on_as_the_original_would(copy):
    model = MLPClassifier(**FAST, dropout=0.2).fit(DIGITS, LABELS)
    other = copy(pickle.loads(pickle.dumps(model)))
    for each in (model, other):
        each.partial_fit(DIGITS, LABELS)
    assert_array_equal(other.network_.theta, model.network_.theta)
    other.network_.theta[:] = 0
    assert not other.coefs_[0].any()


def test_an_interrupted_fit_goes_on_from_its_checkpoint(tmp_path):
    class Stop:
        def on_epoch_end(self, training):
            return "enough" if training.epoch == 3 else None

    settings = FAST | {"dropout": 0.3, "early_stopping": True, "max_iter": 12}
    whole = MLPClassifier(**settings).fit(DIGITS, LABELS)
    path = tmp_path / "fit.checkpoint"
    MLPClassifier(**settings, checkpoint=path, callbacks=[Stop()]).fit(DIGITS, LABELS)
    resumed = MLPClassifier(**settings, checkpoint=path).fit(DIGITS, LABELS)
    assert_array_equal(resumed.network_.theta, whole.network_.theta)
    assert resumed.loss_curve_ == whole.loss_curve_
    assert resumed.validation_scores_ == whole.validation_scores_


@pytest.mark.parametrize("epoch", [1, 4, 9])
def test_a_fit_that_goes_on_knows_the_epoch_of_its_best_weights(epoch, tmp_path):
    class Stop:
        def on_epoch_end(self, training):
            return "enough" if training.epoch == epoch else None

    noise = np.arange(len(LABELS)) * 7 % 5
    settings = FAST | {"early_stopping": True, "max_iter": 30, "n_iter_no_change": 9}
    whole = MLPClassifier(**settings).fit(DIGITS, noise)
    assert 1 <= whole.history_.best_epoch < 8
    path = tmp_path / "fit.checkpoint"
    MLPClassifier(**settings, checkpoint=path, callbacks=[Stop()]).fit(DIGITS, noise)
    resumed = MLPClassifier(**settings, checkpoint=path).fit(DIGITS, noise)
    assert resumed.history_.best_epoch == whole.history_.best_epoch
    assert_array_equal(resumed.network_.theta, whole.network_.theta)


def test_l1_and_alpha_share_one_convention():
    lots = MLPClassifier(**FAST, l1=2.0).fit(DIGITS, LABELS)
    none = MLPClassifier(**FAST, l1=0.0).fit(DIGITS, LABELS)
    assert np.abs(lots.coefs_[0]).sum() < np.abs(none.coefs_[0]).sum()
    penalty = sum(2.0 * np.abs(W).sum() for W in lots.coefs_)
    penalty += sum(5e-5 * np.square(W).sum() for W in lots.coefs_)
    assert lots.history_.last.penalty == pytest.approx(penalty * 2 / 400)  # 2 steps, 400 rows


def test_max_norm_holds():
    model = MLPClassifier(**FAST, max_norm=0.5, learning_rate_init=0.05).fit(DIGITS, LABELS)
    assert np.linalg.norm(model.coefs_[0], axis=0).max() <= 0.5 * (1 + 1e-6)


def test_batch_norm_with_dropout_before_it_warns_once():
    model = MLPClassifier((16, 16), dropout=0.2, batch_norm=True, max_iter=3, random_state=0)
    with pytest.warns(UserWarning, match="dropout stands upstream of BatchNorm") as caught:
        model.fit(DIGITS, LABELS)
    assert len([w for w in caught if "BatchNorm" in str(w.message)]) == 1
    last = MLPClassifier((16, 16), dropout=(0, 0.2), batch_norm=True, max_iter=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        last.fit(DIGITS, LABELS)


MUCH = {"max_iter": 40, "learning_rate_init": 0.01}


def test_it_works_where_scikit_learns_would():
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**(FAST | MUCH), dropout=0.1))
    assert cross_val_score(pipe, DIGITS, LABELS, cv=2).mean() > 0.8
    search = GridSearchCV(pipe, {"mlpclassifier__dropout": [0.0, 0.5]}, cv=2).fit(DIGITS, LABELS)
    assert search.best_score_ > 0.8
    calibrated = CalibratedClassifierCV(MLPClassifier(**FAST), cv=2).fit(DIGITS, LABELS)
    assert_allclose(calibrated.predict_proba(DIGITS).sum(axis=1), 1)
    assert clone(pipe).get_params()["mlpclassifier__dropout"] == 0.1
    assert "MLPClassifier" in pipe._repr_html_()


def test_weights_can_be_routed():
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(**FAST).set_fit_request(sample_weight=True)
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        pipe.fit(DIGITS, LABELS, sample_weight=np.ones(len(LABELS)))


WRONG = {
    "dropout": ({"dropout": 1.5}, r"dropout must be a number in \[0, 1\], got 1.5"),
    "rates": ({"dropout": [0.1, 0.2]}, "one for each of the 1 hidden layers, got 2"),
    "activation": ({"activation": "swish"}, "activation must be 'identity' or"),
    "solver": ({"solver": "lion"}, "solver must be 'lbfgs' or 'sgd' or 'adam'"),
    "lbfgs": ({"solver": "lbfgs", "dropout": 0.1}, "'sgd' or 'adam'.* with dropout"),
    "lbfgs l1": ({"solver": "lbfgs", "l1": 0.1}, "'sgd' or 'adam'.* with l1"),
    "widths": ({"hidden_layer_sizes": (10, 0)}, "hidden_layer_sizes must be > 0"),
    "alpha": ({"alpha": -1}, "alpha must be a finite number >= 0, got -1"),
    "share": ({"dropout_share": "all"}, "dropout_share must be None or 'batch'"),
    "dtype": ({"dtype": "int8"}, "dtype must be None or 'float32' or 'float64'"),
    "callbacks": ({"callbacks": [1]}, "each of callbacks must be an object with on_step_end"),
    "threads": ({"n_threads": 0}, "n_threads must be an integer >= 1"),
    "checkpoint": ({"checkpoint": "x", "warm_start": True}, "checkpoint must be None with warm"),
    "eval_set": ({}, "eval_set must be a pair"),
}


@pytest.mark.parametrize(("settings", "message"), WRONG.values(), ids=WRONG)
def test_wrong_settings_are_refused_in_one_sentence(settings, message):
    eval_set = 3 if message.startswith("eval_set") else None
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**settings).fit(DIGITS, LABELS, eval_set=eval_set)


def test_divergence_is_reported_with_its_epoch_and_step():
    wild = MLPRegressor(solver="sgd", learning_rate_init=1e3, activation="identity", random_state=0)
    with pytest.raises(ValueError, match=r"non-finite.*epoch \d+, step \d+"):
        wild.fit(BODIES, DISEASE)
    with pytest.warns(ConvergenceWarning, match=r"diverged in epoch \d+, step \d+"):
        wild.set_params(early_stopping=True).fit(BODIES, DISEASE)
    assert np.isfinite(wild.network_.theta).all()


def test_nothing_can_be_asked_before_fit():
    for call in (lambda m: m.predict(DIGITS), lambda m: m.masks(0, [0])):
        with pytest.raises(NotFittedError):
            call(MLPClassifier())


def test_the_network_is_an_ordinary_one():
    model = MLPClassifier(**FAST, dropout=0.5).fit(DIGITS, LABELS)
    outputs, _ = model.network_.forward(DIGITS[:3], Run.predict())
    assert_allclose(model.network_.outputs(DIGITS[:3]), outputs, rtol=1e-9)
    train(model.network_, DIGITS, LABELS, epochs=1)
