"""Model files that are damaged, forged or of other versions: refused, or warned of."""

import json
import re

import numpy as np
import pytest
from model_files import assert_same, fitted, refused
from safetensors.numpy import save_file
from sklearn.preprocessing import OrdinalEncoder

from thinnet import load, save, snapshots
from thinnet.persistence import files
from thinnet.snapshots import Snapshot

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_a_missing_file_and_a_folder_are_refused(path, tmp_path):
    assert "must be an existing file" in refused(path)
    assert "must be an existing file" in refused(tmp_path)


def test_a_checkpoint_is_no_model(path):
    snapshots.write(path, Snapshot({"theta": np.ones(3)}, {"epoch": 1}))
    assert "must be a thinnet model, got another safetensors file" in refused(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}], ids=str)
def test_another_safetensors_file_is_no_model(path, metadata):
    save_file({"weight": np.ones(3)}, path, metadata=metadata)
    assert "must be a thinnet model, got another safetensors file" in refused(path)


def test_an_empty_file_is_called_empty(path):
    path.touch()
    assert "must be a complete file, got an empty one" in refused(path)


@pytest.mark.parametrize("junk", [b"\0" * 4096, b"PK\x03\x04" + b"x" * 500, b"\x80\x04K\x01."])
def test_a_file_of_something_else_is_refused(path, junk):
    path.write_bytes(junk)
    assert "cut short or altered" in refused(path)


def test_a_file_of_a_newer_format_asks_for_a_newer_thinnet(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(files, "FORMAT", 3)
        save(fitted("one output"), path)
    message = refused(path)
    assert "must have format 1 or 2, got format 3, written by a newer thinnet" in message


def test_text_beyond_what_a_header_may_hold_is_refused(path):
    words = ['"' * 9_000_000 + end for end in "abc"]  # a quote is written as four characters
    model = OrdinalEncoder().fit(np.array(words, object)[:, None])
    with pytest.raises(ValueError, match="must have less than 100 MB beside its arrays"):
        save(model, path)
    assert not path.exists()


def rewritten(path, change):
    """Let `change` loose on the arrays and values of a file; its checksum is right again."""
    arrays, values = snapshots.read_as(files._form(), path)
    change(arrays, values)
    snapshots.write_as(files._form(), path, Snapshot(arrays, values))


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
OPTIMIZER = *PARTS, "_momentary", "of", "kind", "of"
DEEP = json.loads("[" * 90 + "]" * 90)
FAULTS = {
    "the class 'os.system' is not known": put("os.system", "model", "is"),
    "the class 'MLPDreamer' is not known to this thinnet; .*, update thinnet": put(
        "MLPDreamer", "model", "is"
    ),
    "the class 'Mystery' is not known to this thinnet; .*, update thinnet": put(
        {"is": "Mystery", "of": {}}, *NETWORK, "layers", "of", 1
    ),
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
        {"is": "type", "of": "thinnet.optimizers.SGD"}, *OPTIMIZER, 0
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


@pytest.mark.parametrize(("message", "change"), FAULTS.items(), ids=range(len(FAULTS)))
def test_parts_that_do_not_fit_are_refused_by_name(message, change, perceptron, path):
    save(perceptron, path)
    rewritten(path, change)
    assert re.search(message, refused(path))


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


@pytest.mark.parametrize(("message", "change"), COLUMNS.items(), ids=COLUMNS)
def test_columns_beside_a_sparse_matrix_are_refused(message, change, pipeline, path):
    save(pipeline, path)
    rewritten(path, change)
    assert re.search(message, refused(path))


def test_text_that_is_no_json_is_refused_at_any_depth(perceptron, path):
    for text in ("", "{", "[" * 100_000, '{"model": ' + "9" * 5000 + "}", "[NaN, Infinity]"):
        metadata = {"kind": "thinnet model", "format": "1", "values": text}
        save_file({}, path, metadata | {"checksum": snapshots._checksum({}, text)})
        refused(path)


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
