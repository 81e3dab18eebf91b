"""`share` has two values everywhere: None, each row its own mask, and "batch", one for all rows."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thinnet
from thinnet import Dense, Dropout, MLPRegressor, Network, dropout, keep_mask
from thinnet.passes import Run
from thinnet.uncertainty.draws.drawing import NOT_GIVEN

ROWS = 6
X = np.random.default_rng(0).normal(size=(ROWS, 3))
COORDINATES = {"seed": 3, "layer": 0, "step": 1, "rate": 0.5}
OF_MASK = {**COORDINATES, "units": 4}


def small():
    return Network([Dense(4), Dropout(0.5), Dense(1)], features=3, seed=3)


@pytest.fixture(scope="module")
def regressor():
    model = MLPRegressor(
        hidden_layer_sizes=(4,), dropout=0.5, tol=1e9, n_iter_no_change=1, random_state=3
    )
    return model.fit(X, X[:, 0])


WITH_SHARE = {
    "layer": lambda model, share: Dropout(0.5, share=share),
    "noise": lambda model, share: thinnet.GaussianDropout(0.5, share=share),
    "mlp": lambda model, share: thinnet.mlp([4], 1, dropout=0.5, share=share),
    "keep_mask": lambda model, share: keep_mask(**OF_MASK, samples=[1], share=share),
    "dropout": lambda model, share: dropout(X, **COORDINATES, training=True, share=share),
    "Run.train": lambda model, share: Run.train(1, share=share),
    "Run.sample": lambda model, share: Run.sample(1, share=share),
    "Network.masks": lambda model, share: small().masks(step=1, samples=[1], share=share),
    "Network.sample": lambda model, share: small().sample(X, 2, share=share),
    "masks": lambda model, share: model.masks(0, [1], share=share),
    "sample": lambda model, share: model.sample(X, 2, share=share),
    "uncertainty": lambda model, share: model.uncertainty(X, 2, share=share),
    "predict_interval": lambda model, share: model.predict_interval(X, n_draws=2, share=share),
    "predict": lambda model, share: model.predict(X, return_std=True, n_draws=2, share=share),
}


@pytest.mark.parametrize(("old", "new"), [("draw", "'batch'"), ("element", "None")])
@pytest.mark.parametrize("use", WITH_SHARE.values(), ids=WITH_SHARE)
def test_a_value_of_before_is_refused_with_the_new_one(use, old, new, regressor, untyped):
    message = rf"^share must be None or 'batch' \('{old}' is now {new}\), got '{old}'$"
    with pytest.raises(ValueError, match=message):
        use(regressor, old)


@pytest.mark.parametrize("use", WITH_SHARE.values(), ids=WITH_SHARE)
def test_other_values_are_refused(use, regressor, untyped):
    for other in ("row", True, 1, ["batch"]):
        with pytest.raises(ValueError, match=r"^share must be None or 'batch', got "):
            use(regressor, other)


def test_an_estimator_refuses_a_value_of_before(untyped):
    message = r"dropout_share must be None or 'batch' \('element' is now None\), got 'element'"
    with pytest.raises(ValueError, match=message):
        MLPRegressor(dropout=0.5, dropout_share="element").fit(X, X[:, 0])


WITH_SAMPLES = {
    "keep_mask": lambda model, **rows: keep_mask(**OF_MASK, **rows),
    "dropout": lambda model, **rows: dropout(X, **COORDINATES, training=True, **rows),
    "Run.train": lambda model, **rows: Run.train(1, **rows),
    "Run.sample": lambda model, **rows: Run.sample(1, **rows),
    "Network.masks": lambda model, **rows: small().masks(step=1, **rows),
    "masks": lambda model, **rows: model.masks(0, **rows),
}


@pytest.mark.parametrize("use", WITH_SAMPLES.values(), ids=WITH_SAMPLES)
def test_the_word_for_samples_that_share_a_mask_is_refused_with_the_new_keyword(
    use, regressor, untyped
):
    message = (
        r"^samples must be a sequence of integers \(samples='shared' is now share='batch'\), "
        "got 'shared'$"
    )
    with pytest.raises(ValueError, match=message):
        use(regressor, samples="shared")


OF_DRAWS = {
    "Network.sample": lambda model, **rows: small().sample(X, 2, **rows),
    "sample": lambda model, **rows: model.sample(X, 2, **rows),
    "uncertainty": lambda model, **rows: model.uncertainty(X, 2, **rows),
    "predict_interval": lambda model, **rows: model.predict_interval(X, n_draws=2, **rows),
    "predict": lambda model, **rows: model.predict(X, return_std=True, n_draws=2, **rows),
}


@pytest.mark.parametrize(
    "use", [*WITH_SAMPLES.values(), *OF_DRAWS.values()], ids=[*WITH_SAMPLES, *OF_DRAWS]
)
def test_one_mask_for_all_rows_goes_with_no_ids(use, regressor):
    use(regressor, share="batch")
    with pytest.raises(ValueError, match=r"^samples must be None with share='batch', got \[0, 1\]"):
        use(regressor, share="batch", samples=[0, 1])


@pytest.mark.parametrize("name", ["keep_mask", "Network.masks", "masks"])
def test_masks_of_rows_need_their_ids(name, regressor):
    with pytest.raises(ValueError, match=r"^samples must be a sequence of integers, got None$"):
        WITH_SAMPLES[name](regressor)


def test_one_mask_is_shown_for_all_rows_of_a_draw(regressor):
    shown = regressor.masks(5, purpose="predict", share="batch")[1]
    network = regressor.network_
    alone = {"seed": network.seed, "layer": 1, "step": 5, "units": 4, "rate": 0.5}
    assert_array_equal(shown, keep_mask(**alone, share="batch", purpose="predict"))
    assert shown.shape == (1, 4)


def test_draws_have_one_mask_for_all_rows_by_default(regressor):
    for model in (small(), regressor):
        assert_array_equal(model.sample(X, 3), model.sample(X, 3, share="batch"))
        assert (model.sample(X, 3) != model.sample(X, 3, share=None)).any()


def functions():
    for name in thinnet.__all__:
        found = getattr(thinnet, name)
        members = inspect.getmembers(found, callable) if inspect.isclass(found) else []
        for of, function in [("", found), *members]:
            if of.endswith("_request"):
                continue  # scikit-learn's own, made from the signatures
            if callable(function) and not of.startswith("_"):
                yield f"{name}.{of}".rstrip("."), function


def test_every_public_default_is_one_of_the_two():
    defaults = {}
    for name, function in functions():
        try:
            parameters = inspect.signature(function).parameters
        except ValueError:  # of NumPy's and Python's own
            continue
        for word in ("share", "dropout_share"):
            if word in parameters:
                defaults[name, word] = parameters[word].default
    assert {"Dropout", "mlp", "keep_mask", "Network.sample"} <= {name for name, _ in defaults}
    fields = {key for key, value in defaults.items() if value not in (None, "batch", NOT_GIVEN)}
    assert fields == set()
