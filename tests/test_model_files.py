"""Model files: what is loaded is what was saved, or the file is refused in one sentence."""

import builtins
import copy
import dataclasses
import importlib
import json
import math
import os
import pickle
import re
import subprocess
import sys
import time
import tracemalloc
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.exceptions import NotFittedError
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
from sklearn.svm import SVC

import thinnet
from thinnet import MLPClassifier, MLPRegressor, ModelFileError, Network, checkpoints, load, save
from thinnet.checkpoints import Snapshot
from thinnet.initialisers import Orthogonal
from thinnet.persistence import codec, files, known
from thinnet.schedules import Linear, Warmup

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(7)
X = RNG.normal(size=(40, 4))
PLACE = np.arange(40) % 3
NEW = RNG.normal(size=(301, 4))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.thinnet"


def saved_and_loaded(model, path):
    save(model, path)
    return load(path)


# --- the same, to the last bit -------------------------------------------------------------------


def assert_same(one, other, at="it"):
    """Equal in type and to the last bit, through and through."""
    assert type(one) is type(other), at
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), at
        assert_same(one.tolist(), other.tolist(), at)
    elif isinstance(one, float):
        assert one.hex() == other.hex(), at
    elif isinstance(one, np.datetime64):
        assert (one.dtype, one.view("i8")) == (other.dtype, other.view("i8")), at
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), at
        for i, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{at}.{i}")
    elif isinstance(one, dict):
        assert_same(list(one), list(other), f"{at}'s keys")
        assert_same(list(one.values()), list(other.values()), at)
    elif parts := parts_of(one):
        assert_same(parts, parts_of(other), at)
    else:
        assert one == other, at


def parts_of(value):
    if isinstance(value, Network):
        names = ("layers", "features", "seed", "dtype", "executor", "clock", "theta", "state")
        return {name: getattr(value, name) for name in names}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return None
    return dict(sorted(vars(value).items()))


def predictions(model, X=NEW):
    wanted = ("predict", "predict_proba", "transform")
    found = [getattr(model, name)(X) for name in wanted if hasattr(model, name)]
    return [part.toarray() if sparse.issparse(part) else np.asarray(part) for part in found]


# --- estimators ----------------------------------------------------------------------------------

WORDS = np.array(["one", "two", "a third, longer: ü\N{GRINNING FACE}"])
BITS = (X > 0).astype(int)
Y = X @ [1.0, 2.0, 0.0, -1.0]
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 5}
CLASSIFIERS = {
    "two classes": (PLACE > 0, {}),
    "three classes": (PLACE, {}),
    "words": (WORDS[PLACE], {}),
    "words as objects": (WORDS.astype(object)[PLACE], {}),
    "floats": (PLACE * 2.0, {}),
    "several labels": (BITS, {}),
    "one class": (np.zeros(40, int), {}),
    "batch_norm": (PLACE, {"batch_norm": True, "dropout": 0.3}),
    "shared masks": (PLACE, {"dropout": [0.4], "dropout_share": "batch", "input_dropout": 0.1}),
    "float32": (PLACE, {"dtype": "float32", "max_norm": 1.0, "l1": 0.01}),
    "class weights": (WORDS[PLACE], {"class_weight": dict(zip(WORDS, (1, 2.5, 3), strict=True))}),
    "early stopping": (PLACE, {"early_stopping": True}),
    "no hidden layer": (PLACE, {"hidden_layer_sizes": []}),
    "lbfgs": (PLACE, {"solver": "lbfgs"}),
    **{solver: (PLACE, {"solver": solver}) for solver in ("adamw", "rmsprop", "adagrad", "sgd")},
    "no momentum": (PLACE, {"solver": "sgd", "momentum": 0.0, "learning_rate": "invscaling"}),
    "endless": (PLACE, {"n_iter_no_change": np.inf, "tol": np.float32(1e-3)}),
}
REGRESSORS = {
    "one output": (Y, {}),
    "several outputs": (np.stack([Y, -Y], axis=1), {"dropout": 0.2}),
    "poisson": (np.exp(Y), {"loss": "poisson"}),
}
MODELS = {
    **{name: (MLPClassifier, *rest) for name, rest in CLASSIFIERS.items()},
    **{name: (MLPRegressor, *rest) for name, rest in REGRESSORS.items()},
}


def fitted(name):
    kind, y, settings = MODELS[name]
    return kind(**(SMALL | settings)).fit(X, y)


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
    assert_same(saved_and_loaded(model, path).masks(2, [0, 5]), model.masks(2, [0, 5]))


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


@pytest.mark.parametrize("threads", ["1", "3"])
def test_another_process_with_other_threads_predicts_the_same_bits(threads, path, tmp_path):
    model = MLPClassifier((64, 32), max_iter=2, dtype="float32", random_state=0).fit(X, PLACE)
    data, out = tmp_path / "data.npy", tmp_path / "out.npy"
    rows = RNG.normal(size=(5000, 4))
    np.save(data, rows)
    save(model, path)
    subprocess.run(
        [sys.executable, "-c", SCRIPT, path, data, out],
        env=os.environ | {"THINNET_NUM_THREADS": threads},
        check=True,
    )
    assert_same(np.load(out), np.column_stack(predictions(model, rows)))


# --- scikit-learn's transformers -----------------------------------------------------------------

GAPS = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
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
    pandas = pytest.importorskip("pandas")
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


# --- values --------------------------------------------------------------------------------------

VALUES = [
    [None, True, 0, -(10**40), 0.1, -0.0, 5e-324, 1.7976931348623157e308, "ü\0\n\ud800"],
    (math.nan, math.inf, -math.inf, ((), [], {})),
    {"a": 1, 2: [3], np.int64(4): (), np.str_("x"): {}, None: 0, 1.5: 0},
    slice(None, 3, None),
    [np.float32(0.1), np.float64(math.nan), np.int8(-3), np.uint64(2**64 - 1), np.True_],
    [np.str_("ü"), np.datetime64("2024-02-29T12", "h"), np.datetime64("NaT"), np.float16(1e-7)],
    [bool, float, object, np.float32, np.bool_, np.number, MLPClassifier, np.dtype("f4")],
    *(np.arange(6).reshape(2, 3).astype(t) for t in ("?", "i1", "u2", "i8", "f2", "f4", "f8")),
    np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)[::-2],
    np.array(2.5),
    np.zeros((0, 3), np.float32),
    np.array([["", "abc"], ["ü\N{GRINNING FACE}", "x"]]),
    np.array("one"),
    np.zeros((3, 0), "U5"),
    np.array(["2020-01-01", "NaT"], "M8[D]"),
    np.array([1.5, "two", None, math.nan, np.int64(3), True], object).reshape(2, 3),
    np.array([None, np.arange(2)], object),
    np.empty((0, 2), object),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:40])
def test_values_come_back_to_the_last_bit(value):
    arrays = {}
    text = json.dumps(codec.pack(value, arrays), allow_nan=False)
    assert_same(codec.unpack(json.loads(text), arrays), value)
    assert arrays == {}


def test_big_endian_numbers_come_back_as_the_machine_has_them():
    arrays = {}
    packed = codec.pack(np.arange(3, dtype=">f8"), arrays)
    assert_same(codec.unpack(packed, arrays), np.arange(3.0))


UNKNOWN = [
    {1, 2},
    1j,
    b"bytes",
    np.zeros(2, complex),
    np.ma.ones(2),
    np.array([{1}], object),
    np.zeros(2, "i4, f4"),
    np.complex64(1),
    np.dtype("c16"),
    {(1, 2): 3},
    len,
    SVC(),
    SVC,
    sparse.eye_array(2),
]


@pytest.mark.parametrize("value", UNKNOWN, ids=lambda value: type(value).__name__)
def test_a_value_of_an_unknown_kind_is_refused(value):
    with pytest.raises(
        ValueError, match=r"a\.0\.1.* can't be saved: .*, got |keys of a dict must"
    ) as caught:
        codec.pack({"a": value}, {}, ("a",))
    assert "\n" not in str(caught.value)


FORGED = [
    {"is": "dict", "of": [[{"is": "tuple", "of": []}, 1]]},
    {"is": "slice", "of": [1.5, None, None]},
    {"is": "objects", "of": [[2], [1]]},
    {"is": "objects", "of": [[-1], [1]]},
    {"is": "dtype", "of": "U9999999"},
    {"is": "dtype", "of": "complex128"},
    {"is": "type", "of": "os.system"},
    {"is": "float", "of": "1"},
    {"is": "scalar", "of": ["float64", "1"]},
    {"is": "scalar", "of": ["U999999999", "a"]},
    {"is": "scalar", "of": ["M8[s]", 1.5]},
    {"is": "thinnet.layers.Dense", "of": {"units": -1}},
    {
        "is": "sklearn.preprocessing.FunctionTransformer",
        "of": {"func": {"is": "type", "of": "str"}},
    },
]


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_a_value_that_is_never_written_is_refused(forged):
    with pytest.raises(ValueError, match=r"must (be|hold|have)|is not known"):
        codec.unpack(forged, {})


def test_values_that_hold_themselves_are_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match="at most 64 deep"):
        codec.pack(endless, {})


# --- what can't be saved -------------------------------------------------------------------------


def test_an_estimator_that_is_not_fitted_is_refused(path):
    for model in (MLPClassifier(), make_pipeline(StandardScaler(), MLPRegressor())):
        with pytest.raises(NotFittedError):
            save(model, path)
    assert not path.exists()


class Mine(MLPClassifier):
    """A class of the user's."""


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (SVC(), "sklearn.svm._classes.SVC"),
        (make_pipeline(StandardScaler(), SVC()), "steps.1.1 can't be saved: .*SVC"),
        (FunctionTransformer(np.log1p), "func can't be saved: .*ufunc"),
        (FunctionTransformer(lambda x: x), "func can't be saved: .*function"),
        (Mine(**SMALL), "Mine"),
    ],
)
def test_what_is_not_on_the_list_is_named_with_what_is(model, named, path):
    model.fit(X, PLACE)
    with pytest.raises(ValueError, match=named) as caught:
        save(model, path)
    assert "one of a fixed list (estimators and networks of thinnet" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize("model", [3, None, "text", MLPClassifier, [1], {"a": 1}, np.ones(3)])
def test_what_is_no_model_is_refused(model, path):
    with pytest.raises(ValueError, match=r"the class must be one of|a model must be"):
        save(model, path)


def test_an_attribute_that_would_be_lost_is_named(path):
    model = fitted("one output")
    model.remark = "mine"
    with pytest.raises(ValueError, match="MLPRegressor has no attribute 'remark' that is known"):
        save(model, path)


def test_every_known_class_exists_and_has_a_name_of_its_own():
    assert len(known.KEYS) == len(known.KNOWN)
    for key in known.KNOWN.keys() - known.OTHERS.keys():
        assert known.key_of(known.class_of(key)) == key


@pytest.mark.parametrize("module", ["layers", "initialisers", "schedules", "optimisers"])
def test_every_frozen_description_is_known(module):
    found = vars(importlib.import_module(f"thinnet.{module}"))
    classes = {v for v in found.values() if isinstance(v, type) and dataclasses.is_dataclass(v)}
    assert {known.class_of(known.key_of(cls)) for cls in classes} == classes
    assert len(classes) > 4


# --- where it can lie ----------------------------------------------------------------------------


def refuse(*args, **kwargs):
    raise OSError(28, "No space left on device")


FAILURES = {
    "flush": lambda patch: patch.setattr(os, "fsync", refuse),
    "rename": lambda patch: patch.setattr(Path, "replace", refuse),
    "open": lambda patch: patch.setattr(Path, "open", refuse),
}


@pytest.mark.parametrize("break_it", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(there, break_it, path, monkeypatch):
    if there:
        save(fitted("one output"), path)
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    with monkeypatch.context() as patch:
        break_it(patch)
        with pytest.raises(OSError, match="No space left"):
            save(fitted("poisson"), path)
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


def test_a_folder_is_refused_and_so_is_a_missing_one(tmp_path):
    for place, said in ((tmp_path, "a file, not a folder"), (tmp_path / "no" / "x", "in a folder")):
        with pytest.raises(ValueError, match=f"model file must be {said}"):
            save(fitted("one output"), place)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_refused(path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write anywhere
    with pytest.raises(ValueError, match="model file must be in a folder that can be written to"):
        save(fitted("one output"), path)


@pytest.mark.parametrize("bad", [3, b"model", None])
@pytest.mark.usefixtures("untyped")
def test_a_model_file_is_named_by_a_path(bad):
    for call in (partial(save, fitted("one output")), load):
        with pytest.raises(ValueError, match="model file must be a path, got"):
            call(bad)


# --- what can't be loaded ------------------------------------------------------------------------


def refused(path):
    """The one sentence with which a file is refused."""
    with pytest.raises(ModelFileError) as caught:
        load(path)
    said = str(caught.value)
    assert repr(str(path)) in said
    assert "\n" not in said
    return said


def test_a_missing_file_and_a_folder_are_refused(path, tmp_path):
    assert "must be an existing file" in refused(path)
    assert "must be an existing file" in refused(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def perceptron():
    return MLPClassifier((5, 4), batch_norm=True, max_iter=2, random_state=0).fit(X, WORDS[PLACE])


@pytest.fixture(scope="module")
def pipeline():
    encoders = ColumnTransformer(
        [
            ("a", OneHotEncoder(min_frequency=14, drop="first"), [0]),
            ("b", make_pipeline(SimpleImputer(), KBinsDiscretizer(3, strategy="uniform")), [1, 2]),
        ],
        remainder=StandardScaler(),
    )
    model = make_pipeline(encoders, MLPRegressor(hidden_layer_sizes=(3,), max_iter=2))
    return model.fit(np.column_stack([PLACE, X[:, 1:]]), Y)


def test_a_checkpoint_is_no_model(path):
    checkpoints.write(path, Snapshot({"theta": np.ones(3)}, {"epoch": 1}))
    assert "must be a thinnet model, got another safetensors file" in refused(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}], ids=str)
def test_another_safetensors_file_is_no_model(path, metadata):
    save_file({"weight": np.ones(3)}, path, metadata=metadata)
    assert "must be a thinnet model, got another safetensors file" in refused(path)


@pytest.mark.parametrize("junk", [b"", b"\0" * 4096, b"PK\x03\x04" + b"x" * 500, b"\x80\x04K\x01."])
def test_a_file_of_something_else_is_refused(path, junk):
    path.write_bytes(junk)
    assert "cut short or altered" in refused(path)


def test_a_file_of_a_newer_format_asks_for_a_newer_thinnet(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(files, "FORMAT", 2)
        save(fitted("one output"), path)
    said = refused(path)
    assert "must have format 1, got format 2, written by a newer thinnet: update thinnet" in said


def test_text_beyond_what_a_header_may_hold_is_refused(path):
    words = ['"' * 9_000_000 + end for end in "abc"]  # a quote is written as four characters
    model = OrdinalEncoder().fit(np.array(words, object)[:, None])
    with pytest.raises(ValueError, match="must have less than 100 MB beside its arrays"):
        save(model, path)
    assert not path.exists()


def rewritten(path, change):
    """Let `change` loose on the arrays and values of a file; its checksum is right again."""
    arrays, values = checkpoints.read_as(files._form(), path)
    change(arrays, values)
    checkpoints.write_as(files._form(), path, Snapshot(arrays, values))


def put(value, *steps):
    """A change: what stands at the end of `steps` into the values becomes `value`."""

    def change(arrays, values):
        for step in steps[:-1]:
            values = values[step]
        values[steps[-1]] = value

    return change


def at(name, edit):
    """A change: `edit` of the array `name`."""

    def change(arrays, values):
        arrays[name] = edit(arrays[name])

    return change


PARTS = "model", "of"
NETWORK = *PARTS, "network_", "of"
UNITS = *NETWORK, "layers", "of", 1, "of", "units"
OPTIMISER = *PARTS, "_momentary", "of", "kind", "of"
DEEP = json.loads("[" * 90 + "]" * 90)
FAULTS = {
    "the class 'os.system' is not known": put("os.system", "model", "is"),
    "the class 'builtins.eval' is not known": put({"is": "builtins.eval", "of": {}}, *PARTS, "tol"),
    "Network, got History": lambda arrays, values: (
        values.update(
            model=values["model"]["of"]["history_"],
        )
        or [arrays.pop(name) for name in list(arrays) if not name.startswith("history_.")]
    ),
    "MLPRegressor has no attribute '_labels'": put(
        "thinnet.estimators.MLPRegressor", "model", "is"
    ),
    "MLPClassifier has no attribute '__class__'": put(1, *PARTS, "__class__"),
    "network_ of MLPClassifier must be of the type Network": put(None, *PARTS, "network_"),
    "loss_curve_ of MLPClassifier must be of the type list": put("x", *PARTS, "loss_curve_"),
    "must have classes_ and _labels, got none": lambda arrays, values: [
        values["model"]["of"].pop(name) for name in ("classes_", "_labels")
    ],
    "theta must be .* numbers of type float64": at("network_.theta", lambda a: a[:-1]),
    "a tensor must be of the type float64": at("network_.theta", lambda a: a.astype("f4")),
    "state must be .*": at("network_.state", lambda a: np.append(a, 0.0)),
    "theta must be [0-9]{13}": put(10**12, *UNITS),
    "units must be an integer >= 1": put(True, *UNITS),
    "must have names, got list": put([], *PARTS, "history_", "of"),
    "step must be an integer from 0": put(-1, *NETWORK, "step"),
    "seed must be an integer from 0": put(2**64, *NETWORK, "seed"),
    "optimiser's state must be": at("_momentary.begin.state.first", lambda a: a[:1]),
    "optimiser's state must fit": put(
        {"is": "type", "of": "thinnet.optimisers.SGD"}, *OPTIMISER, 0
    ),
    "must stand in a Momentary": put({"is": "tuple", "of": [1, 2, 3]}, *PARTS, "_momentary"),
    "must fit its inputs and outputs": put(5, *PARTS, "n_features_in_"),
    "labels of a classifier must fit its outputs": at("_labels.classes", lambda a: a[::-1]),
    "so many code points": at("classes_", lambda a: a + 0x110000),
    "a tensor must be of the type uint32": at("classes_", lambda a: a.astype("i8")),
    "an array must be of a known type": put(["O8", "classes_"], *PARTS, "classes_", "of"),
    "must have an array 'classes_' for one use": lambda arrays, values: arrays.pop("classes_"),
    "one use, got none": put(["U18", "_labels.classes"], *PARTS, "classes_", "of"),
    "must have a use for each array, got none for 'more'": lambda arrays, values: arrays.update(
        more=np.ones(1)
    ),
    "must have the parts model and versions": put(1, "more"),
    "versions must be text": put([1], "versions"),
    "must say what it is": put({"is": "tuple"}, *PARTS, "tol"),
    "at most 64 deep": put(DEEP, *PARTS, "tol"),
}


@pytest.mark.parametrize(("said", "change"), FAULTS.items(), ids=range(len(FAULTS)))
def test_parts_that_do_not_fit_are_refused_by_name(said, change, perceptron, path):
    save(perceptron, path)
    rewritten(path, change)
    assert re.search(said, refused(path))


INSIDE = "steps.0.1.transformers_.0.1."
ENCODER = *PARTS, "steps", 0, "of", 1, "of", "transformers_", 0, "of", 1, "of"
COLUMNS = {
    "the columns of": put([2], *ENCODER, "_n_features_outs"),
    "a OneHotEncoder must fit": put([7], *ENCODER, "_drop_idx_after_grouping", "of", 1),
    "be sorted": at(f"{INSIDE}categories_.0", lambda a: a[[1, 0, 2]]),
    "sorted, got": at(f"{INSIDE}categories_.0", lambda a: a[[0, 2, 1]]),
    "the rare categories": at(f"{INSIDE}_default_to_infrequent_mappings.0", lambda a: a * 2),
    "categories": at(f"{INSIDE}_default_to_infrequent_mappings.0", lambda a: a - 1),
    "fit its categories": at(f"{INSIDE}_infrequent_indices.0", lambda a: a[:0]),
}


@pytest.mark.parametrize(("said", "change"), COLUMNS.items(), ids=COLUMNS)
def test_columns_beside_a_sparse_matrix_are_refused(said, change, pipeline, path):
    save(pipeline, path)
    rewritten(path, change)
    assert re.search(said, refused(path))


def test_text_that_is_no_json_is_refused_at_any_depth(perceptron, path):
    for text in ("", "{", "[" * 100_000, '{"model": ' + "9" * 5000 + "}", "[NaN, Infinity]"):
        metadata = {"kind": "thinnet model", "format": "1", "values": text}
        save_file({}, path, metadata | {"checksum": checkpoints._checksum({}, text)})
        refused(path)


# --- no code, and no harm ------------------------------------------------------------------------


def test_nothing_in_a_model_file_is_a_pickle_or_code(perceptron, pipeline, path, monkeypatch):
    def refuse_to(*args, **kwargs):
        raise AssertionError(f"called with {args!r}")

    modules = {key.rpartition(".")[0] for key in known.KNOWN}

    def only_known(name, importer=known.import_module):
        assert name in modules
        return importer(name)

    save(pipeline, path)
    load(path)  # whatever is imported lazily has been, by code of its own
    with monkeypatch.context() as patch:
        for module, name in [
            *((pickle, name) for name in ("load", "loads", "dump", "dumps", "Unpickler")),
            *((builtins, name) for name in ("eval", "exec", "compile")),
            *((os, name) for name in ("system", "popen")),
        ]:
            patch.setattr(module, name, refuse_to)
        patch.setattr(known, "import_module", only_known)
        for model in (pipeline, perceptron):
            loaded = saved_and_loaded(model, path)
    assert_same(loaded, perceptron)
    assert b"\x80\x04" not in path.read_bytes()


SECONDS, BYTES = 10, 2**26  # that a small file may take


def outcome(path):
    """What is loaded, None where the file is refused: quickly, and with little memory."""
    start = time.perf_counter()
    tracemalloc.start()
    try:
        return load(path)
    except ModelFileError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < BYTES
        assert time.perf_counter() - start < SECONDS


def fuzz(attack, cases):
    """Let `attack` loose with so many different draws."""

    @settings(max_examples=cases, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def run(data):
        attack(data.draw)

    run()


def damaged(draw, content):
    """Bytes flipped, cut out or put in, at a few places."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.sampled_from([start, start + 1, start + 8, len(content)]))
        content[start:stop] = draw(st.binary(max_size=9))
    return bytes(content)


def attack_bytes(draw, model, content, path):
    path.write_bytes(damaged(draw, content))
    loaded = outcome(path)
    if loaded is not None:
        assert_same(loaded, model)


WORDS_OF_FILES = sorted({*codec.BY_TAG, *known.KNOWN, "array", "os.system", "__class__", "nan"})
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers() | st.sampled_from([-1, 2**31, 2**63, 2**64, 10**30, 10**400]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(WORDS_OF_FILES),
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=5), inner, max_size=2),
        st.fixed_dictionaries({"is": st.sampled_from(WORDS_OF_FILES), "of": inner}),
    ),
    max_leaves=6,
)


def nodes(value):
    """Every place in a JSON value, as what holds it and its key there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(inside):
        yield value, key
        if isinstance(part, dict | list):
            yield from nodes(part)


def edit_value(draw, arrays, values):
    places = list(nodes(values)) or [({"": values}, "")]
    holder, key = places[draw(st.integers(0, len(places) - 1))]
    how = draw(st.sampled_from(["junk", "deep", "other", "none", "more", "number"]))
    if how == "junk":
        holder[key] = draw(JUNK)
    elif how == "deep":
        for _ in range(draw(st.integers(1, 100))):
            holder[key] = draw(
                st.sampled_from([[holder[key]], {"is": "tuple", "of": [holder[key]]}])
            )
    elif how == "other":
        there, name = places[draw(st.integers(0, len(places) - 1))]
        holder[key] = copy.deepcopy(there[name])
    elif how == "none":
        del holder[key]
    elif isinstance(holder, dict):
        holder[draw(st.text(max_size=9) | st.sampled_from(WORDS_OF_FILES))] = holder[key]
    else:
        holder.append(holder[key])


def edit_array(draw, arrays, values):
    name = draw(st.sampled_from(sorted(arrays) or [""]))
    array = arrays.pop(name, np.zeros(1))
    how = draw(st.sampled_from(["type", "shape", "numbers", "name", "none", "length"]))
    if how == "type":
        array = array.astype(draw(st.sampled_from(["?", "i1", "u4", "i8", "f2", "f4", "f8"])))
    elif how == "shape":
        array = array.reshape(draw(st.sampled_from([(-1,), (-1, 1), (1, -1), (1,) * 40 + (-1,)])))
    elif how == "numbers":
        array[...] = draw(st.sampled_from([0, 1, 7, 100, array.max(initial=0)]))
    elif how == "length":
        array = np.resize(array, draw(st.integers(0, 2 * array.size)))
    if how != "none":
        arrays[draw(st.sampled_from(["x", "__metadata", *arrays])) if how == "name" else name] = (
            array
        )


def attack_parts(draw, snapshot, path):
    arrays, values = ({**copy.deepcopy(part)} for part in snapshot)
    for _ in range(draw(st.integers(1, 3))):
        draw(st.sampled_from([edit_value, edit_value, edit_array]))(draw, arrays, values)
    checkpoints.write_as(files._form(), path, Snapshot(arrays, values))
    loaded = outcome(path)
    with suppress(Exception), np.errstate(all="ignore"):  # but neither crash nor hang
        predictions(loaded, X)


@pytest.fixture(scope="module", params=["perceptron", "pipeline"])
def model(request):
    return request.getfixturevalue(request.param)


FEW, MANY = 100, pytest.param(2000, marks=pytest.mark.slow)


@pytest.mark.parametrize("cases", [FEW, MANY])
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_a_damaged_file_is_refused_or_loads_the_same_model(cases, model, path):
    save(model, path)
    fuzz(partial(attack_bytes, model=model, content=path.read_bytes(), path=path), cases)


@pytest.mark.parametrize("cases", [FEW, MANY])
@pytest.mark.filterwarnings("ignore:.*encountered in cast:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:model file:UserWarning")
def test_a_forged_file_is_refused_or_loads_a_model_that_does_no_harm(cases, model, path):
    save(model, path)
    snapshot = checkpoints.read_as(files._form(), path)
    fuzz(partial(attack_parts, snapshot=snapshot, path=path), cases)


# --- versions ------------------------------------------------------------------------------------


def test_another_scikit_learn_is_warned_of_where_parts_of_it_are_saved(pipeline, path, monkeypatch):
    then = files._versions() | {"scikit-learn": "1.0.2"}
    with monkeypatch.context() as patch:
        patch.setattr(files, "_versions", lambda: then)
        save(pipeline, path)
    with pytest.warns(UserWarning, match=r"has parts of scikit-learn 1\.0\.2, which may behave"):
        loaded = load(path)
    assert_same(loaded, pipeline)


def test_another_scikit_learn_makes_no_difference_to_our_own(perceptron, path, monkeypatch):
    monkeypatch.setattr(files, "_versions", lambda: {"scikit-learn": "1.0.2"})
    save(perceptron, path)
    monkeypatch.undo()
    assert_same(load(path), perceptron)
