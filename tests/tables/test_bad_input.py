"""Bad input to tables: each has a stated meaning or a sentence, the same for few and many rows."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import DriftWarning, TableClassifier, TableEncoder, TableRegressor, load, save
from thinnet.tables import memory
from thinnet.tables.columns.kinds import column_of

SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "n_networks": 2, "random_state": 0}
ROWS, FEW, MANY = 120, 5, 40
RNG = np.random.default_rng(0)
PLACES = np.arange(ROWS)
NUMBERS = RNG.normal(size=ROWS)
TABLE = pd.DataFrame(
    {
        "number": np.where(PLACES % 9 == 0, np.nan, NUMBERS),
        "category": np.where(PLACES % 7 == 0, None, RNG.choice(["x", "y", "z"], ROWS)),
        "many": [f"c{i}" for i in RNG.integers(0, 30, ROWS)],
        "date": pd.date_range("2020-01-01", periods=ROWS, freq="D").astype(str),
        "text": [" ".join(RNG.choice(["old", "new", "rare", "used"], 3)) + f" {i}" for i in PLACES],
    }
)


@pytest.fixture(scope="module")
def models():
    encoder = TableEncoder(max_categories=10)
    classifier = TableClassifier(**SMALL, encoder=encoder).fit(TABLE, NUMBERS > 0)
    return TableRegressor(**SMALL, encoder=encoder).fit(TABLE, NUMBERS), classifier


def answers(models, table):
    """Numbers and probabilities, which are all finite."""
    regressor, classifier = models
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftWarning)
        found = regressor.predict(table), classifier.predict_proba(table)
    assert all(np.isfinite(each).all() for each in found)
    return found


def with_cell(name, cell, rows):
    table = TABLE.iloc[:rows].astype({name: object})
    table.iat[2, table.columns.get_loc(name)] = cell
    return table


CELLS = {
    "a text": "abc", "an empty text": "", "infinity": np.inf, "-infinity": -np.inf, "NaN": np.nan,
    "the largest": 1e308, "the least": -1e308, "a denormal": 1e-320, "-0": -0.0,
    "a whole number beyond float64": 10**400, "its negative": -(10**400), "true": True,
    "none": None, "no time": pd.NaT, "a timestamp": pd.Timestamp("2020-01-05"),
    "a decimal": Decimal("1.5"), "a quiet NaN": Decimal("NaN"), "a loud NaN": Decimal("sNaN"),
    "a decimal beyond float64": Decimal("1e999"), "bytes": b"x", "an object": int, "NUL": "\0",
    "a long text": "9" * 5000, "words": "x y " * 5000, "1e400": "1e400", "hex": "0x10",
    "other digits": "١٢", "a dash": "-", "a day that is none": "2020-13-45",
    "year 0": "0000-01-01", "a far year": "99999-01-01", "half a float": np.float16(1.5),
    "the largest integer": np.uint64(2**64 - 1), "beyond float64": np.longdouble("1e4000"),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_strange_cell_has_a_meaning_that_few_and_many_rows_share(cell, models):
    for name in TABLE.columns:
        few, many = (answers(models, with_cell(name, cell, rows)) for rows in (FEW, MANY))
        for one, other in zip(few, many, strict=True):
            assert_allclose(one, other[:FEW], rtol=1e-5, atol=1e-6)


def answer(models, name, cell, rows):
    return answers(models, with_cell(name, cell, rows))[0][2]


@pytest.mark.parametrize("rows", [FEW, MANY])
def test_what_strange_cells_mean(models, rows):
    low, high = np.nanmin(TABLE.number), np.nanmax(TABLE.number)
    for cell in ("abc", np.nan, Decimal("sNaN"), "-", "1,2,3"):
        assert answer(models, "number", cell, rows) == answer(models, "number", None, rows)
    for cell in (np.inf, 1e308, 10**400, "1e400", Decimal("1e999"), 1e30):
        assert answer(models, "number", cell, rows) == answer(models, "number", high, rows)
    for cell in (-np.inf, -1e308, -(10**400)):
        assert answer(models, "number", cell, rows) == answer(models, "number", low, rows)
    for cell in ("2020-13-45", "soon", "-", 1e308):
        assert answer(models, "date", cell, rows) == answer(models, "date", None, rows)
    for name in ("category", "many"):
        unseen = answer(models, name, "never seen", rows)
        assert unseen == answer(models, name, 10**400, rows) == answer(models, name, "\0", rows)


WHOLE = {
    "whole numbers": PLACES, "truth": PLACES % 2 == 0, "bytes": PLACES.astype(np.uint8),
    "half floats": np.full(ROWS, np.inf, np.float16), "NaN": np.full(ROWS, np.nan),
    "none": np.full(ROWS, None), "no times": np.full(ROWS, "NaT", "M8[s]"),
    "spans": pd.to_timedelta(PLACES, "s"), "months": pd.period_range("2021-01", periods=ROWS),
    "days of a zone": pd.date_range("2021-01-01", periods=ROWS, tz="Europe/Berlin"),
    "categories": pd.Categorical(["x"] * ROWS), "the largest": np.full(ROWS, 1e308),
    "intervals": pd.interval_range(0, ROWS, ROWS), "texts": np.full(ROWS, "x"),
    "integers with holes": pd.array([1, None] * (ROWS // 2), dtype="Int64"),
    "beyond float64": np.full(ROWS, np.longdouble("1e4000")),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cells", WHOLE.values(), ids=WHOLE)
def test_a_column_of_another_type_has_a_meaning(cells, models):
    for name in TABLE.columns:
        few, many = (
            answers(models, TABLE[:rows].assign(**{name: cells[:rows]})) for rows in (FEW, MANY)
        )
        for one, other in zip(few, many, strict=True):
            assert_allclose(one, other[:FEW], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", [FEW, MANY])
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([1], r"'{}' must hold single values, got the list \[1\] in row 2"),
        ({}, "'{}' must hold single values, got the dict {{}} in row 2"),
        ("a\ud800", r"'{}' must hold text that UTF-8 has a form for, got 'a\\ud800' in row 2"),
    ],
)
def test_cells_without_a_meaning_are_refused_with_their_place(cell, message, rows, models):
    for name in TABLE.columns:
        with pytest.raises(ValueError, match=message.format(name)):
            answers(models, with_cell(name, cell, rows))


@pytest.mark.parametrize("rows", [FEW, MANY])
def test_columns_go_by_name_and_one_that_is_missing_is_named(rows, models):
    table = TABLE.iloc[:rows]
    wanted = answers(models, table)
    mixed = table[table.columns[::-1]].assign(more=1.0)
    for found, one in zip(answers(models, mixed), wanted, strict=True):
        assert_array_equal(found, one)
    with pytest.raises(ValueError, match="column 'many' must be in the table"):
        models[0].predict(table.drop(columns="many"))
    with pytest.raises(ValueError, match="4 features"):
        models[0].predict(table.to_numpy()[:, :4])


STRANGE = {
    "both ends of float64": np.where(PLACES % 2, 1e308, -1e308),
    "all of float64": 1.7e308 * np.linspace(-1, 1, ROWS)[::-1][RNG.permutation(ROWS)],
    "denormals": RNG.random(ROWS) * 1e-310,
    "the least and the largest": np.where(PLACES % 2, 5e-324, 1e308),
    "neighbours": np.where(PLACES % 2, 1.0, np.nextafter(1, 2)),
    "neighbours of 0": 5e-324 * (PLACES % 2),
    "large neighbours": 1e16 + 2 * (PLACES % 3),
    "some infinite": np.where(PLACES % 5 == 0, np.inf, NUMBERS),
    "infinite or one": np.where(PLACES % 2, np.inf, 1.0),
    "one other": np.where(PLACES == 3, 2.0, 1.0),
    "one that is there": np.where(PLACES == 3, 2.0, np.nan),
    "holes and one number": np.where(PLACES % 2, 1.0, np.nan),
    "integers beyond float64": [10**400, -(10**400), *range(ROWS - 2)][::-1],
    "one day": np.where(PLACES == 3, np.datetime64("2000-01-01", "s"), np.datetime64("NaT")),
    "far days": np.resize(np.array(["0001-01-01", "294000-01-01", "2000-01-01"], "M8[s]"), ROWS),
    "half of them dates": np.where(PLACES % 2, "2020-01-01", "2020-13-45"),
    "rare categories": [f"c{i // 2}" if i < 40 else "c" for i in PLACES],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cells", STRANGE.values(), ids=STRANGE)
def test_a_strange_column_is_learned_from_saved_and_read_again(cells, tmp_path):
    """Its bins collapse, and in a fold it is constant."""
    table = pd.DataFrame({"number": NUMBERS, "strange": cells})
    model = TableRegressor(**SMALL | {"n_networks": 5}).fit(table, NUMBERS)
    found = model.predict(table)
    assert np.isfinite(found).all()
    assert_allclose(model.predict(table[:FEW]), found[:FEW], rtol=1e-5, atol=1e-6)
    save(model, tmp_path / "model.thinnet")
    assert_array_equal(load(tmp_path / "model.thinnet").predict(table), found)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (np.full(ROWS, np.inf), "all its cells are the same"),
        (np.where(PLACES % 2, np.inf, -np.inf), "none of its numbers is finite"),
        (np.where(PLACES % 2, np.inf, np.nan), "none of its numbers is finite"),
        (np.full(ROWS, np.nan), "all its cells are missing"),
        (np.full(ROWS, None), "all its cells are missing"),
        (np.full(ROWS, ""), "all its cells are missing"),
        (np.full(ROWS, "NaT", "M8[s]"), "all its cells are missing"),
    ],
)
def test_columns_that_say_nothing_are_left_out_with_a_reason(cells, why):
    encoder = TableEncoder().fit(pd.DataFrame({"a": NUMBERS, "b": cells}))
    assert encoder.columns_[1][:2] == ("b", "left out")
    assert encoder.columns_[1].why == why
    with pytest.raises(ValueError, match="X must have a column that differs from row to row"):
        TableEncoder().fit(pd.DataFrame({"b": cells}))


def test_a_note_says_what_infinite_numbers_are_taken_for():
    cells = pd.Series(["1", "2", "inf", "soon", *["3"] * 40])
    assert column_of("a", cells[cells != "soon"]).why == (
        "infinite numbers are taken for the ends of the others' range"
    )
    assert column_of("a", cells).why.startswith("cells such as 'soon' are taken as missing; inf")


def test_more_categories_than_there_is_memory_for_are_refused_before_training(monkeypatch):
    """The first rows may show few of them."""
    names = [f"c{i // 2}" for i in range(4000)]
    table = pd.DataFrame({"c": names, "a": RNG.normal(size=4000)})
    encoder = TableEncoder(max_categories=10**6, min_frequency=1)
    monkeypatch.setattr(memory, "LITTLE", 2**20)
    monkeypatch.setattr(memory, "available", lambda: 2**24)
    message = r"fit needs about 0\.\d GB for networks of 2,0\d\d inputs, there are 0\.0 GB"
    with pytest.raises(MemoryError, match=message):
        TableRegressor(encoder=encoder).fit(table, table.a.to_numpy())
    TableRegressor(**SMALL).fit(table[:50], table.a.to_numpy()[:50])


def test_many_categories_have_codes_of_their_own_or_share_one():
    names = [f"c{i // 2}" for i in RNG.permutation(6000)]
    table = pd.DataFrame({"c": names})
    for most, codes in ((1000, 1000), (10**6, 3000)):
        encoder = TableEncoder(max_categories=most, min_frequency=2).fit(table)
        found = encoder.lookups(table)[:, 0]
        assert encoder.encodings_[0].categories == codes
        assert (found.min(), found.max()) == (1, codes)
        assert encoder.lookups(pd.DataFrame({"c": ["never seen"]}))[0, 0] == (
            codes if codes < 3000 else 0
        )
