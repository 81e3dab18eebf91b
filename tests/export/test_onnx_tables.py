"""Exported models of tables: the columns become numbers in ONNX Runtime as they do here."""

import numpy as np
import onnx
import pandas as pd
import pytest
from exported_models import runs
from exported_tables import assert_table_is_alike, encoded_in_onnx
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.preprocessing import QuantileTransformer
from trying import given_few_or_many

from thinnet import TableClassifier, TableEncoder, TableRegressor, export_onnx
from thinnet.export.onnx_graph import Graph
from thinnet.export.onnx_numbers import normal_quantile, normal_scores


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


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


@pytest.mark.parametrize(
    ("target", "dtype"),
    [
        *((target, "float32") for target in TARGETS),
        ("number", "float64"),
        *(pytest.param(t, "float64", marks=pytest.mark.slow) for t in TARGETS if t != "number"),
    ],
)
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
    table = pd.DataFrame({"a": rng.normal(size=40), "b": ["x", "y"] * 20})
    few = {"n_networks": 1, "max_iter": 1, "random_state": 0}
    export_onnx(TableRegressor(**few).fit(table, table["a"]), path)
    graph = onnx.load(path).graph
    for inner in (graph.node[3].output[0], graph.initializer[3].name):
        renamed = table.rename(columns={"b": inner})
        assert_table_is_alike(TableRegressor(**few).fit(renamed, table["a"]), renamed, path)


def with_neighbours(x):
    return np.concatenate([x, *(x + d for d in (1e-15, -1e-15, 1e-7, -1e-7, 2e-7, -2e-7, 1, -1))])


@given_few_or_many(
    10,
    40,
    seed=st.integers(0, 2**32),
    n=st.integers(8, 400),
    decimals=st.integers(-1, 3),
    holes=st.sampled_from([0, 0.2]),
    n_bins=st.sampled_from(["auto", 1, 5]),
)
def test_numbers_are_encoded_the_same_also_at_ties_and_at_the_ends(
    seed, n, decimals, holes, n_bins
):
    rng = np.random.default_rng(seed)
    x = np.round(rng.standard_t(2, n) * 5, decimals)
    table = pd.DataFrame({"x": holed(x, holes, rng), "y": rng.normal(size=n)})
    encoder = TableEncoder(n_bins=n_bins).fit(table)
    near = with_neighbours(x)
    new = pd.DataFrame({"x": near, "y": rng.permutation(np.resize([*near, np.nan], len(near)))})
    found = encoded_in_onnx(encoder, new)
    assert_allclose(found, encoder.transform(new), rtol=1e-6, atol=1e-6)


@given_few_or_many(
    10,
    40,
    seed=st.integers(0, 2**32),
    n=st.integers(8, 400),
    decimals=st.integers(-1, 3),
)
def test_the_normal_scores_of_earlier_models_are_those_of_scikit_learn(seed, n, decimals):
    rng = np.random.default_rng(seed)
    x = np.round(rng.standard_t(2, (n, 2)) * 5, decimals)
    fitted = QuantileTransformer(n_quantiles=n, output_distribution="normal").fit(x)
    near = with_neighbours(x)
    graph = Graph("scores", ("y",))
    scores = normal_scores(
        graph.input("x", np.float64, (2,)), fitted.quantiles_, fitted.references_
    )
    graph.output("y", scores, (2,))
    found = runs(graph.content(), {"x": near})["y"]
    assert_allclose(found, fitted.transform(near), rtol=1e-6, atol=1e-6)


def test_a_rare_category_is_the_same_as_an_unseen_one_and_empty_text_is_missing():
    names = [*["a"] * 10, *["b"] * 10, "rare", None, None, None]
    encoder = TableEncoder(min_frequency=3).fit(pd.DataFrame({"name": names}))
    table = pd.DataFrame({"name": ["a", "b", "rare", "unseen", None]})
    found = encoded_in_onnx(encoder, table)
    assert_array_equal(found, encoder.transform(table))
    assert_array_equal(found[2], found[3])


def test_the_normal_quantile_is_that_of_scipy():
    tail = np.geomspace(1e-8, 0.5, 5001)
    p = np.concatenate([tail, 1 - tail])[:, None]
    graph = Graph("quantile", ("y",))
    graph.output("y", normal_quantile(graph.input("p", np.float64, (1,))), (1,))
    assert_allclose(runs(graph.content(), {"p": p})["y"], special.ndtri(p), rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    "settings", [{"class_weight": "balanced"}, {"threshold_for": "recall=0.9"}], ids=str
)
def test_labels_go_by_weights_and_thresholds_as_they_do_here(settings, path, rng):
    table = pd.DataFrame({"a": rng.normal(size=200)})
    y = np.where(table.a + rng.normal(size=200) > 1.2, "rare", "often")
    few = {"n_networks": 1, "max_iter": 3, "hidden_layer_sizes": (4,), "random_state": 0}
    model = TableClassifier(**few, **settings).fit(table, y)
    guess = model.classes_[model.predict_proba(table).argmax(axis=1)]
    assert (model.predict(table) != guess).any()
    assert_table_is_alike(model, table, path)
