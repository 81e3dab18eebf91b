"""Deep ensembles: members that differ, means over them, and error bars of the right size."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.estimator_checks import estimator_checks_generator

import thinnet
from thinnet import (
    EnsembleClassifier,
    EnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    derived_seed,
)
from thinnet.estimators.members import seeds, times_chosen
from thinnet.persistence import known

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NOISE = 0.3


def wave(rows, seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3, 3, (rows, 1))
    return X, np.sin(2 * X[:, 0]) + NOISE * rng.normal(size=rows)


X, Y = wave(600, 0)
FLOWERS = np.array(["ash", "birch", "cedar"])
PLACES = np.random.default_rng(1).integers(3, size=300)
PETALS = np.random.default_rng(2).normal(size=(300, 2)) + 2 * np.column_stack(
    [np.cos(2.1 * PLACES), np.sin(2.1 * PLACES)]
)
LABELS = FLOWERS[PLACES]
QUICK = {"hidden_layer_sizes": (20,), "learning_rate_init": 0.01, "max_iter": 30}


def numbers(n_networks=3, **settings):
    own = {name: settings.pop(name) for name in ("bootstrap", "n_jobs") if name in settings}
    settings = QUICK | settings
    return EnsembleRegressor(MLPRegressor(**settings), n_networks, random_state=0, **own)


def classes(n_networks=3, **settings):
    return EnsembleClassifier(MLPClassifier(**(QUICK | settings)), n_networks, random_state=0)


@pytest.fixture(scope="module")
def regressor():
    settings = {"hidden_layer_sizes": (50, 50), "learning_rate_init": 0.003, "max_iter": 200}
    return numbers(5, **settings).fit(X, Y, eval_set=wave(400, 9))


@pytest.fixture(scope="module")
def classifier():
    return classes(max_iter=100).fit(PETALS, LABELS)


# --- members -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::thinnet.UnusedMaskWarning")
def test_members_differ_in_first_weights_and_masks():
    settings = {"max_iter": 1, "learning_rate_init": 1e-300, "dropout": 0.5}
    model = numbers(4, **settings).fit(X, Y)
    thetas = np.stack([network.theta for network in model.networks_])
    assert len(np.unique(thetas[:, 0])) == 4
    masks = np.stack([member.masks(0, range(50))[1] for member in model.estimators_])
    assert len(np.unique(masks.reshape(4, -1), axis=0)) == 4
    assert len({network.seed for network in model.networks_}) == 4


def test_members_are_the_estimators_that_their_seeds_give(regressor):
    for i in (0, 3):
        member = regressor.estimators_[i]
        seed = derived_seed(0, i) % 2**32
        alone = clone(regressor.estimator).set_params(random_state=seed)
        alone.fit(X, Y, eval_set=wave(400, 9))
        assert_array_equal(alone.network_.theta, member.network_.theta)


@pytest.mark.parametrize("bootstrap", [False, True])
def test_the_number_of_jobs_makes_no_difference(bootstrap):
    fits = [
        numbers(dropout=0.1, bootstrap=bootstrap, n_jobs=n_jobs).fit(X, Y)
        for n_jobs in (None, 1, 2, -1)
    ]
    for other in fits[1:]:
        for mine, yours in zip(other.networks_, fits[0].networks_, strict=True):
            assert_array_equal(mine.theta, yours.theta)
        assert_array_equal(other.sample(X, 5), fits[0].sample(X, 5))
        assert_array_equal(other.noise_, fits[0].noise_)


def test_an_integer_gives_the_same_ensemble_each_time_and_none_another():
    first, again = (numbers().fit(X, Y).predict(X) for _ in range(2))
    assert_array_equal(first, again)
    others = [numbers().set_params(random_state=None).fit(X, Y).predict(X) for _ in range(2)]
    assert not np.array_equal(*others)


def test_a_random_state_that_is_drawn_from_gives_other_ensembles():
    stream = np.random.RandomState(3)
    model = numbers().set_params(random_state=stream)
    first, second = (model.fit(X, Y).networks_[0].theta.copy() for _ in range(2))
    assert not np.array_equal(first, second)


def test_a_progress_bar_makes_no_difference():
    shown = numbers(2).set_params(progress=True).fit(X, Y)
    assert_array_equal(shown.predict(X), numbers(2).fit(X, Y).predict(X))


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_as_many_rows_are_drawn_as_there_are(rows):
    drawn = np.array([times_chosen(each.rows, rows) for each in seeds(5, 200)])
    assert (drawn.sum(axis=1) == rows).all()
    if rows == 1000:  # each row is left out with the probability (1 - 1 / n)^n
        left = (drawn == 0).mean()
        assert abs(left - (1 - 1 / rows) ** rows) < 0.005


def test_a_row_that_comes_k_times_weighs_k():
    w = np.random.default_rng(0).uniform(1, 2, len(X))
    model = numbers(2, bootstrap=True, max_iter=5).fit(X, Y, sample_weight=w)
    for each, member in zip(seeds(0, 2), model.estimators_, strict=True):
        alone = clone(model.estimator).set_params(random_state=each.network)
        alone.fit(X, Y, sample_weight=w * times_chosen(each.rows, len(X)))
        assert_array_equal(alone.network_.theta, member.network_.theta)


# --- predictions ---------------------------------------------------------------------------------


def test_what_is_predicted_is_the_mean_of_the_members(regressor, classifier):
    by_hand = np.mean([member.predict(X) for member in regressor.estimators_], axis=0)
    assert_allclose(regressor.predict(X), by_hand, rtol=1e-14)
    shares = np.mean([m.predict_proba(PETALS) for m in classifier.estimators_], axis=0)
    assert_allclose(classifier.predict_proba(PETALS), shares, rtol=1e-14)
    assert_array_equal(classifier.predict(PETALS), FLOWERS[shares.argmax(axis=1)])
    assert_allclose(classifier.predict_log_proba(PETALS), np.log(shares))
    assert classifier.score(PETALS, LABELS) > 0.8


def test_without_dropout_the_members_are_the_draws(regressor, classifier):
    drawn = regressor.sample(X, 7)
    for d in range(7):
        assert_allclose(drawn[d, :, 0], regressor.estimators_[d % 5].predict(X), rtol=1e-6)
    found = regressor.uncertainty(X)
    assert (found.n_draws == 5).all()
    assert_allclose(found.mean, regressor.predict(X))
    assert_allclose(found.epistemic, drawn[:5, :, 0].std(axis=0), rtol=1e-6)
    results = classifier.uncertainty(PETALS)
    assert_allclose(results.probabilities, classifier.predict_proba(PETALS))
    assert_allclose(-classifier.log_likelihood(PETALS, LABELS).mean(),
                    log_loss(LABELS, results.probabilities))  # fmt: skip


def test_with_dropout_draws_take_turns_over_the_members():
    model = numbers(dropout=0.2).fit(X, Y)
    drawn = model.sample(X, 9)
    for i, member in enumerate(model.estimators_):
        assert_array_equal(drawn[i::3], member.sample(X, 3))


def test_error_bars_are_neither_too_wide_nor_too_narrow(regressor):
    new, y = wave(4000, 7)
    mean, std = regressor.predict(new, return_std=True)
    assert 0.9 < ((y - mean) / std).std() < 1.1
    for coverage in (0.5, 0.9):
        low, high = regressor.predict_interval(new, coverage).T
        assert coverage - 0.06 < ((y >= low) & (y <= high)).mean() < coverage + 0.06


def test_members_disagree_more_where_there_was_no_data(regressor, classifier):
    found = regressor.uncertainty(np.array([[0.0], [1.0], [7.0], [-8.0]]))
    assert found.epistemic[2:].min() > 3 * found.epistemic[:2].max()
    ring = 2 * np.column_stack([np.cos([0, 2.1, 4.2]), np.sin([0, 2.1, 4.2])])
    near = classifier.uncertainty(ring).mutual_information
    assert classifier.uncertainty(PETALS).mutual_information.max() > 3 * near.mean()


def test_noise_of_rows_that_were_left_out_is_larger_than_that_of_fitted_ones():
    """40 rows, which networks of 2,600 weights learn by heart."""
    settings = {"hidden_layer_sizes": (50, 50), "max_iter": 200, "n_iter_no_change": np.inf}
    settings |= {"n_threads": 1}
    few, y = wave(40, 3)
    fitted, left_out = (
        numbers(8, bootstrap=bootstrap, **settings).fit(few, y).noise_[0]
        for bootstrap in (False, True)
    )
    assert fitted < 0.85 * NOISE < left_out < 1.7 * NOISE


def test_noise_of_held_out_rows_is_the_noise(regressor):
    assert 0.85 * NOISE < regressor.noise_[0] < 1.15 * NOISE


def test_a_given_precision_is_the_noise():
    model = numbers(precision=25.0).fit(X, Y)
    assert_allclose(model.uncertainty(X[:3]).aleatoric, 0.2)


@pytest.mark.parametrize("loss", ["gaussian_nll", "poisson"])
def test_other_losses_know_their_noise(loss):
    counts = np.random.default_rng(0).poisson(np.exp(1 + X[:, 0] / 3))
    model = numbers(loss=loss, max_iter=200).fit(X, counts)
    assert not hasattr(model, "noise_")
    found = model.uncertainty(X)
    assert_allclose(model.predict(X), found.mean, rtol=1e-6)
    error = (counts - found.mean) / found.std
    assert 0.8 < error.std() < 1.2
    if loss == "poisson":
        assert_allclose(found.aleatoric**2, found.mean)


def test_several_outputs_keep_their_places():
    both = np.column_stack([Y, 10 * X[:, 0]])
    model = numbers(max_iter=100).fit(X, both)
    assert model.n_outputs_ == 2
    assert model.predict(X).shape == (600, 2)
    assert model.predict_interval(X).shape == (600, 2, 2)
    assert model.noise_.shape == (2,)
    assert model.score(X, both) > 0.6


@pytest.mark.parametrize("y", [PLACES > 0, np.column_stack([PLACES > 0, PLACES > 1]).astype(int)],
                         ids=["two", "several at once"])  # fmt: skip
def test_two_classes_and_several_labels_have_their_shapes(y):
    model = classes().fit(PETALS, y)
    assert model.predict(PETALS).shape == y.shape
    assert model.predict_proba(PETALS).shape == (300, 2)
    assert model.sample_proba(PETALS, 4).shape == (4, 300, 2)
    assert model.score(PETALS, y) > 0.6
    guesses = model.predict(PETALS, abstain=0.3)
    assert 0 < guesses.mask.mean() < 1


def test_one_network_alone_has_no_error_bars_unless_it_drops():
    alone = numbers(1).fit(X, Y)
    assert_array_equal(alone.predict(X), alone.estimators_[0].predict(X))
    with pytest.raises(ValueError, match="must have active dropout to draw from, or several"):
        alone.uncertainty(X)
    assert (numbers(1, dropout=0.1).fit(X, Y).uncertainty(X).epistemic > 0).all()


# --- scikit-learn --------------------------------------------------------------------------------


FEW_STEPS = {"hidden_layer_sizes": (16,), "max_iter": 5, "learning_rate_init": 0.05}


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        EnsembleRegressor(MLPRegressor(**FEW_STEPS), 2),
        EnsembleClassifier(MLPClassifier(**FEW_STEPS), 2),
        EnsembleClassifier(MLPClassifier(max_iter=20), 2, bootstrap=True, n_jobs=2),
    ],
    ids=["numbers", "classes", "drawn rows"],
)
def test_scikit_learns_own_checks_pass(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each, check in estimator_checks_generator(model):
            if model.bootstrap and "sample_weight_equivalence" in str(check):
                continue  # from other numbers of rows other rows are drawn
            try:
                check(each)
            except pytest.skip.Exception:
                continue
            except Exception as error:
                if type(error).__name__ != "SkipTest":
                    raise


def test_what_the_members_are_can_be_searched_for():
    search = GridSearchCV(classes(2), {"estimator__dropout": [0.0, 0.9]}, cv=2)
    search.fit(PETALS, LABELS)
    assert search.best_params_ == {"estimator__dropout": 0.0}
    pipe = make_pipeline(StandardScaler(), classes(2)).fit(PETALS, LABELS)
    assert pipe.score(PETALS, LABELS) > 0.7


def test_without_an_estimator_members_have_its_defaults():
    model = EnsembleRegressor(n_networks=2, random_state=0).fit(X[:50], Y[:50])
    expected = MLPRegressor().get_params() | {"random_state": derived_seed(0, 1) % 2**32}
    assert model.estimators_[1].get_params() == expected


def test_fitting_leaves_the_given_estimator_as_it_is():
    model = numbers(2)
    before = model.estimator.get_params()
    model.fit(X, Y)
    assert model.estimator.get_params() == before
    assert not hasattr(model.estimator, "network_")


def test_names_of_columns_are_kept_and_asked_for_once():
    table = pd.DataFrame(PETALS, columns=["length", "width"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = classes(2).fit(table, LABELS, eval_set=(table[:50], LABELS[:50]))
        model.predict(table)
    assert list(model.feature_names_in_) == ["length", "width"]
    with pytest.warns(UserWarning, match="does not have valid feature names") as caught:
        model.predict_proba(PETALS)
    assert len(caught) == 1


def test_sparse_rows_give_the_networks_of_dense_ones():
    thin = np.where(np.abs(PETALS) > 1, PETALS, 0.0)
    dense, rows = classes(2).fit(thin, LABELS), classes(2).fit(sparse.csr_matrix(thin), LABELS)
    assert_array_equal(rows.predict_proba(sparse.csc_array(thin)), dense.predict_proba(thin))


def test_weights_of_rows_reach_all_members():
    w = np.where(PLACES == 2, 0.0, 1.0)
    model = classes(2).fit(PETALS, LABELS, sample_weight=w)
    assert (model.predict(PETALS) == "cedar").mean() < 0.1


def drawn_by(model):
    return model.sample_proba if isinstance(model, EnsembleClassifier) else model.sample


@pytest.mark.parametrize("way", ["pickle", "file"])
@pytest.mark.parametrize("which", ["numbers", "dropout", "classes"])
def test_a_copy_draws_bit_by_bit_the_same(which, way, tmp_path, regressor, classifier):
    dropping = numbers(2, dropout=0.1, bootstrap=True).fit(X, Y)
    model = {"numbers": regressor, "dropout": dropping, "classes": classifier}[which]
    rows = PETALS if which == "classes" else X
    if way == "pickle":
        copy = pickle.loads(pickle.dumps(model))
    else:
        thinnet.save(model, tmp_path / "m.thinnet")
        copy = thinnet.load(tmp_path / "m.thinnet")
    assert_array_equal(drawn_by(copy)(rows, 6), drawn_by(model)(rows, 6))
    assert_array_equal(copy.predict(rows), model.predict(rows))
    assert set(vars(copy)) == set(vars(model))
    if which != "classes":
        assert_array_equal(copy.predict_interval(rows), model.predict_interval(rows))
    copy.networks_[0].theta[:] = 0
    assert not np.array_equal(copy.predict(rows), model.predict(rows))


def test_weights_assigned_to_a_member_count():
    model = numbers(2).fit(X, Y)
    for member in model.estimators_:
        member.coefs_ = [np.zeros_like(W) for W in member.coefs_]
        member.intercepts_ = [np.zeros(20), np.array([7.0])]
    assert_allclose(model.sample(X, 2), 7)


def test_an_unfitted_ensemble_is_not_saved(tmp_path):
    with pytest.raises(NotFittedError):
        thinnet.save(numbers(), tmp_path / "m.thinnet")


# --- refusals ------------------------------------------------------------------------------------

WRONG = {
    "kind": ({"estimator": SVR()}, "estimator must be None or an MLPRegressor, got SVR"),
    "class": ({"estimator": MLPRegressor}, "estimator must be None or an MLPRegressor, got"),
    "other": ({"estimator": MLPClassifier()}, "estimator must be None or an MLPRegressor, got"),
    "none": ({"n_networks": 0}, "n_networks must be an integer >= 1, got 0"),
    "jobs": ({"n_jobs": 0}, "n_jobs must be None or an integer other than 0, got 0"),
    "bootstrap": ({"bootstrap": 1}, "bootstrap must be True or False, got 1"),
    "progress": ({"progress": 3}, "progress must be None or True or False, got 3"),
    "checkpoint": ({"estimator__checkpoint": "x"}, "estimator must have checkpoint=None, .*'x'"),
    "dtype": ({"estimator__dtype": "int8"}, "dtype of estimator must be None or 'float32'"),
    "member": ({"estimator__dropout": 2}, r"dropout must be a number in \[0, 1\], got 2"),
    "seed": ({"random_state": -1}, "Seed must be between 0 and"),
}


@pytest.mark.parametrize(("settings", "message"), WRONG.values(), ids=WRONG)
def test_wrong_settings_are_refused_in_one_sentence(settings, message, untyped):
    with pytest.raises(ValueError, match=message):
        numbers(2).set_params(**settings).fit(X, Y)


@pytest.mark.parametrize(
    "call",
    [lambda m: m.predict(X), lambda m: drawn_by(m)(X), lambda m: m.uncertainty(X)],
    ids=["predict", "sample", "uncertainty"],
)
@pytest.mark.parametrize("make", [numbers, classes])
def test_nothing_can_be_asked_before_fit(make, call):
    with pytest.raises(NotFittedError):
        call(make())


def forged(model, change):
    """What a file makes of a model of which something has been changed."""
    change(model)
    way = known.way_of(type(model))
    return way.make(type(model), way.state_of(model))


def swap(model):
    model.estimators_[1] = classes(2).fit(PETALS, LABELS).estimators_[0]


FORGED = {
    "another kind": (swap, "must be fitted MLPRegressors"),
    "unfitted": (lambda m: m.estimators_.append(MLPRegressor()), "must be fitted MLPRegressors"),
    "nobody": (lambda m: m.estimators_.clear(), "must hold an estimator at least, got none"),
    "width": (lambda m: setattr(m, "n_features_in_", 2), "that take 2 numbers and give 1"),
    "noise": (lambda m: setattr(m, "noise_", np.array([0.0])), "noise_ must be a number > 0"),
    "loss": (lambda m: m.estimators_[0].set_params(loss="poisson"), "one loss, got 2"),
}


@pytest.mark.parametrize(("change", "message"), FORGED.values(), ids=FORGED)
def test_members_of_a_file_must_fit_together(change, message):
    with pytest.raises(ValueError, match=message):
        forged(numbers(2).fit(X, Y), change)


def test_members_of_a_file_must_have_the_classes_of_their_ensemble():
    def change(model):
        model.classes_ = model.classes_[::-1]

    with pytest.raises(ValueError, match="must have the classes of their ensemble"):
        forged(classes(2).fit(PETALS, LABELS), change)
