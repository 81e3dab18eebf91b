"""Error bars of estimators: reproducible draws, parts that add up, spreads of the right size."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import log_loss
from waves import NOISE, wave

import thinnet
from thinnet import (
    EnsembleClassifier,
    EnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    TableClassifier,
    TableRegressor,
)
from thinnet.uncertainty.draws.drawing import Drawer, How


@pytest.fixture(scope="module")
def regressor():
    X, y = wave(1000, 0)
    model = MLPRegressor(
        hidden_layer_sizes=(50, 50), dropout=0.05, early_stopping=True, max_iter=300,
        n_iter_no_change=30, random_state=0,
    )  # fmt: skip
    return model.fit(X, y)


@pytest.fixture(scope="module")
def classes():
    rng = np.random.default_rng(1)
    y = rng.integers(3, size=600)
    turns = 2.1 * y
    X = rng.normal(size=(600, 2)) + 1.5 * np.column_stack([np.cos(turns), np.sin(turns)])
    return X, np.array(["ash", "birch", "cedar"])[y]


@pytest.fixture(scope="module")
def classifier(classes):
    return MLPClassifier((32,), dropout=0.3, max_iter=500, random_state=0).fit(*classes)


@pytest.fixture(scope="module")
def table():
    X, y = wave(400, 2)
    return pd.DataFrame({"x": X[:, 0], "kind": ["u", "v"] * 200}), np.exp(2 * y)


@pytest.fixture(scope="module")
def tables(table):
    return TableRegressor(random_state=0, max_iter=30).fit(*table)


def test_draw_17_is_the_same_alone(regressor):
    X, _ = wave(30, 3)
    assert_array_equal(regressor.sample(X, 1, first=17)[0], regressor.sample(X, 20)[17])


def test_draws_are_those_of_their_seed(classifier, classes):
    X, _ = classes
    nine = classifier.sample_proba(X, 5, seed=9)
    assert_array_equal(nine, classifier.sample_proba(X, 5, seed=9))
    assert not np.array_equal(nine, classifier.sample_proba(X, 5, seed=8))
    own = classifier.network_.seed
    assert_array_equal(classifier.sample_proba(X, 5, seed=own), classifier.sample_proba(X, 5))


def test_a_seed_draws_the_masks_of_keep_mask(rng):
    network = thinnet.Network([thinnet.Dropout(0.5)], features=6, seed=1)
    drawn = network.sample(np.ones((2, 6)), 3, seed=77, share=None, samples=[4, 5])
    for draw in range(3):
        for row, sample in enumerate([4, 5]):
            kept = thinnet.keep_mask(
                seed=77, purpose="predict", layer=0, step=draw, samples=[sample], units=6, rate=0.5
            )
            assert_array_equal(drawn[draw, row] > 0, kept[0])


def test_draws_survive_saving_and_any_number_of_threads(regressor, tmp_path):
    X, _ = wave(500, 4)
    thinnet.save(regressor, tmp_path / "m.thinnet")
    loaded = thinnet.load(tmp_path / "m.thinnet").set_params(n_threads=2)
    assert_array_equal(loaded.sample(X, 7), regressor.sample(X, 7))
    assert_array_equal(loaded.predict_interval(X), regressor.predict_interval(X))


def test_sampling_leaves_batch_norm_bit_by_bit_as_it_was(classes):
    X, y = classes
    model = MLPClassifier((20,), dropout=0.2, batch_norm=True, max_iter=300, random_state=0)
    state = model.fit(X, y).network_.state.copy()
    model.uncertainty(X, 20)
    assert len(state) > 0
    assert_array_equal(model.network_.state, state)


def test_a_model_without_dropout_has_no_draws(classes):
    model = MLPClassifier((5,), max_iter=500, random_state=0).fit(*classes)
    for call in (model.sample_proba, model.uncertainty, lambda X: model.predict(X, abstain=0.1)):
        with pytest.raises(ValueError, match="must have active dropout"):
            call(classes[0])


def test_networks_without_dropout_are_draws_of_an_ensemble():
    chain = [thinnet.Dense(4), thinnet.ReLU(), thinnet.Dense(1)]
    networks = [thinnet.Network(chain, 3, seed=seed) for seed in (1, 2, 3)]
    X = np.random.default_rng(0).normal(size=(5, 3))
    drawn = Drawer(networks, X).sample(How(7))
    for d in range(7):
        assert_array_equal(drawn[d], networks[d % 3].outputs(X))
    same = Drawer([networks[0], networks[0]], X).sample(How(6))
    assert (np.ptp(same, axis=0) == 0).all()


def test_draws_of_several_networks_take_turns(tables, table):
    X, _ = table
    drawn = tables.sample(X, 12)
    encoded = tables.encoder_.lookups(X)
    alone = tables.networks_[2].sample(encoded, 3)
    means = tables.head_.mixture(alone).means()
    assert_array_equal(drawn[2::5], means[:2])
    assert_array_equal(tables.sample(X, 3, first=6), drawn[6:9])


@settings(deadline=None, max_examples=15)
@given(n_draws=st.integers(2, 40), seed=st.integers(0, 2**64 - 1))
def test_the_parts_add_up(regressor, classifier, classes, n_draws, seed):
    X, _ = wave(20, 5)
    found = regressor.uncertainty(X, n_draws, seed=seed)
    assert_allclose(found.std**2, found.epistemic**2 + found.aleatoric**2)
    assert_allclose(found.mean, regressor.sample(X, n_draws, seed=seed).mean(axis=0)[:, 0])
    results = classifier.uncertainty(classes[0][:20], n_draws, seed=seed)
    total = results.expected_entropy + results.mutual_information
    assert_allclose(results.predictive_entropy, total, atol=1e-12)
    assert (results.mutual_information >= 0).all()
    assert (results.predictive_entropy <= np.log(3) + 1e-12).all()
    assert_allclose(results.probabilities.sum(axis=1), 1)


def test_the_mean_over_draws_of_a_linear_network_is_the_deterministic_pass():
    X, y = wave(200, 6)
    model = MLPRegressor(hidden_layer_sizes=(20,), activation="identity", dropout=0.5,
                         max_iter=500, random_state=0).fit(X, y)  # fmt: skip
    found = model.uncertainty(X, 4000)
    assert (np.abs(found.mean - model.predict(X)) < 5 * found.standard_error + 1e-6).all()


def test_error_bars_are_neither_too_wide_nor_too_narrow(regressor):
    X, y = wave(4000, 7)
    mean, std = regressor.predict(X, return_std=True)
    assert 0.9 < ((y - mean) / std).std() < 1.1
    assert 0.8 * NOISE < regressor.noise_[0] < 1.1 * NOISE
    for coverage in (0.5, 0.9):
        low, high = regressor.predict_interval(X, coverage).T
        assert coverage - 0.05 < ((y >= low) & (y <= high)).mean() < coverage + 0.05
    truth = NOISE * np.sqrt(2 * np.pi * np.e)
    assert regressor.log_likelihood(X, y).mean() > -np.log(truth) - 0.1


def test_where_there_was_no_data_draws_disagree_more(regressor):
    found = regressor.uncertainty(np.array([[0.0], [1.0], [8.0], [-9.0]]))
    assert found.epistemic[2:].min() > 2 * found.epistemic[:2].max()


def test_a_seed_gives_several_networks_masks_of_their_own():
    chain = [thinnet.Dropout(0.5), thinnet.Dense(1)]
    networks = [thinnet.Network(chain, 8, seed=5) for _ in range(2)]
    drawer = Drawer(networks, np.ones((1, 8)))
    drawn = drawer.sample(How(8, seed=3))
    assert not np.array_equal(drawn[::2], drawn[1::2])
    alone = networks[1].sample(np.ones((1, 8)), 4, seed=thinnet.derived_seed(3, 1))
    assert_array_equal(drawn[1::2], alone)


def test_fixed_masks_are_as_many_draws_as_there_are():
    X, y = wave(200, 18)
    settings = {"learning_rate_init": 0.01, "max_iter": 1000, "random_state": 0}
    model = MLPRegressor(dropout=0.3, dropout_kind="fixed", n_masks=3, precision=1.0, **settings)
    model.fit(X, y)
    found = model.uncertainty(X[:5], 100, tolerance=1e-9)
    assert (found.n_draws == 3).all()
    assert_allclose(found.mean, model.sample(X[:5], 3).mean(axis=0)[:, 0])


def test_a_given_precision_is_the_noise(classes):
    X, y = wave(100, 9)
    model = MLPRegressor(precision=25.0, dropout=0.1, max_iter=1000, random_state=0).fit(X, y)
    assert_allclose(model.uncertainty(X[:3]).aleatoric, 0.2)


def test_targets_keep_their_own_units_through_a_logarithm(tables, table):
    X, y = table
    assert tables.target_scale_.unit[0] > 0
    low, high = tables.predict_interval(X, 0.8).T
    assert 0.7 < ((y >= low) & (y <= high)).mean() < 0.95
    quantiles = tables.predict_quantiles(X, [0.1, 0.5, 0.9])
    assert_allclose(quantiles[:, [0, 2]], np.column_stack([low, high]), rtol=1e-6)
    # The density is that of y, not of its logarithm: its sum over a grid is the probability.
    grid = np.linspace(low[3], high[3], 2001)
    rows = pd.concat([X.iloc[[3]]] * len(grid))
    density = np.exp(tables.log_likelihood(rows, grid))
    assert_allclose(np.trapezoid(density, grid), 0.8, rtol=1e-3)


def test_several_outputs_keep_their_places(rng):
    X = rng.normal(size=(300, 3))
    Y = np.column_stack([X[:, 0], 10 * X[:, 1]])
    settings = {"learning_rate_init": 0.01, "max_iter": 1000, "random_state": 0}
    model = MLPRegressor(dropout=0.1, **settings).fit(X, Y)
    found = model.uncertainty(X)
    assert found.mean.shape == found.std.shape == (300, 2)
    assert model.predict_interval(X).shape == (300, 2, 2)
    assert model.predict_quantiles(X, [0.1, 0.2, 0.3]).shape == (300, 3, 2)
    assert model.log_likelihood(X, Y).shape == (300,)
    assert found.std[:, 1].mean() > 3 * found.std[:, 0].mean()
    assert list(found.to_frame().columns[:2]) == ["mean_0", "mean_1"]


@pytest.mark.parametrize("tolerance", [0.02, 0.005])
def test_drawing_stops_when_the_mean_is_precise_enough(regressor, tolerance):
    X, _ = wave(50, 10)
    found = regressor.uncertainty(X, 5000, tolerance=tolerance)
    precise = found.standard_error <= tolerance
    assert (precise | (found.n_draws == 5000)).all()
    assert (found.n_draws < 5000).any()
    all_of_them = regressor.sample(X, 5000)[..., 0]
    for row in (0, 7):
        own = all_of_them[: found.n_draws[row], row]
        assert_allclose(found.mean[row], own.mean(), rtol=1e-6)


def test_a_row_is_drawn_as_often_whatever_rows_are_asked_with_it(classifier, classes):
    X, _ = classes
    whole = classifier.uncertainty(X, 1000, tolerance=0.01)
    alone = classifier.uncertainty(X[5:6], 1000, tolerance=0.01)
    assert alone.n_draws[0] == whole.n_draws[5]
    assert_array_equal(alone.probabilities[0], whole.probabilities[5])


def test_error_bars_have_the_same_bits_whatever_rows_are_asked_with_them(
    regressor, tables, table, classifier, classes
):
    for model, X in ((regressor, wave(300, 14)[0]), (tables, table[0])):
        y = np.linspace(-1, 1, len(X))
        for rows in ([7], [3, 7, 250], range(5, 290)):
            part = X.iloc[list(rows)] if hasattr(X, "iloc") else X[list(rows)]
            for of_part, whole in zip(
                model.uncertainty(part).to_frame().to_numpy().T,
                model.uncertainty(X).to_frame().to_numpy().T,
                strict=True,
            ):
                assert_array_equal(of_part, whole[list(rows)])
            found = model.predict_interval(X)[list(rows)]
            assert_array_equal(model.predict_interval(part), found)
            found = model.log_likelihood(X, y)[list(rows)]
            assert_array_equal(model.log_likelihood(part, y[list(rows)]), found)
    X, _ = classes
    alone = classifier.uncertainty(X[9:10]).to_frame().to_numpy()
    assert_array_equal(alone[0], classifier.uncertainty(X).to_frame().to_numpy()[9])


def test_memory_does_not_grow_with_the_draws(regressor, monkeypatch):
    monkeypatch.setattr("thinnet.uncertainty.draws.drawing.BLOCK_BYTES", 2**17)
    X, _ = wave(1000, 11)
    regressor.uncertainty(X, 10)

    def peak(n_draws):
        tracemalloc.start()
        regressor.uncertainty(X, n_draws)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(800) < 1.5 * peak(200)


def test_draws_that_do_not_fit_in_memory_are_one_sentence(regressor):
    with pytest.raises(MemoryError, match="don't fit in memory: an estimator's `uncertainty`"):
        regressor.sample(np.zeros((1, 1)).repeat(2000, axis=0), 2**32 - 1)


def test_abstaining_masks_the_rows_that_are_unsure(classifier, classes):
    X, y = classes
    guesses = classifier.predict(X, abstain=0.6)
    found = classifier.uncertainty(X)
    assert_array_equal(guesses.mask, found.predictive_entropy > 0.6)
    kept = ~guesses.mask
    assert 0 < kept.sum() < len(X)
    assert (guesses[kept] == y[kept]).mean() > (classifier.predict(X) == y).mean()
    by_votes = classifier.predict(X, abstain=0.1, measure="variation_ratio", n_draws=30)
    other = classifier.uncertainty(X, 30).variation_ratio > 0.1
    assert_array_equal(by_votes.mask, other)


def test_log_likelihood_of_classes_is_the_log_loss(classifier, classes):
    X, y = classes
    p = classifier.uncertainty(X).probabilities
    assert_allclose(-classifier.log_likelihood(X, y).mean(), log_loss(y, p))


def test_two_classes_and_several_labels_have_measures_of_their_own(classes):
    X, y = classes
    two = MLPClassifier((16,), dropout=0.2, max_iter=500, random_state=0).fit(X, y == "ash")
    found = two.uncertainty(X)
    assert found.probabilities.shape == (600, 2)
    assert (found.predictive_entropy <= np.log(2) + 1e-12).all()
    labels = np.column_stack([y == "ash", y != "cedar"]).astype(int)
    several = MLPClassifier((16,), dropout=0.2, max_iter=500, random_state=0).fit(X, labels)
    results = several.uncertainty(X)
    assert (results.predictive_entropy <= 2 * np.log(2) + 1e-12).all()
    p = results.probabilities
    assert_allclose(
        results.predictive_entropy, -(p * np.log(p) + (1 - p) * np.log1p(-p)).sum(axis=1)
    )
    expected = np.log(np.where(labels, p, 1 - p)).sum(axis=1)
    assert_allclose(several.log_likelihood(X, labels), expected)
    assert several.predict(X, abstain=0.5).shape == labels.shape


@pytest.mark.parametrize("kind", [MLPClassifier, EnsembleClassifier, TableClassifier])
def test_draws_of_classifiers_are_probabilities_and_named_so(kind):
    message = f"{kind.__name__}.sample is now {kind.__name__}.sample_proba"
    with pytest.raises(AttributeError, match=message):
        kind().sample  # noqa: B018
    assert not hasattr(kind, "sample")
    assert hasattr(kind, "sample_proba")


@pytest.mark.parametrize("kind", [MLPRegressor, EnsembleRegressor, TableRegressor])
def test_draws_of_regressors_are_numbers(kind):
    assert hasattr(kind, "sample")
    assert not hasattr(kind, "sample_proba")


def test_settings_of_draws_that_predict_would_not_use_are_refused(classifier, regressor, classes):
    settings = [("n_draws", 7), ("n_draws", 100), ("seed", 0), ("share", None), ("share", "batch")]
    settings += [("samples", [1]), ("tolerance", 0.1), ("progress", False)]
    for name, value in settings:
        with pytest.raises(ValueError, match=f"^{name} must come with return_std=True"):
            regressor.predict(wave(4, 13)[0], **{name: value})
        with pytest.raises(ValueError, match=f"^{name} must come with abstain or return_std"):
            classifier.predict(classes[0], **{name: value})
    for return_std in (False, True):
        with pytest.raises(ValueError, match=r"^measure must be None without abstain, got"):
            classifier.predict(classes[0], measure="mutual_information", return_std=return_std)


def test_predict_draws_as_uncertainty_does_by_default(regressor, classifier, classes):
    X, _ = wave(4, 13)
    for keywords in ({}, {"n_draws": 7, "seed": 3}, {"share": None, "samples": [3, 9, 1, 4]}):
        wanted = regressor.uncertainty(X, **keywords)
        assert_array_equal(regressor.predict(X, return_std=True, **keywords)[1], wanted.std)
        mask = classifier.predict(classes[0][:4], abstain=0.3, **keywords).mask
        found = classifier.uncertainty(classes[0][:4], **keywords).predictive_entropy
        assert_array_equal(mask, found > 0.3)


def test_tables_of_classes_have_draws_of_all_networks(table):
    X, y = table
    model = TableClassifier(random_state=0, max_iter=30).fit(X, np.where(y > 1, "more", "less"))
    drawn = model.sample_proba(X, 10)
    assert drawn.shape == (10, 400, 2)
    assert_allclose(model.uncertainty(X, 10).probabilities, drawn.mean(axis=0))
    assert model.predict(X, abstain=0.3).shape == (400,)


def test_a_rows_own_masks_follow_its_id(regressor):
    X, _ = wave(6, 12)
    ids = [10, 11, 12, 13, 14, 15]
    whole = regressor.uncertainty(X, 8, share=None, samples=ids)
    last = regressor.uncertainty(X[3:], 8, share=None, samples=ids[3:])
    assert_array_equal(whole.mean[3:], last.mean)


def test_draws_of_sparse_rows_are_those_of_dense_ones(classes):
    from scipy import sparse

    X, y = classes
    X = np.where(np.abs(X) > 1, X, 0.0)
    model = MLPClassifier((16,), dropout=0.2, max_iter=500, random_state=0).fit(X, y)
    rows = sparse.csr_matrix(X)
    assert_allclose(model.uncertainty(rows, 5, tolerance=0.1).std,
                    model.uncertainty(X, 5, tolerance=0.1).std)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, X: m.uncertainty(X, 1), "n_draws must be an integer >= 2, got 1"),
        (lambda m, X: m.sample(X, 0), "n_draws must be an integer >= 1, got 0"),
        (lambda m, X: m.sample(X, seed=2**64), "seed must be an integer from 0 to"),
        (lambda m, X: m.sample(X, seed=-1), "seed must be an integer from 0 to"),
        (lambda m, X: m.sample(X, first=2**32), "first must be an integer from 0 to"),
        (lambda m, X: m.sample(X, 3, first=2**32 - 2), "the number of the last draw must be"),
        (lambda m, X: m.sample(X, share="row"), "share must be None or 'batch', got 'row'"),
        (lambda m, X: m.sample(X, share=None, samples=[1]), "got 1"),
        (lambda m, X: m.uncertainty(X, tolerance=0.0), "tolerance must be a finite number > 0"),
        (lambda m, X: m.predict_interval(X, 0.0), r"coverage must be a number in \(0, 1\), got 0"),
        (lambda m, X: m.predict_interval(X, 1.0), r"coverage must be a number in \(0, 1\), got 1"),
        (lambda m, X: m.predict_interval(X, np.nan), r"coverage must be a number in \(0, 1\)"),
        (lambda m, X: m.predict_quantiles(X, [0.5, 2]), r"each of quantiles must be .*, got 2"),
        (lambda m, X: m.predict_quantiles(X, []), "quantiles must be a sequence of numbers"),
        (lambda m, X: m.log_likelihood(X, [1.0]), "y must"),
        (lambda m, X: m.log_likelihood(X, [np.nan] * len(X)), "NaN"),
        (lambda m, X: m.predict(X, n_draws=7), "n_draws must come with return_std=True"),
    ],
)  # fmt: skip
def test_bad_settings_are_one_sentence(regressor, call, message, untyped):
    with pytest.raises(ValueError, match=message):
        call(regressor, wave(4, 13)[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, X: m.predict(X, abstain=-1), "abstain must be a finite number >= 0"),
        (lambda m, X: m.predict(X, abstain=1, measure="std"), "measure must be"),
        (lambda m, X: m.predict(X, n_draws=7), "n_draws must come with abstain"),
        (lambda m, X: m.log_likelihood(X, ["ash"]), "y must"),
        (lambda m, X: m.log_likelihood(X, ["oak"] * len(X)), "oak"),
    ],
)
def test_bad_settings_of_classes_are_one_sentence(classifier, classes, call, message, untyped):
    with pytest.raises(ValueError, match=message):
        call(classifier, classes[0][:5])
