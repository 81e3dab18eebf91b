"""Number columns that add up to the target."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from trying import given_few_or_many

from thinnet import TableRegressor
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.noticing import sum_note
from thinnet.tables.columns.sums import Sum, sum_of

N = 1500
RNG = np.random.default_rng(0)
CASUAL = RNG.poisson(30, N)
REGISTERED = RNG.poisson(150, N)
THIRD = np.round(RNG.gamma(2, 40, N), 2)
OTHERS = {f"z{i}": RNG.normal(size=N) for i in range(6)} | {"city": RNG.choice([*"ab"], N)}
BASE = pd.DataFrame({"casual": CASUAL, "registered": REGISTERED, "third": THIRD, **OTHERS})


def found(table, y):
    return sum_of(table, TableEncoder(n_bins=2).fit(table), np.asarray(y, float))


SUMS = {
    "two columns": (CASUAL + REGISTERED, {"casual": 1, "registered": 1}, True),
    "three columns": (
        CASUAL + REGISTERED + THIRD, {"casual": 1, "registered": 1, "third": 1}, True),
    "a difference": (THIRD - CASUAL, {"casual": -1, "third": 1}, True),
    "all less than nothing": (-THIRD - CASUAL, {"casual": -1, "third": -1}, True),
    "a sum and a constant": (CASUAL + REGISTERED + 1e4, {"casual": 1, "registered": 1}, True),
    "nearly a sum": (
        CASUAL + REGISTERED + RNG.normal(size=N) * 0.05, {"casual": 1, "registered": 1}, False),
    "a rounded sum": (np.round(THIRD + CASUAL), {"casual": 1, "third": 1}, False),
}  # fmt: skip


@pytest.mark.parametrize(("y", "terms", "exact"), SUMS.values(), ids=SUMS)
def test_sums_and_differences_are_found(y, terms, exact):
    answer = found(BASE, y)
    assert dict(answer.terms) == terms
    assert answer.is_exact == exact


NONE = {
    "noise": RNG.normal(size=N),
    "a sum with much noise": CASUAL + REGISTERED + RNG.normal(size=N),
    "other coefficients": 2 * CASUAL + 3 * REGISTERED,
    "nearly other coefficients": 1.2 * CASUAL + 1.2 * REGISTERED,
    "a product": CASUAL * REGISTERED,
    "one column alone": THIRD,
    "one column and little of another": THIRD + OTHERS["z0"] / 10,
    "constant": np.zeros(N),
}


@pytest.mark.parametrize("y", NONE.values(), ids=NONE)
def test_other_targets_are_no_sums(y):
    assert found(BASE, y) is None


def test_holes_and_columns_that_say_the_same_hide_nothing():
    rng = np.random.default_rng(1)
    table = BASE.astype(dict.fromkeys(["casual", "registered"], float))
    table["again"], table["double"] = table["casual"], 2 * table["registered"]
    table["empty"] = np.where(rng.random(N) < 0.9, np.nan, 1.0 * CASUAL + REGISTERED)
    table.loc[rng.random(N) < 0.3, "registered"] = np.nan
    table.loc[rng.random(N) < 0.1, "casual"] = np.nan
    table["double"] = table["double"].where(rng.random(N) < 0.7)
    answer = found(table, CASUAL + REGISTERED)
    assert {name for name, _ in answer.terms} <= {"casual", "again", "registered"}
    assert len(answer.terms) == 2


def test_a_sum_among_very_many_columns_is_found():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(400, 300))).add_prefix("x")
    answer = found(table, table["x7"] - table["x250"])
    assert dict(answer.terms) == {"x7": 1, "x250": -1}


def test_a_sum_of_the_first_rows_alone_is_none():
    y = (CASUAL + REGISTERED).astype(float)
    y[[5, 100, 700]] += 500
    assert found(BASE, y) is None


def test_columns_that_are_the_target_by_themselves_are_no_terms():
    y = CASUAL + REGISTERED
    table = BASE.assign(copy=y, double=2 * y, noisy=y + OTHERS["z0"] / 10)
    assert dict(found(table, y).terms) == {"casual": 1, "registered": 1}


def test_few_rows_show_nothing():
    assert found(BASE[:15], (CASUAL + REGISTERED)[:15]) is None
    assert found(BASE[["casual"]], CASUAL) is None


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_no_number_is_too_large_or_too_small(size):
    table = BASE[["casual", "registered", "third"]] * size
    assert len(found(table, (CASUAL + REGISTERED) * size).terms) == 2


@given_few_or_many(
    few=40,
    many=1000,
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(2, 200),
    columns=st.integers(1, 60),
    whole=st.booleans(),
    heavy=st.booleans(),
)
def test_random_tables_raise_no_alarm(seed, rows, columns, whole, heavy):
    rng = np.random.default_rng(seed)
    x = rng.standard_t(1.5, (rows, columns)) if heavy else rng.normal(size=(rows, columns))
    x = x @ rng.normal(size=(columns, columns)) if rng.random() < 0.5 else x
    x = np.round(x) if whole else x
    x[rng.random(x.shape) < rng.choice([0, 0.05, 0.5])] = np.nan
    table = pd.DataFrame(x).add_prefix("x").assign(last=rng.permutation(rows) * 1.0)
    y = rng.normal(size=rows) + np.nan_to_num(x[:, 0])
    try:
        encoder = TableEncoder(n_bins=1).fit(table)
    except ValueError:  # no column differs from row to row
        return
    assert sum_of(table, encoder, np.round(y) if whole and rows > 60 else y) is None


@pytest.mark.parametrize(
    ("terms", "exact", "words"),
    [
        ((("a", 1), ("b", 1)), True, "'a' + 'b' is the target: leave out"),
        ((("a", -1), ("b", 1)), False, "'b' - 'a' is nearly the target: leave out"),
        ((("a", -1), ("b", -1)), True, "- 'a' - 'b' is the target: leave out"),
    ],
)
def test_a_note_says_which_columns_add_up(terms, exact, words):
    assert sum_note(Sum(terms, exact)).startswith(words)


def test_fit_notes_it_in_the_targets_own_units():
    y = CASUAL + REGISTERED
    skewed = np.where(np.arange(N) % 9 == 0, 20 * CASUAL, CASUAL)
    model = TableRegressor((4,), max_iter=1, n_networks=1, random_state=0)
    assert any("'casual' + 'registered' is the target" in n for n in model.fit(BASE, y).notes_)
    model.fit(BASE.assign(casual=skewed), skewed + REGISTERED)
    assert model.target_scale_.unit[0] > 0  # learned as a logarithm
    assert any("'casual' + 'registered' is the target" in note for note in model.notes_)
    several = model.fit(BASE, np.c_[y, OTHERS["z0"] + RNG.normal(size=N), THIRD - CASUAL])
    assert sum(" is the target" in note for note in several.notes_) == 2


def test_all_rows_must_have_a_sum_that_a_sample_has():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(9000, 3)), columns=["a", "b", "c"])
    y = (table["a"] + table["b"]).to_numpy(copy=True)
    assert len(found(table, y).terms) == 2
    y[1] += 1000
    assert found(table, y) is None
