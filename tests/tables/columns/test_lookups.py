"""Rows for a layer of lookups stand for the very features of the encoder."""

import copy

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from mixed_table import ROWS, mixed
from numpy.testing import assert_allclose, assert_array_equal
from trying import given_few_or_many

from thinnet import Columns, Dense, Network, ReLU, TableEncoder, train
from thinnet.layers.encodings import CATEGORY, VALUE, inputs_of
from thinnet.tables.columns.lookups import lookups_of

NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, np.nan])


def inputs(encoder, rows):
    """The inputs that rows of lookups stand for, in the order of the encoder's features."""
    of, found = inputs_of(encoder.encodings_), lookups_of(encoder.transformer_)
    d = rows[:, of.slots] - of.numbers
    z = np.where(of.kinds == CATEGORY, d == 0, np.clip(d, 0, 1))
    features = np.empty((len(rows), len(of.slots)))
    features[:, found.features] = np.where(of.kinds == VALUE, d, z)
    return features


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


def test_each_feature_is_one_input():
    encoder, _ = of_all_kinds()
    found = lookups_of(encoder.transformer_)
    n = len(encoder.get_feature_names_out())
    assert_array_equal(np.sort(found.features), np.arange(n))
    assert sum(each.inputs for each in found.encodings) == n


def test_a_columns_inputs_have_its_name():
    encoder, _ = of_all_kinds()
    names, start = encoder.get_feature_names_out(), 0
    features = lookups_of(encoder.transformer_).features
    columns = [str(name) for name in encoder.transformer_.feature_names_in_]
    for column, encoding in zip(columns, encoder.encodings_, strict=True):
        own = names[features[start : start + encoding.inputs]]
        assert all(column in name for name in own)
        start += encoding.inputs


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


def test_a_text_of_an_earlier_versions_model_is_known_by_its_name():
    encoder, table = of_all_kinds()
    wanted = encoder.lookups(table)
    fitted = encoder.transformer_
    named = [
        (name, step, str(fitted.feature_names_in_[at]) if name.startswith("text") else at)
        for name, step, at in fitted.transformers_
    ]
    earlier = copy.copy(fitted)
    earlier.transformers_ = named
    encoder.transformer_ = earlier
    assert_array_equal(encoder.lookups(table), wanted)


class Doubling(TableEncoder):
    def _transformer(self, ready, has_target):
        found = super()._transformer(ready, has_target)
        found.transformers = [("number", "passthrough", found.transformers[0][2])]
        return found


def test_steps_of_ones_own_are_refused():
    encoder = Doubling().fit(pd.DataFrame({"x": np.arange(9.0) ** 2}))
    with pytest.raises(ValueError, match="steps of the encoder must be its own for lookups"):
        encoder.lookups(pd.DataFrame({"x": [1.0]}))
