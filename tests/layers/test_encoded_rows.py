"""Arrays that no table gives: each pass refuses them in a sentence, or they mean what they say."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from thinnet import ColumnEncoding, Columns, Dense, Network, ReLU, Run, Training, load, save, train

TABLE = (
    ColumnEncoding(bins=5, values=1, categories=2),
    ColumnEncoding(categories=9),
    ColumnEncoding(bins=70),
)
POSITION, VALUE, CODE, OTHER_CODE, OTHER_POSITION = range(5)
ROWS, ROW = 50, 17
GOOD = np.ones((ROWS, 5), np.float32)
LABELS = np.arange(ROWS) % 3


def network(executor=None, dtype=np.float32):
    layers = [Columns(TABLE, Dense(20), 0.3), ReLU(), Dense(3)]
    return Network(layers, 5, seed=3, executor=executor, dtype=dtype)


def loaded(x, folder):
    save(network(), folder / "network.thinnet")
    return load(folder / "network.thinnet").outputs(x)


PASSES = {
    "outputs": lambda x, _: network().outputs(x),
    "outputs of the reference": lambda x, _: network("reference").outputs(x),
    "draws": lambda x, _: network().sample(x, 2, progress=False),
    "a learning pass": lambda x, _: network().forward(x, Run.train(0))[0],
    "a training": lambda x, _: train(network(), x, LABELS, epochs=1, progress=False),
    "a training in steps": lambda x, _: Training(network(), x, LABELS).advance(1),
    "a training of the reference": lambda x, _: train(
        network("reference"), x, LABELS, epochs=1, progress=False
    ),
    "a validation": lambda x, _: train(
        network(), GOOD, LABELS, epochs=1, validation=(x, LABELS), progress=False
    ),
    "a loaded network": loaded,
}
each_pass = pytest.mark.parametrize("done", PASSES.values(), ids=PASSES)


def with_value(slot, value, dtype=np.float32):
    x = GOOD.astype(dtype)
    x[ROW, slot] = value
    return x


BAD = [
    *((slot, value) for slot in range(5) for value in (np.nan, np.inf, -np.inf)),
    *((slot, -1) for slot in (POSITION, CODE, OTHER_CODE, OTHER_POSITION)),
    *((slot, 71) for slot in (POSITION, CODE, OTHER_CODE, OTHER_POSITION)),
    *((slot, 1e30) for slot in (POSITION, CODE, OTHER_CODE, OTHER_POSITION)),
    *((slot, 0.5) for slot in (CODE, OTHER_CODE)),
    *((slot, 1e-40) for slot in (CODE, OTHER_CODE)),
    *((slot, -1e-40) for slot in (POSITION, OTHER_POSITION)),
    (POSITION, np.nextafter(np.float32(5), np.float32(6))),
    (CODE, 3),
    (OTHER_CODE, 10),
]


def is_bad(name, slot, value):
    """A pass by itself takes infinite numbers, as that of a Dense layer does."""
    return name != "a learning pass" or slot != VALUE or np.isnan(value)


@pytest.mark.parametrize("name", PASSES)
def test_a_number_that_no_table_gives_is_refused_with_its_place(name, tmp_path):
    for slot, value in (bad for bad in BAD if is_bad(name, *bad)):
        allowed = f"slot {slot} of row {ROW} must be |finite, got .* row {ROW}, column {slot}"
        with pytest.raises(ValueError, match=allowed):
            PASSES[name](with_value(slot, value), tmp_path)


TYPES = [np.int8, np.int64, ">f4", np.longdouble]


@each_pass
def test_numbers_of_other_types_are_checked_too(done, tmp_path):
    for dtype in TYPES:
        with pytest.raises(ValueError, match=f"slot {CODE} of row {ROW} must be a code from 0 to"):
            done(with_value(CODE, 3, dtype), tmp_path)
        with pytest.raises(ValueError, match=f"slot {POSITION} of row {ROW} must be a position"):
            done(with_value(POSITION, -1, dtype), tmp_path)


FORMS = {
    "by columns": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "backwards": lambda x: x[:, ::-1].copy()[:, ::-1],
    "sparse": sparse.csr_array,
    "sparse by columns": sparse.csc_matrix,
    "a frame": pd.DataFrame,
    "lists": np.ndarray.tolist,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_rows_in_other_forms_are_checked_too(form, tmp_path):
    for done in PASSES.values():
        done(form(GOOD), tmp_path)
        with pytest.raises(ValueError, match=f"slot {OTHER_CODE} of row {ROW} must be a code"):
            done(form(with_value(OTHER_CODE, 10)), tmp_path)


@pytest.mark.parametrize(
    "x",
    [
        np.full((ROWS, 5), "1"), np.ones((ROWS, 5), object), np.ones((ROWS, 5), complex),
        np.ones((ROWS, 5), "m8[s]"), np.ones((ROWS, 6)), np.ones((ROWS, 4)), np.ones(5),
        np.ones((ROWS, 5, 1)), np.ones((0, 5)), np.ma.masked_array(GOOD, GOOD > 0),
    ],
    ids=["text", "objects", "complex", "times", "wide", "narrow", "one axis", "three", "none",
         "masked"],
)  # fmt: skip
def test_what_is_no_encoded_table_is_refused(x, tmp_path):
    for done in PASSES.values():
        with pytest.raises(ValueError, match=r"real numbers|takes \(rows, 5\)|empty|masked"):
            done(x, tmp_path)


@pytest.mark.parametrize("value", [3.5e38, 1e300, -1e300])
def test_a_number_beyond_the_networks_type_is_refused(value, tmp_path):
    message = rf"X must be (finite|within \+-3.40282e\+38).* in row {ROW}, column {VALUE}"
    for name in ("outputs", "draws", "a training", "a validation"):
        with pytest.raises(ValueError, match=message):
            PASSES[name](with_value(VALUE, value, np.float64), tmp_path)


def test_tiny_numbers_and_negative_zeros_are_what_they_are():
    x = GOOD.astype(np.float64)
    x[:, [POSITION, VALUE, OTHER_POSITION]] = 1e-320
    x[1::2] *= -0.0 + np.array([1, 1, 0, 0, 1])
    x[2::3] = -0.0
    for dtype in (np.float32, np.float64):
        found = network(dtype=dtype).outputs(x)
        assert_array_equal(found, network(dtype=dtype).outputs(np.where(x == 0, 0.0, x)))
        assert np.isfinite(found).all()


def test_a_position_that_rounding_takes_to_the_end_is_the_end():
    x = with_value(POSITION, np.nextafter(5.0, 0), np.float64)
    assert_array_equal(network().outputs(x), network().outputs(with_value(POSITION, 5)))


@pytest.mark.parametrize("field", ["bins", "categories"])
def test_a_million_bins_or_categories_are_looked_up(field):
    n = 10**6
    layers = [Columns([ColumnEncoding(**{field: n})], Dense(1))]
    found = Network(layers, 1, seed=0)
    x = np.array([[0], [1], [2], [n - 1], [n]], np.float32)
    weights = found.theta[:n].astype(np.float64)
    wanted = [0, weights[0], weights[:2].sum(), weights[:-1].sum(), weights.sum()]
    if field == "categories":
        wanted = [0, weights[0], weights[1], weights[-2], weights[-1]]
    np.testing.assert_allclose(found.outputs(x)[:, 0], wanted, rtol=1e-3, atol=1e-4)
    for bad in (n + 1, -1):
        with pytest.raises(ValueError, match=r"slot 0 of row 0 must be a (position|code)"):
            found.outputs(np.array([[bad]], np.float32))
