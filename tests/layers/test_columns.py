"""A layer of lookups is a Dense layer of the inputs that its columns stand for."""

import numpy as np
import onnx
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from onnx.reference import ReferenceEvaluator
from oracles import numeric_gradient
from trying import given_few_or_many

from thinnet import (
    SGD,
    AdamW,
    ColumnEncoding,
    Columns,
    Dense,
    Dropout,
    LayerNorm,
    Network,
    ReLU,
    Run,
    SquaredError,
    keep_mask,
    load,
    save,
    train,
)
from thinnet.export import to_torch
from thinnet.export.onnx_estimators import network_graph

SEED = 5
AGE = ColumnEncoding(bins=3, values=1, categories=2, means=(0.75, 0.5, 0.125, 0.25, 0.5))
upstream_is_meant = pytest.mark.filterwarnings("ignore:dropout stands upstream")


def stands_for(encoding, slots):
    """The inputs of one column of one row, by the words of `ColumnEncoding`."""
    means = iter(encoding.means or [0.0] * (encoding.bins + encoding.categories))
    slots, inputs = list(slots), []
    if encoding.bins:
        position = slots.pop(0)
        own = min(int(position), encoding.bins - 1)
        shares = [1.0] * own + [position - own] + [0.0] * (encoding.bins - own - 1)
        inputs += [share - next(means) for share in shares]
    inputs += [slots.pop(0) for _ in range(encoding.values)]
    if encoding.categories:
        code = slots.pop(0)
        inputs += [float(code == i + 1) - next(means) for i in range(encoding.categories)]
    assert not slots
    return inputs


def expanded(columns, x):
    rows = []
    for row in x:
        start, inputs = 0, []
        for each in columns:
            inputs += stands_for(each, row[start : start + each.slots])
            start += each.slots
        rows.append(inputs)
    return np.array(rows, x.dtype).reshape(len(x), sum(each.inputs for each in columns))


def some_rows(columns, n, rng, dtype=np.float64):
    """Encoded rows, positions at edges among them."""
    slots = []
    for each in columns:
        if each.bins:
            position = rng.uniform(0, each.bins, n)
            slots.append(np.where(rng.random(n) < 0.3, np.round(position), position))
        slots += list(rng.normal(size=(each.values, n)))
        if each.categories:
            slots.append(rng.integers(0, each.categories + 1, n))
    return np.array(slots, dtype).T.copy()


def pair(columns, units, dtype=np.float64, behind=(), rate=0.0, share=None):
    """A network of lookups and one of products with the same parameters."""
    width = sum(each.inputs for each in columns)
    slots = sum(each.slots for each in columns)
    lookups = Columns(columns, Dense(units), rate, share)
    ours = Network([lookups, *behind], slots, seed=SEED, dtype=dtype)
    dense = Network([Dense(units), *behind], width, seed=SEED, dtype=dtype)
    dense.theta[:] = ours.theta
    return ours, dense


@st.composite
def encodings(draw):
    bins, values, categories = (draw(st.integers(0, most)) for most in (5, 2, 4))
    categories = categories or int(bins + values == 0)
    means = (
        [draw(st.floats(-1, 1)) for _ in range(bins + categories)] if draw(st.booleans()) else []
    )
    return ColumnEncoding(bins, values, categories, means)


@given_few_or_many(
    few=40, many=1000, columns=st.lists(encodings(), min_size=1, max_size=5), seed=st.integers(0, 9)
)
def test_it_gives_what_a_dense_layer_gives_of_the_inputs(columns, seed):
    rng = np.random.default_rng(seed)
    ours, dense = pair(columns, units=3)
    x = some_rows(columns, 6, rng)
    assert_allclose(ours.outputs(x), dense.outputs(expanded(columns, x)), atol=1e-12)


@given_few_or_many(
    few=40, many=1000, columns=st.lists(encodings(), min_size=1, max_size=5), seed=st.integers(0, 9)
)
def test_its_gradients_are_those_of_the_dense_layer(columns, seed):
    rng = np.random.default_rng(seed)
    ours, dense = pair(columns, units=3)
    x, dy = some_rows(columns, 6, rng), rng.normal(size=(6, 3))
    for network, rows in ((ours, x), (dense, expanded(columns, x))):
        _, cache = network.forward(rows, Run.train(0))
        network.backward(cache, dy)
    assert_allclose(ours.gradient, dense.gradient, atol=1e-12)


def test_the_slopes_of_its_input_are_numeric_ones_and_none_of_codes():
    rng, columns = np.random.default_rng(0), [AGE, ColumnEncoding(bins=4), ColumnEncoding(values=2)]
    network = Network([Columns(columns, Dense(3), 0.3)], 6, seed=SEED, dtype=np.float64)
    x, dy = some_rows(columns, 5, rng), rng.normal(size=(5, 3))
    x[:, [0, 3]] = [1.25, 2.5]  # inside of bins
    run, codes = Run.train(0), [2]
    _, cache = network.forward(x, run)
    dx = network.backward(cache, dy)
    assert_array_equal(dx[:, codes], 0)
    for slot in (0, 1, 3, 4, 5):
        column = x[:, slot].copy()

        def value(column=column, slot=slot):
            moved = x.copy()
            moved[:, slot] = column
            return float(np.sum(network.forward(moved, run)[0] * dy))

        assert_allclose(dx[:, slot], numeric_gradient(value, column), rtol=1e-6, atol=1e-9)


@upstream_is_meant
@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), AdamW(0.01, weight_decay=0.1)])
@pytest.mark.parametrize("drop", [Dropout(0.4), Dropout(0.4, share="batch")], ids=str)
def test_it_trains_as_the_dense_layer_does(optimizer, drop):
    rng, columns = np.random.default_rng(1), [AGE, ColumnEncoding(bins=7), ColumnEncoding(values=1)]
    x, y = some_rows(columns, 64, rng), rng.normal(size=(64, 2))
    settings = {"l2": 0.01, "l1": 0.001, "max_norm": 1.5}
    behind = [LayerNorm(), ReLU(), drop, Dense(2)]
    ours = Network([Columns(columns, Dense(8, **settings)), *behind], 5, seed=SEED, dtype="float64")
    dense = Network([Dropout(0.0), Dense(8, **settings), *behind], 14, seed=SEED, dtype="float64")
    dense.theta[:] = ours.theta
    how = {"loss": SquaredError(), "optimizer": optimizer, "epochs": 3, "batch_size": 16}
    train(ours, x, y, progress=False, **how)
    train(dense, expanded(columns, x), y, progress=False, **how)
    assert_allclose(ours.theta, dense.theta, rtol=1e-7, atol=1e-10)


def test_dropout_drops_all_that_a_column_stands_for():
    rng, columns, rate = np.random.default_rng(2), [AGE, ColumnEncoding(values=2), AGE], 0.5
    ours, dense = pair(columns, units=4, rate=rate)
    x, run = some_rows(columns, 20, rng), Run.train(7)
    kept = keep_mask(seed=SEED, layer=0, step=7, samples=range(20), units=3, rate=rate)
    assert 0 < kept.mean() < 1
    factors = np.repeat(kept / 0.5, [each.inputs for each in columns], axis=1)
    wanted = dense.outputs(expanded(columns, x) * factors)
    assert_allclose(ours.forward(x, run)[0], wanted, atol=1e-12)
    slots = np.repeat(kept, [each.slots for each in columns], axis=1)
    (found,) = ours.masks(step=7, samples=range(20)).values()
    assert_array_equal(found, slots)
    assert_allclose(ours.outputs(x), dense.outputs(expanded(columns, x)), atol=1e-12)


@upstream_is_meant
def test_the_weights_of_a_column_that_all_rows_drop_stay_as_they_were():
    rng, columns, rate = np.random.default_rng(3), [AGE, ColumnEncoding(values=2), AGE], 0.5
    ours, _ = pair(columns, units=4, rate=rate, share="batch", behind=[ReLU(), Dense(1)])
    x, y, before = some_rows(columns, 16, rng), rng.normal(size=(16, 1)), ours.theta.copy()
    how = {"loss": SquaredError(), "epochs": 1, "batch_size": 16, "progress": False}
    train(ours, x, y, optimizer=AdamW(0.1, weight_decay=0.5), **how)
    kept = keep_mask(seed=SEED, layer=0, step=0, share="batch", units=3, rate=rate)[0]
    assert 0 < kept.sum() < 3
    inputs = np.repeat(kept, [each.inputs for each in columns])
    changed = (ours.theta != before)[: 4 * len(inputs)].reshape(4, -1)
    assert not changed[:, ~inputs].any()
    assert changed[:, inputs].any()


@pytest.mark.parametrize(
    ("slot", "value", "message"),
    [
        (0, -0.5, r"slot 0 of row 2 must be a position in \[0, 3\], got -0.5"),
        (0, 3.5, r"slot 0 of row 2 must be a position in \[0, 3\], got 3.5"),
        (0, np.nan, r"slot 0 of row 2 must be a position in \[0, 3\], got nan"),
        (2, 3.0, "slot 2 of row 2 must be a code from 0 to 2, got 3.0"),
        (2, -1.0, "slot 2 of row 2 must be a code from 0 to 2, got -1.0"),
        (2, 0.5, "slot 2 of row 2 must be a code from 0 to 2, got 0.5"),
        (2, np.nan, "slot 2 of row 2 must be a code from 0 to 2, got nan"),
    ],
)
def test_numbers_that_no_table_gives_are_refused(slot, value, message):
    network = Network([Columns([AGE], Dense(2))], 3, seed=SEED)
    x = np.ones((4, 3), np.float32)
    x[2, slot] = value
    with pytest.raises(ValueError, match=message):
        network.forward(x, Run.predict())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ColumnEncoding(bins=-1), "bins must be an integer from 0 to 16777216, got -1"),
        (lambda: ColumnEncoding(categories=2**24 + 1), "categories must be an int"),
        (lambda: ColumnEncoding(values=2.0), "values must be an integer from 0 to 16777216"),
        (lambda: ColumnEncoding(), "a ColumnEncoding must be of at least one input, got"),
        (lambda: ColumnEncoding(2, 1, 1, [0.5]), "means must be none or 3 finite numbers, got 1"),
        (
            lambda: ColumnEncoding(1, means=[np.nan]),
            "means must be none or 1 finite numbers, got n",
        ),
        (lambda: ColumnEncoding(1, means=["a"]), "means must be none or 1 finite numbers, got 'a'"),
        (lambda: Columns([], Dense(2)), "columns must be a sequence of at least one"),
        (lambda: Columns([3], Dense(2)), "columns must be a sequence of at least one"),
        (lambda: Columns([AGE], ReLU()), "dense must be a Dense layer, got"),
        (lambda: Columns([AGE], Dense(2), 1.5), r"rate must be a number in \[0, 1\], got 1.5"),
        (lambda: Columns([AGE], Dense(2), share="x"), "share must be None or 'batch', got 'x'"),
        (lambda: Network([Columns([AGE], Dense(2))], 4), "rows of Columns must be of 3 numbers"),
    ],
)
def test_settings_that_do_not_fit_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


TABLE = [AGE, ColumnEncoding(categories=5), ColumnEncoding(bins=6), ColumnEncoding(values=2)]


def of_a_table(dtype):
    network = Network([Columns(TABLE, Dense(4), 0.2), ReLU(), Dense(2)], 7, seed=SEED, dtype=dtype)
    rng = np.random.default_rng(4)
    return network, some_rows(TABLE, 50, rng, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_predicts_the_same_in_onnx(dtype):
    network, x = of_a_table(dtype)
    content = network_graph(network).content()
    (found,) = ReferenceEvaluator(onnx.load_from_string(content)).run(None, {"X": x})
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    assert_allclose(found, network.outputs(x), rtol=tolerance, atol=tolerance)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_predicts_the_same_in_torch(dtype):
    import torch

    network, x = of_a_table(dtype)
    with torch.no_grad():
        found = to_torch(network)(torch.tensor(x)).numpy()
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    assert_allclose(found, network.outputs(x), rtol=tolerance, atol=tolerance)
    assert list(to_torch(network).state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_it_is_saved_and_described(tmp_path, capsys):
    network, x = of_a_table("float32")
    save(network, tmp_path / "network.thinnet")
    found = load(tmp_path / "network.thinnet")
    assert found.layers == network.layers
    assert_array_equal(found.outputs(x), network.outputs(x))
    found.describe()
    assert "Columns" in capsys.readouterr().out
