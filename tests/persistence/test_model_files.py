"""Model files: what is loaded is what was saved, to the last bit."""

import copy
import os
import subprocess
import sys

import numpy as np
import pandas
import pytest
from model_files import (
    MODELS,
    NEW,
    PLACE,
    SMALL,
    WORDS,
    X,
    Y,
    assert_same,
    fitted,
    predictions,
    saved_and_loaded,
)
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    LabelBinarizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

import thinnet
from thinnet import MLPClassifier, MLPRegressor, Network, save
from thinnet.initializers import Orthogonal
from thinnet.schedules import Linear, Warmup

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# --- estimators ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_estimator_is_the_saved_one(name, path):
    model = fitted(name)
    loaded = saved_and_loaded(model, path)
    assert_same(loaded, model)
    assert_same(predictions(loaded), predictions(model))
    assert_same(loaded.get_params(), model.get_params())
    assert_same(clone(loaded), clone(model))


def test_saving_leaves_the_estimator_as_it_is(path):
    model = fitted("batch_norm")
    before = copy.deepcopy(model)
    save(model, path)
    assert_same(model, before)


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"early stopping", "lbfgs"}))
def test_partial_fit_goes_on_as_if_the_model_had_never_been_saved(name, path):
    kind, y, settings = MODELS[name]
    model = kind(**(SMALL | settings)).partial_fit(X, y, **classes_of(kind, y))
    model.partial_fit(X[:25], y[:25])
    loaded = saved_and_loaded(model, path)
    for each in (model, loaded):
        each.partial_fit(X[10:], y[10:]).partial_fit(X, y)
    model.history_ = loaded.history_  # it holds seconds
    assert_same(loaded, model)


def classes_of(kind, y):
    return {"classes": np.unique(y)} if kind is MLPClassifier else {}


@pytest.mark.parametrize("name", ["shared masks", "sgd", "poisson"])
def test_a_warm_start_goes_on_as_if_the_model_had_never_been_saved(name, path):
    model = fitted(name).set_params(warm_start=True)
    loaded = saved_and_loaded(model, path)
    y = MODELS[name][1]
    assert_same(predictions(loaded.fit(X, y)), predictions(model.fit(X, y)))


def test_masks_are_those_of_the_saved_model(path):
    model = fitted("batch_norm")
    rows = model.rows(2)[:2]
    assert_same(saved_and_loaded(model, path).masks(2, rows), model.masks(2, rows))


def test_assigned_weights_are_saved(path):
    model = fitted("one output")
    model.coefs_[0] = np.ones_like(model.coefs_[0])
    loaded = saved_and_loaded(model, path)
    assert (loaded.coefs_[0] == 1).all()
    loaded.coefs_[0][...] = 0.0
    assert not loaded.network_.theta[: loaded.coefs_[0].size].any()


def test_settings_of_one_training_are_saved_as_none(path, tmp_path):
    class Watch:
        def on_epoch_end(self, training):
            return None

    once = {"callbacks": [Watch()], "checkpoint": tmp_path / "run.ckpt"}
    model = MLPClassifier(**(SMALL | once | {"random_state": np.random.RandomState(3)}))
    loaded = saved_and_loaded(model.fit(X, PLACE), path)
    assert [loaded.callbacks, loaded.checkpoint, loaded.random_state] == [None] * 3
    assert_same(predictions(loaded), predictions(model))


def test_a_network_is_saved_too(path):
    layers = [
        thinnet.DropConnect(thinnet.Dense(7, Orthogonal(), l2=0.1), Warmup(Linear(0, 0.5, 9), 3)),
        thinnet.BatchNorm(momentum=0.8),
        thinnet.SELU(),
        thinnet.AlphaDropout(0.2, share="batch"),
        thinnet.Dense(2, "zeros"),
    ]
    with pytest.warns(UserWarning, match="upstream"):
        network = Network(layers, 4, seed=2**64 - 1, dtype=np.float32, executor="reference")
    thinnet.train(network, X, PLACE % 2, epochs=2, progress=False)
    loaded = saved_and_loaded(network, path)
    assert_same(loaded, network)
    assert_same(loaded.outputs(NEW), network.outputs(NEW))
    assert_same(loaded.sample(NEW, 3, progress=False), network.sample(NEW, 3, progress=False))


SCRIPT = """
import sys, numpy, thinnet
_, path, data, out = sys.argv
X = numpy.load(data)
model = thinnet.load(path)
numpy.save(out, numpy.column_stack([model.predict(X), model.predict_proba(X)]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "3"])
def test_another_process_with_other_threads_predicts_the_same_bits(threads, path, tmp_path, rng):
    model = MLPClassifier((64, 32), max_iter=2, dtype="float32", random_state=0).fit(X, PLACE)
    data, out = tmp_path / "data.npy", tmp_path / "out.npy"
    rows = rng.normal(size=(5000, 4))
    np.save(data, rows)
    save(model, path)
    subprocess.run(
        [sys.executable, "-c", SCRIPT, path, data, out],
        env=os.environ | {"THINNET_NUM_THREADS": threads},
        check=True,
    )
    assert_same(np.load(out), np.column_stack(predictions(model, rows)))


# --- scikit-learn's transformers -----------------------------------------------------------------

GAPS = np.where(np.random.default_rng(8).random(X.shape) < 0.2, np.nan, X)
MIXED = np.column_stack([WORDS.astype(object)[PLACE], PLACE.astype(object)])
MIXED[3, 0] = np.nan
MIXED[4, 0] = None
TRANSFORMERS = [
    (StandardScaler(), X),
    (StandardScaler(with_mean=False, with_std=False), X.astype(np.float32)),
    (StandardScaler(), GAPS),
    (RobustScaler(quantile_range=(10, 90), unit_variance=True), X),
    (MinMaxScaler((0, 2), clip=True), X),
    (QuantileTransformer(n_quantiles=20, output_distribution="normal", random_state=1), X),
    (PowerTransformer(), X),
    (PowerTransformer(standardize=False), X),
    (SimpleImputer(add_indicator=True), GAPS),
    (SimpleImputer(strategy="most_frequent"), np.array([["a"], [np.nan], ["b"], ["a"]], object)),
    (MissingIndicator(features="all"), GAPS),
    (OneHotEncoder(), MIXED[:, 1:]),
    (OneHotEncoder(drop="if_binary", sparse_output=False), PLACE[:, None] > 0),
    (OneHotEncoder(min_frequency=14, drop="first", handle_unknown="ignore"), PLACE[:, None]),
    (OneHotEncoder(categories=[["a third, longer: ü", "one", "two"]], dtype=np.int8), None),
    (OrdinalEncoder(encoded_missing_value=-1), MIXED[:, 1:]),
    (OrdinalEncoder(min_frequency=14, dtype=np.float32), PLACE[:, None]),
    (KBinsDiscretizer(4, quantile_method="linear"), X),
    (KBinsDiscretizer([2, 3, 4, 5], encode="ordinal", strategy="uniform"), X),
    (TargetEncoder(random_state=0), PLACE[:, None]),
    (LabelBinarizer(neg_label=-1), WORDS[PLACE]),
    (FunctionTransformer(feature_names_out="one-to-one"), X),
    (make_pipeline(StandardScaler(), "passthrough", MinMaxScaler()), X),
    (
        ColumnTransformer(
            [("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(), slice(2, 3))],
            remainder=MinMaxScaler(),
            transformer_weights={"a": 2.0},
        ),
        np.column_stack([X[:, :2], PLACE, X[:, 3]]),
    ),
]
TRANSFORMERS[14] = (TRANSFORMERS[14][0], np.array([["one"], ["two"], ["a third, longer: ü"]]))


def named(pairs):
    return [f"{i}, {type(transformer).__name__}" for i, (transformer, _) in enumerate(pairs)]


@pytest.mark.parametrize(("transformer", "data"), TRANSFORMERS, ids=named(TRANSFORMERS))
def test_a_loaded_transformer_is_the_saved_one(transformer, data, path):
    target = [PLACE > 0] if isinstance(transformer, TargetEncoder) else []
    transformer = clone(transformer).fit(data, *target)
    loaded = saved_and_loaded(transformer, path)
    assert_same(loaded, transformer)
    assert_same(predictions(loaded, data), predictions(transformer, data))
    if hasattr(transformer, "get_feature_names_out"):
        assert_same(loaded.get_feature_names_out(), transformer.get_feature_names_out())
    assert_same(clone(loaded), clone(transformer))


def test_a_loaded_column_transformer_gives_the_same_frames(path):
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "word": WORDS[PLACE], "n": PLACE})
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), frame.columns[:2]),
            ("words", OneHotEncoder(sparse_output=False), make_column_selector("wo.*")),
            ("others", "passthrough", make_column_selector(dtype_include=np.integer)),
        ]
    )
    model = make_pipeline(columns.set_output(transform="pandas"), MLPRegressor(**SMALL))
    model.fit(frame, Y)
    loaded = saved_and_loaded(model, path)
    assert_same(loaded.predict(frame), model.predict(frame))
    assert_same(loaded[0].get_feature_names_out(), model[0].get_feature_names_out())
    pandas.testing.assert_frame_equal(loaded[0].transform(frame), model[0].transform(frame))
    assert_same(loaded[-1].feature_names_in_, model[-1].feature_names_in_)
    refitted = clone(loaded).fit(frame, Y)
    assert_same(refitted.predict(frame), model.predict(frame))


@pytest.mark.parametrize("transformer", [StandardScaler(), PowerTransformer()])
def test_a_pipeline_that_ends_in_a_perceptron_is_saved_whole(transformer, path):
    model = make_pipeline(clone(transformer), MLPClassifier(**SMALL), memory=None).fit(X, PLACE)
    loaded = saved_and_loaded(model, path)
    assert_same(predictions(loaded), predictions(model))
    assert_same(loaded.classes_, model.classes_)
    for each in (model, loaded):
        each[-1].partial_fit(X, PLACE)
    assert_same(predictions(loaded), predictions(model))
