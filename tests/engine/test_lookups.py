"""Compiled lookups: what `Columns` is by itself, for any rows and on any number of threads."""

import numpy as np
import pytest
from arithmetic_cases import CASES, make, training
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from trying import given_few_or_many

from thinnet import (
    SGD,
    AdamW,
    ColumnEncoding,
    Columns,
    Dense,
    Dropout,
    Identity,
    Network,
    ReLU,
    Run,
    sparse,
    train,
)
from thinnet.engine.threads import limited
from thinnet.layers.encodings import CATEGORY, VALUE, slots_of
from thinnet.schedules import Linear

SEED = 3
TABLE = (
    ColumnEncoding(bins=5, values=1, categories=2, means=(0.9, 0.7, 0.5, 0.3, 0.1, 0.25, 0.5)),
    ColumnEncoding(categories=9),
    ColumnEncoding(bins=70),
)
SLOTS = 5


def rows_of(columns, n, seed=0, dtype=np.float32):
    rng, slots = np.random.default_rng(seed), []
    for slot in slots_of(columns):
        if slot.kind == VALUE:
            slots.append(rng.normal(size=n))
        elif slot.kind == CATEGORY:
            slots.append(rng.integers(0, slot.inputs + 1, n))
        else:
            position = rng.uniform(0, slot.inputs, n)
            slots.append(np.where(rng.random(n) < 0.3, position.round(), position))
    return np.array(slots, dtype).T.copy()


def network(executor="compiled", columns=TABLE, units=40, rate=0.3, share=None, dtype="float32"):
    layers = [Columns(columns, Dense(units), rate, share), ReLU(), Dropout(0.4), Dense(3)]
    slots = sum(each.slots for each in columns)
    made = Network(layers, slots, seed=SEED, dtype=dtype, executor=executor)
    made.theta[:] = np.random.default_rng(1).normal(scale=0.3, size=made.theta.size)
    return made


@st.composite
def encodings(draw):
    bins, values, categories = (draw(st.integers(0, most)) for most in (40, 3, 30))
    categories = categories or int(bins + values == 0)
    means = np.linspace(1, 0, bins + categories) if draw(st.booleans()) else ()
    return ColumnEncoding(bins, values, categories, means)


@given_few_or_many(
    few=15,
    many=300,
    columns=st.lists(encodings(), min_size=1, max_size=6),
    units=st.sampled_from([1, 3, 16, 50, 65]),
    dtype=st.sampled_from(["float32", "float64"]),
    share=st.sampled_from([None, "batch"]),
)
def test_it_is_what_the_reference_is(columns, units, dtype, share):
    x = rows_of(tuple(columns), 30, dtype=dtype)
    ours, wanted = (
        network(executor, tuple(columns), units, 0.3, share, dtype)
        for executor in ("compiled", "reference")
    )
    tolerance = {"rtol": 1e-9, "atol": 1e-9} if dtype == "float64" else {"rtol": 1e-3, "atol": 1e-3}
    assert_allclose(ours.outputs(x), wanted.outputs(x), **tolerance)
    for share_of_draws in (None, "batch"):
        draws = [each.sample(x, 3, share=share_of_draws) for each in (ours, wanted)]
        assert_allclose(*draws, **tolerance)
    how = {"optimizer": SGD(0.05), "epochs": 2, "batch_size": 11, "progress": False}
    for each in (ours, wanted):
        train(each, x, (x[:, 0] > 1).astype(int), **how)
    assert_allclose(ours.theta, wanted.theta, **tolerance)


MANY = (ColumnEncoding(bins=700), ColumnEncoding(categories=3000), ColumnEncoding(values=40))


@pytest.mark.parametrize("units", [16, 65])
@pytest.mark.parametrize(
    "how", [{}, {"accumulate": 3, "clip_norm": 0.1}], ids=["plain", "micro-batches"]
)
def test_columns_of_many_inputs_learn_as_the_reference_does(units, how):
    x = rows_of(MANY, 300, dtype="float64")
    ours, wanted = (
        network(executor, MANY, units, Linear(0.1, 0.5, n_steps=3), dtype="float64")
        for executor in ("compiled", "reference")
    )
    how = {"optimizer": AdamW(0.01), "epochs": 1, "batch_size": 100, "progress": False} | how
    for each in (ours, wanted):
        train(each, x, (x[:, 0] > 300).astype(int), **how)
    assert_allclose(ours.theta, wanted.theta, rtol=1e-7, atol=1e-9)


def test_rows_may_come_in_any_form():
    ours, x = network(), rows_of(TABLE, 50)
    wanted = ours.outputs(x)
    for same in (x.astype(np.float64), csr_matrix(x), np.asfortranarray(x), x[::-1][::-1]):
        assert_array_equal(ours.outputs(same), wanted)
    whole = x.round().clip(0).astype(np.uint8)
    assert_array_equal(ours.outputs(whole), ours.outputs(whole.astype(np.float32)))


@pytest.mark.filterwarnings("ignore:dropout stands upstream")
@pytest.mark.parametrize("name", ["columns", "dropped columns", "shared columns"])
def test_the_number_of_threads_changes_no_bit(name):
    found = []
    for threads in (1, 2, 3):
        made = make(CASES[name])
        with limited(threads):
            training(CASES[name], made).advance(2)
        found.append(made.network.theta.copy())
    assert_array_equal(found[1], found[0])
    assert_array_equal(found[2], found[0])


def test_a_row_alone_has_the_bits_that_it_has_among_others():
    x, ours = rows_of(TABLE, 2500), network()
    together = ours.outputs(x)
    for r in (0, 1, 17, 1919, 1920, 2499):
        assert_array_equal(ours.outputs(x[r : r + 1])[0], together[r])


def test_new_weights_are_seen_by_the_next_row():
    x, ours = rows_of(TABLE, 1), network()
    before = ours.outputs(x)
    ours.theta[:] *= 2
    assert (ours.outputs(x) != before).all()


def test_where_all_columns_are_dropped_the_bias_is_left():
    ours = network(rate=1.0)
    y = ours.forward(rows_of(TABLE, 4), Run.train(0))[0]
    assert_allclose(y, ours.forward(rows_of(TABLE, 4, seed=9), Run.train(0))[0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -1e30, -1, 71, 0.5])
def test_compiled_code_stays_within_its_tables_whatever_comes(monkeypatch, value):
    """Rows are checked before; another thread may write to them after."""
    monkeypatch.setattr(Columns, "check_encoded", lambda self, x: None)
    monkeypatch.setattr(sparse, "finite", lambda name, X, dtype: X)
    x, ours = rows_of(TABLE, 300), network()
    for slot in (0, 2, 3, 4):
        x[slot::7, slot] = value
    ours.outputs(x)
    ours.sample(x, 2, progress=False)
    found = ours.outputs(np.nan_to_num(x, nan=0.0, posinf=1e30, neginf=-1e30))
    assert np.isfinite(found).all()


def test_where_it_is_not_first_the_reference_runs_it():
    layers = [Identity(), Columns(TABLE, Dense(4))]
    with pytest.raises(ValueError, match=r"layer 1, Columns.*, has no compiled form"):
        Network(layers, SLOTS, seed=0, executor="compiled").outputs(rows_of(TABLE, 3))
    found, alone = Network(layers, SLOTS, seed=0), Network(layers[1:], SLOTS, seed=0)
    alone.theta[:] = found.theta
    x = rows_of(TABLE, 3)
    assert_allclose(found.outputs(x), alone.outputs(x), rtol=1e-5, atol=1e-6)
