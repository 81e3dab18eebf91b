"""Rows for a layer of lookups stand for the very features of the encoder."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from mixed_table import ROWS, mixed
from numpy.testing import assert_allclose, assert_array_equal
from paths import VECTORS
from sklearn.preprocessing import FunctionTransformer
from trying import given_few_or_many

from thinnet import (
    ColumnEncoding,
    Columns,
    Dense,
    Network,
    ReLU,
    TableEncoder,
    TableRegressor,
    load,
    train,
)
from thinnet.layers import encodings
from thinnet.layers.base import title
from thinnet.optimizers import SGD
from thinnet.tables.columns import parts, transformers
from thinnet.tables.columns.pieces import PiecewiseLinear

NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, np.nan])


def inputs(encoder, rows):
    """The features that rows of lookups stand for, one by one."""
    z = []
    for row in rows.tolist():
        slots = iter(row)
        for bins, values, categories in map(dataclasses.astuple, encoder.encodings_):
            if bins:
                position = next(slots)
                z += [min(max(position - k, 0), 1) for k in range(bins)]
            z += [next(slots) for _ in range(values)]
            if categories:
                code = next(slots)
                z += [float(code == k + 1) for k in range(categories)]
    return np.reshape(z, (len(rows), -1))


def of_all_kinds():
    table = mixed()
    encoder = TableEncoder(n_bins=4, max_categories=20, missing=["-9", "30"])
    encoder.fit(table, np.arange(len(table)) % 7 / 7)
    return encoder, table


def test_they_stand_for_what_transform_gives():
    encoder, table = of_all_kinds()
    table.loc[20, "city"], table.loc[21, "many"], table.loc[22, "rare"] = "Rom", "new", "r1"
    table.loc[23, "whole"], table.loc[24, "written"], table.loc[25, "number"] = -9, "30", 1e305
    rows, features = encoder.lookups(table), encoder.transform(table)
    assert rows.dtype == np.float32
    assert rows.shape == (ROWS, sum(each.slots for each in encoder.encodings_))
    assert rows.shape[1] < features.shape[1]
    assert_allclose(inputs(encoder, rows), features, atol=2e-6)
    kinds = {column.name: column.kind for column in encoder.columns_}
    assert set(kinds.values()) == {"number", "category", "date", "text"}


def test_a_columns_features_stand_together_and_have_its_name():
    encoder, _ = of_all_kinds()
    names, start = encoder.get_feature_names_out(), 0
    columns = dict.fromkeys(name for part in encoder.parts_.parts for name in part.columns)
    for column, encoding in zip(columns, encoder.encodings_, strict=True):
        own = names[start : start + encoding.inputs]
        assert all(column in name for name in own)
        start += encoding.inputs
    assert start == len(names)


@given_few_or_many(
    few=20,
    many=500,
    numbers=st.lists(NUMBERS, min_size=3, max_size=30),
    others=st.lists(NUMBERS, min_size=1, max_size=30),
    n_bins=st.integers(1, 9),
)
def test_any_number_is_in_the_range_of_its_column(numbers, others, n_bins):
    numbers = [-1.5, 2.5, *numbers]  # so that the column says something
    encoder = TableEncoder(n_bins=n_bins, kinds={"x": "number"}).fit(pd.DataFrame({"x": numbers}))
    table = pd.DataFrame({"x": [*numbers, *others]})
    rows = encoder.lookups(table)
    Columns(encoder.encodings_, Dense(1)).check_encoded(rows)
    assert_allclose(inputs(encoder, rows), encoder.transform(table), atol=1e-5)
    known, every = (np.array(x)[:, None] for x in (numbers, [*numbers, *others]))
    known, every = (np.where(np.isnan(x), np.nanmedian(known), x) for x in (known, every))
    shares = PiecewiseLinear(n_bins).fit(known).transform(every)
    assert_allclose(encoder.transform(table)[:, : shares.shape[1]], shares, atol=1e-5)
    again = TableEncoder(n_bins=n_bins, kinds={"x": "number"})
    of_fit = again.fit_transform(pd.DataFrame({"x": numbers}))  # made by parts, not row by row
    assert_allclose(of_fit[:, : shares.shape[1]], shares[: len(numbers)], atol=1e-5)


def test_a_network_learns_from_them():
    rng = np.random.default_rng(0)
    sign = rng.choice(["plus", "minus"], 2000)
    table = pd.DataFrame({"x": rng.uniform(-3, 3, 2000), "sign": sign})
    y = np.sin(table["x"].to_numpy()) * np.where(sign == "plus", 1, -1)
    encoder = TableEncoder(n_bins=16).fit(table)
    rows = encoder.lookups(table)
    layers = [Columns(encoder.encodings_, Dense(64)), ReLU(), Dense(1)]
    network = Network(layers, rows.shape[1], seed=0)
    train(network, rows, y[:, None], epochs=30, batch_size=32, progress=False)
    assert np.mean((network.outputs(rows)[:, 0] - y) ** 2) < 0.02


@given_few_or_many(
    few=5,
    many=60,
    seed=st.integers(0, 2**32 - 1),
    numbers=st.integers(0, 3),
    labels=st.integers(0, 3),
    holes=st.booleans(),
    n_bins=st.integers(1, 9),
)
def test_training_on_them_is_training_on_the_features(seed, numbers, labels, holes, n_bins):
    rng, n = np.random.default_rng(seed), 60
    table = {f"x{i}": rng.normal(size=n) for i in range(numbers)}
    table |= {f"c{i}": rng.choice(["a", "b", "c"], n) for i in range(labels + (numbers == 0))}
    frame = pd.DataFrame(table)
    if holes and numbers:
        frame.loc[::7, "x0"] = np.nan
    encoder = TableEncoder(n_bins=n_bins).fit(frame)
    y, found = rng.normal(size=(n, 1)), []
    for rows, first in (
        (encoder.lookups(frame), Columns(encoder.encodings_, Dense(8))),
        (encoder.transform(frame), Dense(8)),
    ):
        network = Network([first, ReLU(), Dense(1)], rows.shape[1], seed=3, dtype="float64")
        how = {"batch_size": 16, "epochs": 3, "progress": False}
        train(network, rows.astype(np.float64), y, optimizer=SGD(0.01), **how)
        found.append(network)
    assert_allclose(found[0].theta, found[1].theta, rtol=1e-4, atol=1e-5)


def test_a_tables_estimator_reads_its_table_as_them():
    table = mixed()
    model = TableRegressor(n_networks=2, max_iter=2, random_state=0).fit(table, table["whole"])
    for network in model.networks_:
        assert network.layers[0].columns == model.encoder_.encodings_
    rows = model.encoder_.lookups(table)
    raw = np.mean([network.outputs(rows)[:, 0] for network in model.networks_], axis=0)
    scale = model.target_scale_
    assert_allclose(model.predict(table), raw * scale.scale + scale.center, rtol=1e-5)


class Turning(TableEncoder):
    """An encoder with sines in the place of bins."""

    def _parts(self, ready, has_target):
        parts = super()._parts(ready, has_target)
        sine = FunctionTransformer(np.sin, feature_names_out="one-to-one")
        return [p._replace(transformer=sine) if p.name == "piece" else p for p in parts]


def test_what_parts_of_ones_own_make_are_plain_numbers():
    table = pd.DataFrame({"x": np.arange(9.0) ** 2, "c": ["u", "v", "w"] * 3})
    encoder = Turning().fit(table)
    assert set(encoder.encodings_) == {
        ColumnEncoding(values=2),  # a sine and a normal score
        ColumnEncoding(categories=3),
    }
    assert_allclose(inputs(encoder, encoder.lookups(table)), encoder.transform(table))
    assert np.isclose(encoder.transform(table), np.sin(table[["x"]])).all(axis=0).any()


def test_an_encoder_of_before_there_were_lookups_says_so():
    model = load(sorted(VECTORS.glob("models/*/*table*.thinnet"))[0])
    with pytest.raises(ValueError, match="the encoder must be fitted again"):
        model.encoder_.lookups(pd.DataFrame({"a": [1.0]}))
    assert not hasattr(model.encoder_, "encodings_")


def test_large_tables_are_encoded_part_by_part_by_the_same_numbers(monkeypatch):
    encoder, table = of_all_kinds()
    rows, features = encoder.lookups(table), encoder.transform(table)
    for module, name, small in (
        (parts, "BLOCK", 7),
        (transformers, "TOGETHER", 2 * len(table)),
        (encodings, "BLOCK", 5),
        (encodings, "EXPANDED", 3),
    ):
        monkeypatch.setattr(module, name, small)
    again, _ = of_all_kinds()
    assert len(again.parts_.parts) > len(encoder.parts_.parts)
    assert_array_equal(again.lookups(table), rows)
    assert_array_equal(again.transform(table), features)
    bad = rows.copy()
    bad[-1, 0] = -1
    with pytest.raises(ValueError, match="slot 0 of a row must be a position"):
        Columns(again.encodings_, Dense(1)).check_encoded(bad)


def test_a_layer_of_many_columns_has_a_short_title():
    columns = [ColumnEncoding(bins=4)] * 50
    assert title(Columns(columns, Dense(8), 0.1)) == "Columns(50 columns, dense=Dense(8), rate=0.1)"
