"""Exported models: ONNX Runtime predicts what thinnet predicts, or the model is refused."""

import doctest
import re
import sys

import numpy as np
import onnx
import pandas as pd
import pytest
from exported_models import (
    LAYERS,
    LOOKUPS,
    PLACE,
    SMALL,
    TYPES,
    WIDE,
    Doubled,
    X,
    exported,
    quiet_network,
    with_statistics,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from oracles import unchecked_types
from random_networks import chains
from sklearn.exceptions import NotFittedError

import thinnet
from thinnet import (
    GELU,
    BatchNorm,
    Dense,
    MLPClassifier,
    MLPRegressor,
    Network,
    TableClassifier,
    TableEncoder,
    TableRegressor,
    Tanh,
    export_onnx,
    from_torch_state,
    to_torch_state,
)
from thinnet.export import onnx_files, to_torch, torch_state

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One file for all examples of a property."""
    return tmp_path_factory.mktemp("export") / "model.onnx"


# --- networks ------------------------------------------------------------------------------------


def both_outputs(network, x, path):
    found = exported(network, {"X": x}, path)["outputs"]
    wanted = network.outputs(x)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    return found, wanted


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("layer", "features"), [(a, 5) for a in LAYERS] + [LOOKUPS] + [(a, (4, 3)) for a in WIDE]
)
def test_every_layer_predicts_the_same_in_onnx(layer, features, dtype, path, rng):
    network = with_statistics(Network([layer], features, seed=1, dtype=dtype), rng)
    x = rng.normal(scale=3, size=(50, *network.features)).astype(dtype)
    x[0], x[1], x[2], x[3] = 0, 21, 150, -150
    # ONNX Runtime has Erf in float32 only.
    tolerance = 1e-12 if dtype is np.float64 and not isinstance(layer, GELU) else 2e-6
    assert_allclose(*both_outputs(network, x, path), rtol=tolerance, atol=tolerance)


@st.composite
def some_chains(draw):
    with unchecked_types():  # the checks draw from the global generator, which hypothesis minds
        return draw(chains(outputs=3))


@settings(max_examples=40)
@given(chain=some_chains(), seed=st.integers(0, 2**32), dtype=st.sampled_from(TYPES))
def test_every_chain_of_layers_predicts_the_same_in_onnx(place, chain, seed, dtype):
    layers, features, _ = chain
    rng = np.random.default_rng(seed)
    network = quiet_network(layers, features, seed=seed, dtype=dtype)
    for layer, site in network.places():
        if isinstance(layer, BatchNorm):
            site.s.mean[...] = rng.normal(size=site.s.mean.shape)
            site.s.variance[...] = rng.uniform(0.2, 3, site.s.variance.shape)
    x = rng.normal(size=(20, *network.features)).astype(dtype)
    found, wanted = both_outputs(network, x, place)
    assert_allclose(found, wanted, rtol=0, atol=1e-5 * max(1, np.abs(wanted).max()))


# --- perceptrons ---------------------------------------------------------------------------------

CLASSES = {
    "text": np.array(["one", "two", "Ü\N{GRINNING FACE}, longer"])[PLACE],
    "objects": np.array(["a", "b", "c"], object)[PLACE],
    "integers": PLACE * 10 - 7,
    "small integers": PLACE.astype(np.uint8),
    "floats": PLACE.astype(float),
    "two": np.array(["no", "yes"])[PLACE // 2],
    "truth": PLACE > 0,
    "one": np.full(len(X), "only"),
    "several at once": np.stack([PLACE > 0, PLACE > 1, X[:, 2] > 0], axis=1).astype(int),
}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("y", CLASSES.values(), ids=CLASSES)
def test_a_classifier_gives_labels_and_probabilities(y, dtype, path):
    x = X.astype(dtype)
    model = MLPClassifier(**SMALL, batch_norm=True, activation="gelu").fit(x, y)
    found = exported(model, {"X": x}, path)
    assert list(found) == ["label", "probabilities"]
    assert found["label"].dtype in (np.int64, object)
    assert_array_equal(found["label"], model.predict(x))
    wanted = model.predict_proba(x)
    assert found["probabilities"].dtype == wanted.dtype
    assert_allclose(found["probabilities"], wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_regressor_gives_the_variable(loss, outputs, path):
    y = np.exp(X[:, :outputs])
    model = MLPRegressor(loss, **SMALL).fit(X, y if outputs > 1 else y[:, 0])
    found = exported(model, {"X": X}, path)["variable"]
    assert found.shape == (len(X), outputs)
    assert_allclose(found, model.predict(X).reshape(-1, outputs), rtol=1e-10)


def test_assigned_weights_are_exported(path):
    model = MLPRegressor(**SMALL).fit(X, X[:, 0])
    model.coefs_[-1] = model.coefs_[-1] * 0
    model.intercepts_ = [*model.intercepts_[:-1], np.array([2.5])]
    assert_array_equal(exported(model, {"X": X}, path)["variable"], 2.5)


# --- files ---------------------------------------------------------------------------------------


def test_a_file_says_who_wrote_it_and_needs_only_old_operators(path):
    export_onnx(Network([Dense(2)], 3, seed=0), path)
    model = onnx.load(path)
    assert (model.producer_name, model.producer_version) == ("thinnet", thinnet.__version__)
    assert [(part.domain, part.version) for part in model.opset_import] == [("", 13)]
    assert model.ir_version == 7


def test_the_same_model_gives_the_same_file(path):
    network = Network([Dense(2), Tanh()], 3, seed=0)
    contents = []
    for _ in range(2):
        export_onnx(network, path)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


def test_a_file_stays_when_the_next_one_cannot_be_made(path):
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match="for ONNX"):
        export_onnx(Network([Doubled()], 3), path)
    assert path.read_bytes() == b"before"
    assert list(path.parent.iterdir()) == [path]


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor, TableClassifier, TableRegressor])
def test_an_unfitted_estimator_is_refused(kind, path):
    with pytest.raises(NotFittedError):
        export_onnx(kind(), path)
    assert not path.exists()


def test_another_model_is_refused(path):
    with pytest.raises(ValueError, match=r"^model must be one of Network, .*, got TableEncoder$"):
        export_onnx(TableEncoder(), path)


def test_a_place_that_cannot_be_written_to_is_refused_before_work(tmp_path, monkeypatch):
    monkeypatch.setitem(onnx_files.GRAPHS, Network, lambda model: pytest.fail("worked"))
    for place, message in ((tmp_path / "none" / "x", "in a folder"), (tmp_path, "not a folder")):
        with pytest.raises(ValueError, match=f"^ONNX file must be .*{message}"):
            export_onnx(Network([Dense(2)], 3), place)


def test_a_layer_without_a_form_in_onnx_is_named(path):
    network = Network([Dense(2), Doubled()], 3)
    with pytest.raises(ValueError, match=r"^each layer .* for ONNX, got layer 1, Doubled\(\)$"):
        export_onnx(network, path)


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_a_network_of_another_type_is_refused(dtype, path):
    with pytest.raises(ValueError, match="type must be float32 or float64"):
        export_onnx(Network([Dense(2)], 3, dtype=dtype), path)


@pytest.mark.parametrize("y", [["2001-01-01", "2001-01-02"] * 10, [0, 2**63] * 10])
def test_classes_that_are_neither_integers_nor_text_are_refused(y, path):
    y = np.array(y, "datetime64[D]" if isinstance(y[0], str) else np.uint64)
    model = TableClassifier(n_networks=1, max_iter=1).fit(X[:20], y)
    with pytest.raises(ValueError, match=r"^classes must be integers of 64 bits or text for ONNX"):
        export_onnx(model, path)


NUMBERS = np.random.default_rng(4).normal(size=40)
WORDS = [f"a text of {i} words and {i * i} more" for i in range(40)]
REFUSED = {
    "texts": ({"words": WORDS}, "column 'words' must be .* got 'texts'"),
    "an output": ({"label": NUMBERS}, "name of a column must be .* got 'label'"),
    "no name": ({"": NUMBERS}, "name of a column must be .* got ''"),
}


@pytest.mark.parametrize(("columns", "message"), REFUSED.values(), ids=REFUSED)
def test_a_column_without_a_form_in_onnx_is_named(columns, message, path):
    table = pd.DataFrame({"x": NUMBERS, **columns})
    model = TableClassifier(n_networks=1, max_iter=1).fit(table, PLACE[:40])
    with pytest.raises(ValueError, match=message):
        export_onnx(model, path)


@pytest.mark.parametrize("library", ["onnx", "torch"])
def test_a_library_that_is_not_installed_is_named(library, path, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    network = Network([Dense(2)], 3)
    how = {"onnx": "'thinnet[onnx]'", "torch": "torch"}[library]
    message = re.escape(f"needs the library {library}: pip install {how}")
    with pytest.raises(ValueError, match=rf"{message}$"):
        export_onnx(network, path) if library == "onnx" else to_torch_state(network)


# --- examples ------------------------------------------------------------------------------------

OF_TORCH = [to_torch, to_torch_state, from_torch_state]
EXAMPLES = [export_onnx, *(pytest.param(each, marks=pytest.mark.torch) for each in OF_TORCH)]


@pytest.mark.parametrize("function", EXAMPLES)
def test_examples_that_need_another_library_print_what_they_show(function, tmp_path, monkeypatch):
    """The tests of all docstrings skip them."""
    monkeypatch.chdir(tmp_path)
    text = function.__doc__.replace("# doctest: +SKIP", "")
    space = {"np": np, **vars(torch_state)}
    test = doctest.DocTestParser().get_doctest(text, space, function.__name__, None, 0)
    assert test.examples
    assert not doctest.DocTestRunner(verbose=False).run(test).failed
