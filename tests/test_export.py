"""Exported models: ONNX Runtime and PyTorch predict what thinnet predicts, or it is refused."""

import doctest
import sys
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from oracles import unchecked_types
from random_networks import chains
from scipy import special
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.exceptions import NotFittedError

import thinnet
from thinnet import (
    ELU,
    GELU,
    SELU,
    AlphaDropout,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    LayerNorm,
    LeakyReLU,
    MLPClassifier,
    MLPRegressor,
    Network,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    TableClassifier,
    TableEncoder,
    TableRegressor,
    Tanh,
    export_onnx,
    from_torch_state,
    to_torch_state,
)
from thinnet.export import onnx_files, to_torch, torch_state
from thinnet.export.onnx_graph import Graph
from thinnet.export.onnx_numbers import normal_quantile
from thinnet.export.onnx_tables import encoded
from thinnet.layers import Shapes
from thinnet.schedules import Linear
from thinnet.tables.kinds import as_labels

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
TYPES = [np.float32, np.float64]
LAYERS = [
    AlphaDropout(0.4), BatchNorm(), BatchNorm(epsilon=0.1), Dense(3), DropConnect(Dense(2), 0.5),
    Dropout(0.5), Dropout(0.3, scaling="classical"), Dropout(1.0, scaling="classical"),
    Dropout(Linear(0.2, 0.6, n_steps=4), scaling="classical"), ELU(), ELU(0.4), Flatten(), GELU(),
    GaussianDropout(0.3), GaussianNoise(0.3), Identity(), LayerNorm(), LayerNorm(0.1),
    LeakyReLU(), LeakyReLU(-0.3), ReLU(), SELU(), SiLU(), Sigmoid(), Softmax(), Softplus(), Tanh(),
]  # fmt: skip
WIDE = [Flatten(), LayerNorm(), Softmax(), *(BatchNorm(axis=axis) for axis in (0, 1, -1))]


def with_statistics(network, rng):
    """Parameters and running statistics as after some training."""
    network.theta[:] = rng.normal(scale=0.7, size=network.theta.size)
    for layer, site in network.places():
        if isinstance(layer, BatchNorm):
            site.s.mean[...] = rng.normal(size=site.s.mean.shape)
            site.s.variance[...] = rng.uniform(0.2, 3, site.s.variance.shape)
            site.counters.seen[...] = 7
    return network


def quiet_network(*args, **settings):
    with warnings.catch_warnings():  # of an order of layers that is meant here
        warnings.simplefilter("ignore")
        return Network(*args, **settings)


def runs(content, feed):
    """The outputs that ONNX Runtime computes, by their names."""
    session = pytest.importorskip("onnxruntime").InferenceSession(content)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


def exported(model, feed, path):
    pytest.importorskip("onnx")
    export_onnx(model, path)
    return runs(path, feed)


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
    ("layer", "features"), [(a, 5) for a in LAYERS] + [(a, (4, 3)) for a in WIDE]
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

RNG = np.random.default_rng(3)
X = RNG.normal(size=(120, 4))
PLACE = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
SMALL = {"hidden_layer_sizes": (9, 7), "max_iter": 15, "random_state": 0}
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


# --- tables --------------------------------------------------------------------------------------


def feed_of(columns, table):
    """What goes into the graph, with texts as a file would have them."""
    kinds = {column.name: column.kind for column in columns if column.kind != "left out"}
    return {
        name: (
            np.asarray(table[[name]], float)
            if kind == "number"
            else np.asarray(as_labels(table[name]).fillna(""), object)[:, None]
        )
        for name, kind in kinds.items()
    }


def assert_table_is_alike(model, table, path):
    found = exported(model, feed_of(model.encoder_.columns_, table), path)
    if isinstance(model, TableClassifier):
        assert_array_equal(found["label"], model.predict(table))
        assert_allclose(found["probabilities"], model.predict_proba(table), rtol=0, atol=1e-5)
        return
    wanted = model.predict(table).reshape(len(table), -1)
    assert_allclose(found["variable"], wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def holed(values, share, rng):
    return pd.Series(values).mask(rng.random(len(values)) < share)


def mixed_table(rng, n=300):
    """Numbers with ties, holes, jumps and infinities; categories: few, many, rare, true or not."""
    few = rng.choice(
        ["a", "b", "c, d", "Ü\N{GRINNING FACE}", "rare"], n, p=[0.4, 0.3, 0.2, 0.09, 0.01]
    )
    columns = {
        "normal": holed(rng.normal(size=n), 0.1, rng),
        "whole": rng.integers(0, 6, n),
        "money, with a comma": holed(np.round(rng.exponential(1e6, n), 2), 0.05, rng),
        "mostly 0": np.where(rng.random(n) < 0.7, 0, rng.normal(size=n)),
        "constant with holes": holed(np.full(n, 3.5), 0.3, rng),
        "few": holed(few, 0.1, rng),
        "many": rng.choice([f"city {i}" for i in range(40)], n),
        "more": rng.choice([f"code {i}" for i in range(30)], n),
        "truth": rng.random(n) < 0.4,
        "numbers as texts": pd.Series(rng.integers(3, 6, n)).astype("category"),
        "empty or not": rng.choice(["x", ""], n),
        "empty": np.full(n, np.nan),
    }
    table = pd.DataFrame(columns)
    table.loc[4, "normal"] = np.inf
    return table


def with_surprises(table):
    """The same rows, with cells that no row of the fit had."""
    found = table.copy()
    found["mostly 0"] = found["mostly 0"].astype(float)
    for row, value in enumerate([np.inf, -np.inf, np.nan, 1e300, -1e300, 0.0]):
        found.loc[row, ["normal", "money, with a comma", "mostly 0", "constant with holes"]] = value
    found.loc[6:9, ["few", "many"]] = "never seen"
    found.loc[10:12, ["few", "many"]] = None
    return found


TARGETS = {
    "two classes": lambda t, rng: np.where(t["whole"] > 2, "high", "low"),
    "three classes": lambda t, rng: t["whole"].to_numpy() // 2,
    "number": lambda t, rng: t["whole"] * 3.0 + rng.normal(size=len(t)),
    "skewed": lambda t, rng: 1e5 * np.exp(t["whole"] + rng.normal(size=len(t))),
    "two numbers": lambda t, rng: np.stack([t["whole"], np.exp(t["whole"])], axis=1),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mixed_table_is_predicted_the_same(target, dtype, path, rng):
    table = mixed_table(rng)
    y = TARGETS[target](table, rng)
    kind = TableClassifier if "classes" in target else TableRegressor
    encoder = TableEncoder(max_categories=20)
    few = {"n_networks": 2, "max_iter": 4, "hidden_layer_sizes": (16,), "random_state": 0}
    model = kind(**few, dtype=dtype, encoder=encoder).fit(table, y)
    assert_table_is_alike(model, with_surprises(table), path)


BUNDLED = [
    (load_iris, TableClassifier),
    (load_wine, TableClassifier),
    (load_breast_cancer, TableClassifier),
    (load_diabetes, TableRegressor),
]


@pytest.mark.parametrize(("load", "kind"), BUNDLED)
def test_bundled_data_are_predicted_the_same(load, kind, path):
    X, y = load(return_X_y=True, as_frame=True)
    model = kind(n_networks=2, max_iter=30, random_state=0).fit(X, y)
    assert_table_is_alike(model, X, path)


def test_a_column_may_be_called_like_a_value_within_the_graph(path, rng):
    onnx = pytest.importorskip("onnx")
    table = pd.DataFrame({"a": rng.normal(size=40), "b": ["x", "y"] * 20})
    few = {"n_networks": 1, "max_iter": 1, "random_state": 0}
    export_onnx(TableRegressor(**few).fit(table, table["a"]), path)
    graph = onnx.load(path).graph
    for inner in (graph.node[3].output[0], graph.initializer[3].name):
        renamed = table.rename(columns={"b": inner})
        assert_table_is_alike(TableRegressor(**few).fit(renamed, table["a"]), renamed, path)


def encoded_in_onnx(encoder, table):
    graph = Graph("table", ("encoded",))
    graph.output("encoded", encoded(graph, encoder), (len(encoder.get_feature_names_out()),))
    return runs(graph.content(), feed_of(encoder.columns_, table))["encoded"]


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(8, 400),
    decimals=st.integers(-1, 3),
    holes=st.sampled_from([0, 0.2]),
    n_bins=st.sampled_from(["auto", 1, 5]),
)
def test_numbers_are_encoded_the_same_also_at_ties_and_at_the_ends(
    seed, n, decimals, holes, n_bins
):
    pytest.importorskip("onnx")
    rng = np.random.default_rng(seed)
    x = np.round(rng.standard_t(2, n) * 5, decimals)
    table = pd.DataFrame({"x": holed(x, holes, rng), "y": rng.normal(size=n)})
    encoder = TableEncoder(n_bins=n_bins).fit(table)
    near = np.concatenate([x, *(x + d for d in (1e-15, -1e-15, 1e-7, -1e-7, 2e-7, -2e-7, 1, -1))])
    new = pd.DataFrame({"x": near, "y": rng.permutation(np.resize([*near, np.nan], len(near)))})
    found = encoded_in_onnx(encoder, new)
    assert_allclose(found, encoder.transform(new), rtol=1e-6, atol=1e-6)


def test_a_rare_category_is_the_same_as_an_unseen_one_and_empty_text_is_missing():
    pytest.importorskip("onnx")
    names = [*["a"] * 10, *["b"] * 10, "rare", None, None, None]
    encoder = TableEncoder(min_frequency=3).fit(pd.DataFrame({"name": names}))
    table = pd.DataFrame({"name": ["a", "b", "rare", "unseen", None]})
    found = encoded_in_onnx(encoder, table)
    assert_array_equal(found, encoder.transform(table))
    assert_array_equal(found[2], found[3])


def test_the_normal_quantile_is_that_of_scipy():
    pytest.importorskip("onnx")
    tail = np.geomspace(1e-8, 0.5, 5001)
    p = np.concatenate([tail, 1 - tail])[:, None]
    graph = Graph("quantile", ("y",))
    graph.output("y", normal_quantile(graph.input("p", np.float64, (1,))), (1,))
    assert_allclose(runs(graph.content(), {"p": p})["y"], special.ndtri(p), rtol=0, atol=1e-13)


# --- files ---------------------------------------------------------------------------------------


def test_a_file_says_who_wrote_it_and_needs_only_old_operators(path):
    onnx = pytest.importorskip("onnx")
    export_onnx(Network([Dense(2)], 3, seed=0), path)
    model = onnx.load(path)
    assert (model.producer_name, model.producer_version) == ("thinnet", thinnet.__version__)
    assert [(part.domain, part.version) for part in model.opset_import] == [("", 13)]
    assert model.ir_version == 7


def test_the_same_model_gives_the_same_file(path):
    pytest.importorskip("onnx")
    network = Network([Dense(2), Tanh()], 3, seed=0)
    contents = []
    for _ in range(2):
        export_onnx(network, path)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


def test_a_file_stays_when_the_next_one_cannot_be_made(path):
    pytest.importorskip("onnx")
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match="for ONNX"):
        export_onnx(Network([Doubled()], 3), path)
    assert path.read_bytes() == b"before"
    assert list(path.parent.iterdir()) == [path]


# --- refusals ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Doubled:
    """A user's own layer."""

    def shapes(self, features):
        return Shapes(features)

    def forward(self, site, x, run):
        return 2 * x, None

    def backward(self, site, cache, dy):
        return 2 * dy


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
    for place, said in ((tmp_path / "none" / "x", "in a folder"), (tmp_path, "not a folder")):
        with pytest.raises(ValueError, match=f"^ONNX file must be .*{said}"):
            export_onnx(Network([Dense(2)], 3), place)


def test_a_layer_without_a_form_in_onnx_is_named(path):
    network = Network([Dense(2), Doubled()], 3)
    pytest.importorskip("onnx")
    with pytest.raises(ValueError, match=r"^each layer .* for ONNX, got layer 1, Doubled\(\)$"):
        export_onnx(network, path)


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_a_network_of_another_type_is_refused(dtype, path):
    pytest.importorskip("onnx")
    with pytest.raises(ValueError, match="type must be float32 or float64"):
        export_onnx(Network([Dense(2)], 3, dtype=dtype), path)


@pytest.mark.parametrize("y", [["2001-01-01", "2001-01-02"] * 10, [0, 2**63] * 10])
def test_classes_that_are_neither_integers_nor_text_are_refused(y, path):
    pytest.importorskip("onnx")
    y = np.array(y, "datetime64[D]" if isinstance(y[0], str) else np.uint64)
    model = TableClassifier(n_networks=1, max_iter=1).fit(X[:20], y)
    with pytest.raises(ValueError, match=r"^classes must be integers of 64 bits or text for ONNX"):
        export_onnx(model, path)


WORDS = [f"a text of {i} words and {i * i} more" for i in range(40)]
REFUSED = {
    "dates": ({"when": pd.date_range("2001", periods=40)}, "column 'when' must be .* got 'dates'"),
    "texts": ({"said": WORDS}, "column 'said' must be .* got 'texts'"),
    "an output": ({"label": RNG.normal(size=40)}, "name of a column must be .* got 'label'"),
    "no name": ({"": RNG.normal(size=40)}, "name of a column must be .* got ''"),
}


@pytest.mark.parametrize(("columns", "said"), REFUSED.values(), ids=REFUSED)
def test_a_column_without_a_form_in_onnx_is_named(columns, said, path):
    pytest.importorskip("onnx")
    table = pd.DataFrame({"x": RNG.normal(size=40), **columns})
    model = TableClassifier(n_networks=1, max_iter=1).fit(table, PLACE[:40])
    with pytest.raises(ValueError, match=said):
        export_onnx(model, path)


@pytest.mark.parametrize("library", ["onnx", "torch"])
def test_a_library_that_is_not_installed_is_named(library, path, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    network = Network([Dense(2)], 3)
    with pytest.raises(ValueError, match=rf"needs the library {library}: pip install {library}$"):
        export_onnx(network, path) if library == "onnx" else to_torch_state(network)


# --- PyTorch -------------------------------------------------------------------------------------


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def torch_outputs(torch, network, x):
    with torch.no_grad():
        return to_torch(network)(torch.tensor(x)).numpy()


def is_classical(layer):
    return isinstance(layer, Dropout) and layer.scaling == "classical"


CHANNELS = [(BatchNorm(axis=0), shape) for shape in [(3, 4), (3, 4, 2), (3, 2, 2, 2)]]
IN_TORCH = [(layer, 5) for layer in LAYERS if not is_classical(layer)]
IN_TORCH += [(layer, (4, 3)) for layer in (Flatten(), LayerNorm(), Softmax())] + CHANNELS


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("layer", "features"), IN_TORCH)
def test_every_layer_predicts_the_same_in_torch(layer, features, dtype, torch, rng):
    network = with_statistics(Network([layer], features, seed=1, dtype=dtype), rng)
    x = rng.normal(scale=3, size=(50, *network.features)).astype(dtype)
    x[0], x[1], x[2], x[3] = 0, 21, 150, -150
    found, wanted = torch_outputs(torch, network, x), network.outputs(x)
    assert found.dtype == wanted.dtype
    tolerance = 1e-12 if dtype is np.float64 else 1e-5
    assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


STACK = [Flatten(), Dense(6), BatchNorm(momentum=0.7), ReLU(), Dense(4), LayerNorm(), Dense(2)]
NAMES = [
    "1.weight", "1.bias",
    "2.weight", "2.bias", "2.running_mean", "2.running_var", "2.num_batches_tracked",
    "4.weight", "4.bias", "5.weight", "5.bias", "6.weight", "6.bias",
]  # fmt: skip


def stack(rng, dtype=np.float64):
    return with_statistics(Network(STACK, 5, seed=0, dtype=dtype), rng)


def test_a_state_has_the_names_that_the_layers_places_give_it(torch, rng):
    network = stack(rng)
    state = to_torch_state(network)
    assert list(state) == NAMES == list(to_torch(network).state_dict())
    assert_array_equal(state["1.weight"], network.sites[1].p.W)
    assert state["2.num_batches_tracked"].dtype == torch.int64
    assert to_torch(network)[2].momentum == pytest.approx(0.3)


def test_a_state_is_a_copy_and_pytorchs_generator_stays_as_it_is(torch, rng):
    network = stack(rng)
    before, generator = network.theta.copy(), torch.get_rng_state()
    for tensor in to_torch_state(network).values():
        tensor.zero_()
    assert_array_equal(network.theta, before)
    assert torch.equal(torch.get_rng_state(), generator)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_state_goes_back_and_forth(dtype, torch, rng):
    network, other = stack(rng, dtype), Network(STACK, 5, seed=4, dtype=dtype)
    x = rng.normal(size=(7, 5)).astype(dtype)
    other.outputs(x)  # what has been compiled and bound sees the new numbers too
    from_torch_state(other, to_torch(network).state_dict())
    assert_array_equal(other.theta, network.theta)
    assert_array_equal(other.state, network.state)
    assert_array_equal(other.outputs(x), network.outputs(x))


def test_what_pytorch_trains_is_loaded(torch, rng):
    network = stack(rng)
    sequential = to_torch(network).train()
    x = torch.tensor(rng.normal(size=(30, 5)))
    optimiser = torch.optim.SGD(sequential.parameters(), lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        sequential(x).square().mean().backward()
        optimiser.step()
    from_torch_state(network, sequential.state_dict())
    with torch.no_grad():
        wanted = sequential.eval()(x).numpy()
    assert_allclose(network.outputs(x.numpy()), wanted, rtol=1e-12, atol=1e-12)
    assert (network.sites[2].counters.seen == 10).all()


def test_a_perceptrons_state_goes_back_and_forth(torch):
    model = MLPClassifier(**SMALL, batch_norm=True).fit(X, PLACE)
    model.intercepts_[-1] = model.intercepts_[-1] + 1
    wanted, state = model.predict_proba(X), to_torch_state(model)
    other = MLPClassifier(**{**SMALL, "random_state": 1}, batch_norm=True).fit(X, PLACE)
    other.coefs_[0] = other.coefs_[0] * 2
    from_torch_state(other, state)
    assert_array_equal(other.predict_proba(X), wanted)
    assert_array_equal(other.coefs_[0], model.coefs_[0])


@pytest.mark.usefixtures("torch", "untyped")
def test_only_networks_and_fitted_perceptrons_have_a_state():
    with pytest.raises(NotFittedError):
        to_torch_state(MLPRegressor())
    with pytest.raises(ValueError, match=r"^model must be a Network, .* got TableClassifier$"):
        to_torch_state(TableClassifier())


@pytest.mark.parametrize(
    ("layer", "features"),
    [
        (Doubled(), 3),
        (Dropout(0.5, scaling="classical"), 3),
        (BatchNorm(), (4, 3)),
        (BatchNorm(axis=0), (2,) * 5),
    ],
)
def test_a_layer_that_torch_has_not_is_refused(layer, features, torch):
    network = Network([layer], features)
    for refused in (lambda: to_torch_state(network), lambda: from_torch_state(network, {})):
        with pytest.raises(ValueError, match=r"^each layer must have its like in torch.nn, got "):
            refused()


def changed(name, change):
    return lambda state: state | {name: change(state[name])}


WRONG = {
    "missing": (lambda s: {k: s[k] for k in s if k != "4.bias"}, "with the name '4.bias'"),
    "too many": (lambda s: s | {"7.bias": s["4.bias"]}, "each name of state .* got '7.bias'"),
    "no mapping": (lambda s: list(s), "state must be a mapping .* got 'list'"),
    "array": (changed("4.bias", lambda t: t.numpy()), "'4.bias'. must be a dense tensor"),
    "sparse": (changed("4.weight", lambda t: t.to_sparse()), "'4.weight'. must be a dense tensor"),
    "type": (changed("4.bias", lambda t: t.float()), "must be of float64, got torch.float32"),
    "half": (changed("4.bias", lambda t: t.bfloat16()), "must be of float64, got torch.bfloat16"),
    "shape": (changed("4.weight", lambda t: t.T), r"must be of shape \(4, 6\), got \(6, 4\)"),
    "infinite": (changed("4.bias", lambda t: t / 0), "must be finite"),
    "variance": (changed("2.running_var", lambda t: -t), "running_var'. must be >= 0"),
    "counter": (changed("2.num_batches_tracked", lambda t: -t), "tracked'. must be >= 0, got -7"),
}


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
def test_a_state_that_does_not_fit_is_refused_and_nothing_is_loaded(change, said, torch, rng):
    network = stack(rng)
    before = network.theta.copy(), network.state.copy()
    state = {name: tensor + 1 for name, tensor in to_torch_state(network).items()}
    state["2.num_batches_tracked"] -= 1
    with pytest.raises(ValueError, match=said):
        from_torch_state(network, change(state))
    assert_array_equal(network.theta, before[0])
    assert_array_equal(network.state, before[1])


# --- examples ------------------------------------------------------------------------------------

EXAMPLES = [
    (export_onnx, "onnxruntime"),
    *((function, "torch") for function in (to_torch, to_torch_state, from_torch_state)),
]


@pytest.mark.parametrize(("function", "library"), EXAMPLES)
def test_examples_that_need_another_library_print_what_they_show(
    function, library, tmp_path, monkeypatch
):
    """The tests of all docstrings skip them."""
    pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    text = function.__doc__.replace("# doctest: +SKIP", "")
    space = {"np": np, **vars(torch_state)}
    test = doctest.DocTestParser().get_doctest(text, space, function.__name__, None, 0)
    assert test.examples
    assert not doctest.DocTestRunner(verbose=False).run(test).failed
