"""What a model file can hold, what it can't, and where it can lie."""

import dataclasses
import importlib
import json
import math
import os
from functools import partial

import numpy as np
import pytest
from full_disks import FAILURES
from model_files import PLACE, SMALL, X, assert_same, fitted
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from thinnet import EnsembleClassifier, MLPClassifier, MLPRegressor, load, save
from thinnet.persistence import codec, known, rules

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# --- values --------------------------------------------------------------------------------------

VALUES = [
    [None, True, 0, -(10**40), 0.1, -0.0, 5e-324, 1.7976931348623157e308, "ü\0\n\U0001f600"],
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


def test_half_a_letter_is_refused_for_it_can_be_neither_printed_nor_written():
    with pytest.raises(ValueError, match="surrogates not allowed"):
        codec.unpack("\ud800", {})


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
    {"is": "Dense", "of": {"units": -1}},
    {"is": "os.Dense", "of": {"units": 1}},
    {"is": "sklearn.Dense", "of": {"units": 1}},
    {"is": "thinnet.", "of": {}},
    {"is": "", "of": {}},
    {
        "is": "FunctionTransformer",
        "of": {"func": {"is": "type", "of": "str"}},
    },
]


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_a_value_that_is_never_written_is_refused(forged):
    with pytest.raises(ValueError, match=r"must (be|hold|have)|is not known"):
        codec.unpack(forged, {})


def test_code_points_beyond_all_letters_are_refused():
    codes = np.array([[0x10FFFF + 1]], np.uint32)
    with pytest.raises(ValueError, match="must be so many code points"):
        codec.unpack({"is": "array", "of": ["U1", "a"]}, {"a": codes})


def test_a_member_with_other_classes_than_its_ensemble_is_refused(path):
    ensemble = EnsembleClassifier(MLPClassifier(**SMALL), n_networks=2).fit(X, PLACE % 2)
    member = ensemble.estimators_[1]
    member.classes_ = member.classes_ + 5
    member._labels = member._labels._replace(classes=member.classes_)
    with pytest.raises(ValueError, match="the classes of their ensemble"):
        save(ensemble, path)


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
    paths = {**known.OURS, **known.TABLES, **known.SCIKIT_LEARN, **known.OTHERS}
    assert len(known.KNOWN) == len(paths)
    for path in paths.keys() - known.OTHERS.keys():
        name = path.rpartition(".")[2]
        assert known.name_of(known.class_of(path)) == known.name_of(known.class_of(name)) == name
    assert not known.KNOWN.keys() & {"array", *rules.BY_TAG}


@pytest.mark.parametrize("module", ["layers", "initializers", "schedules.of_steps", "optimizers"])
def test_every_frozen_description_is_known(module):
    found = vars(importlib.import_module(f"thinnet.{module}"))
    classes = {v for v in found.values() if isinstance(v, type) and dataclasses.is_dataclass(v)}
    assert {known.class_of(known.name_of(cls)) for cls in classes} == classes
    assert len(classes) > 4


# --- where it can lie ----------------------------------------------------------------------------


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(there, failure, path, monkeypatch):
    if there:
        save(fitted("one output"), path)
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(*failure)
        with pytest.raises(OSError, match="No space left"):
            save(fitted("poisson"), path)
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


def test_a_folder_is_refused_and_so_is_a_missing_one(tmp_path):
    for place, message in (
        (tmp_path, "a file, not a folder"),
        (tmp_path / "no" / "x", "in a folder"),
    ):
        with pytest.raises(ValueError, match=f"model file must be {message}"):
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
