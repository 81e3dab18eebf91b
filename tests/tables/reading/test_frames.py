"""Types of columns; tables that are data frames or Parquet files."""

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from pyarrow import parquet
from table_files import FLOATS, RICH, all_of

from thinnet import DataFileError
from thinnet.tables.reading import read_table, row_count
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.typed import typed

# --- types ---------------------------------------------------------------------------------------

TYPES = {
    "int64": ["1", "-2", "+3"],
    "Int64": ["1", None, "9223372036854775807"],
    "float64": ["1", "1e400", ".5", "-", "12345678901234567890"],
    "bool": ["True", "FALSE", "false"],
    "boolean": ["true", None],
    "datetime64[us]": ["2024-02-29", None, "2024-03-01 12:30"],
    "str": ["1", "x"],
}


@pytest.mark.parametrize(("dtype", "cells"), TYPES.items(), ids=TYPES)
def test_a_column_gets_the_type_of_all_its_cells(dtype, cells):
    found = typed(pd.DataFrame({"a": cells}))["a"]
    assert found.dtype == dtype
    assert found.isna().tolist() == [cell in (None, "-") for cell in cells]


@pytest.mark.parametrize("cell", ["x", "1_0", "0x10", "1 2", "2024-02-30", "1,5", "yes", "\uff11"])
def test_one_cell_that_is_a_text_makes_a_column_of_text(cell):
    for others in (["1"], ["true"], ["2024-02-29"]):
        frame = pd.DataFrame({"a": [*others, cell]})
        assert_frame_equal(typed(frame), frame)


@given(st.lists(FLOATS.filter(lambda x: x == x), min_size=1))
def test_numbers_are_read_to_the_last_bit(numbers):
    frame = typed(pd.DataFrame({"a": [repr(x) for x in numbers]}))
    assert frame["a"].astype("f8").to_numpy().tobytes() == np.array(numbers).tobytes()


def test_missing_columns_and_empty_ones_stay_as_they_are():
    frame = pd.DataFrame({"a": pd.Series([None, None], dtype="str"), "b": [1, 2]})
    assert_frame_equal(typed(frame), frame)


# --- data frames and Parquet ---------------------------------------------------------------------


def test_a_pandas_frame_is_taken_as_it_is_but_for_its_names():
    mine = pd.DataFrame({0: [1, 2], " b ": pd.Categorical(["x", "y"])}, index=[5, 7])
    frame, dialect = read_table(mine)
    assert dialect == Dialect(names=("0", "b"))
    assert_frame_equal(frame, mine.set_axis(["0", "b"], axis=1))
    assert list(mine.columns) == [0, " b "]
    assert_frame_equal(all_of(mine, 1), frame)
    assert row_count(mine) == 2


RICH_TYPES = [
    "UInt8",
    "float64",
    "boolean",
    "str",
    "str",
    "datetime64[ms]",
    "float64",
    "str",
    "str",
]


@pytest.mark.parametrize("rows", [[0, 1], [0], [1]], ids=str)
def test_columns_of_parquet_have_types_that_do_not_depend_on_missing_cells(place, rows):
    parquet.write_table(RICH.take(rows), place)
    frame, dialect = read_table(place)
    assert [str(dtype) for dtype in frame.dtypes] == RICH_TYPES
    assert list(dialect.names) == RICH.column_names
    if rows == [0]:
        day = pd.Timestamp("2020-02-29")
        assert frame.iloc[0, :-1].tolist() == [1, 1.5, True, "x", "x", day, 1.0, "x"]
    assert frame.isna().to_numpy()[:, :-1].tolist() == [[row == 1] * 8 for row in rows]


def test_texts_of_parquet_that_are_no_utf8_are_refused(place):
    size = np.array([0, 1], np.int32).tobytes()
    text = pa.StringArray.from_buffers(1, pa.py_buffer(size), pa.py_buffer(b"\xff"))
    parquet.write_table(pa.table({"a": text}), place)
    with pytest.raises(DataFileError, match=r"must be a readable table, got ArrowInvalid: .* UTF8"):
        read_table(place)


def test_row_labels_that_pandas_saved_are_no_column(place):
    pd.DataFrame({"a": [1, 2]}, index=[5, 7]).to_parquet(place)
    assert list(read_table(place)[0].columns) == ["a"]


def test_a_polars_frame_is_read_as_parquet_is(place):
    mine = polars.from_arrow(RICH.drop_columns(["nothing"]))
    frame, dialect = read_table(mine)
    parquet.write_table(mine.to_arrow(), place)
    assert_frame_equal(frame, read_table(place)[0])
    assert_frame_equal(all_of(mine, 1), frame)
    assert dialect.names == tuple(mine.columns)
    assert row_count(mine) == 2


@pytest.mark.parametrize("source", [3, None, b"table.csv", [[1, 2]], np.ones((2, 2))], ids=str)
def test_what_is_no_table_is_refused(source):
    with pytest.raises(ValueError, match=r"^source must be a path or a data frame, got"):
        read_table(source)


def test_an_arrow_array_is_no_table():
    with pytest.raises(DataFileError, match=r"^the table must be a readable table, got"):
        read_table(pa.chunked_array([[1, 2]]))


BAD_FRAMES = {
    "no rows": (pd.DataFrame({"a": []}), "the table must hold rows, got none"),
    "no columns": (pd.DataFrame(index=[1]), "the table must have columns, got none"),
    "a name twice": (
        pd.DataFrame([[1, 2]], columns=["a", " a"]),
        "column 'a' must stand once in the table, got it 2 times; rename one",
    ),
    "a name twice, as text": (pd.DataFrame([[1, 2]], columns=[1, "1"]), "column '1' must stand"),
    "lists": (pa.table({"a": [[1]]}), "column 'a' of the table must hold single values, got list"),
    "records of long names": (
        pa.table({"a": [{"x" * 999: 1}]}),
        r"column 'a' of the table must hold single values, got struct<x{73}; drop it",
    ),
    "Arrow, no rows": (RICH[:0], "the table must hold rows, got none"),
    "Arrow, a name twice": (pa.table([[1], [2]], ["a", "a"]), "column 'a' must stand once"),
}


@pytest.mark.parametrize(("frame", "message"), BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_frame_that_is_no_table_is_refused(frame, message):
    with pytest.raises(DataFileError, match=message):
        read_table(frame)
