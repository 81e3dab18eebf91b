"""Table files: what is found out about them, blocks, refusals, and predictions written whole."""

import bz2
import gzip
import io
import json
import lzma
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from pyarrow import parquet

from thinnet import DataFileError
from thinnet.tables.dialect import Dialect
from thinnet.tables.reading import blocks, read_table, row_count
from thinnet.tables.typed import typed
from thinnet.tables.watched import Watched
from thinnet.tables.writing import PredictionWriter


@pytest.fixture
def put(tmp_path):
    """Puts a content into a file, and says where."""

    def put(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One file for all examples of a property."""
    return tmp_path_factory.mktemp("tables") / "table"


def zipped(content, *more):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("table.csv", *more):
            archive.writestr(name, content)
    return packed.getvalue()


def locked(content):
    """Said to be encrypted in the list of what the archive holds."""
    entry = b"PK\x01\x02\x14\x03\x14\x00"
    return zipped(content).replace(entry + b"\x00", entry + b"\x01")


PACKERS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}
packers = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def all_of(source, block_rows, **how):
    """All blocks as one frame, whose columns must have been of one type each."""
    frames = [block.frame for block in blocks(source, block_rows, **how)]
    assert all(len(frame) == block_rows for frame in frames[:-1])
    assert all((frame.dtypes == frames[0].dtypes).all() for frame in frames)
    return pd.concat(frames)


# --- what is read back ---------------------------------------------------------------------------

ODD = st.sampled_from([*",;|\t\"'\n ?-.", "NA"])
WHOLE = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_infinity=False)
WIDE = st.characters(codec="utf-8", exclude_categories=["C"])
LATIN = st.characters(min_codepoint=0xC0, max_codepoint=0xFF)  # no two of them are UTF-8


def frames(letters):
    texts = st.lists(ODD | letters).map(lambda signs: "x" + "".join(signs).rstrip())
    rows = st.tuples(texts, FLOATS, WHOLE)
    return st.lists(rows, min_size=1, max_size=20).map(
        lambda rows: pd.DataFrame(rows, columns=["text", "float", "whole"]).astype({"float": "f8"})
    )


def ways(*encodings):
    marks = st.sampled_from([*({"sep": sep} for sep in ",;|\t"), {"sep": ";", "decimal": ","}])
    ends = st.sampled_from(["\n", "\r\n"])
    return st.builds(
        lambda encoding, mark, end: {"encoding": encoding, "lineterminator": end, **mark},
        st.sampled_from(encodings),
        marks,
        ends,
    )


TABLES = st.tuples(
    frames(WIDE),
    ways("utf-8", "utf-8-sig", "utf-16", "utf-32"),
    st.sampled_from([*PACKERS.values()]),
) | st.tuples(frames(LATIN), ways("cp1252"), st.just(bytes))


def written(frame, way, pack):
    text = frame.to_csv(index=False, **{**way, "encoding": None})
    return pack(text.encode(way["encoding"]))


@given(TABLES)
def test_what_is_written_in_any_dialect_is_read_back(place, table):
    frame, way, pack = table
    place.write_bytes(written(frame, way, pack))
    found, dialect = read_table(place)
    assert (dialect.delimiter, dialect.header) == (way["sep"], True)
    assert found["text"].tolist() == frame["text"].tolist()
    assert found["whole"].tolist() == frame["whole"].tolist()
    assert found["float"].astype("f8").to_numpy().tobytes() == unsigned_nan(frame["float"])


def unsigned_nan(column):
    return column.where(column.notna(), np.nan).to_numpy().tobytes()


@given(st.lists(st.tuples(WHOLE, st.from_regex("[a-z]+", fullmatch=True)), min_size=2))
def test_a_row_of_numbers_above_numbers_is_no_header(place, rows):
    place.write_text("".join(f"{n},z{text}\n" for n, text in rows))
    found, dialect = read_table(place)
    assert not dialect.header
    assert list(found.columns) == ["0", "1"]
    assert found["0"].tolist() == [n for n, _ in rows]
    assert found["1"].tolist() == [f"z{text}" for _, text in rows]


@given(TABLES, st.integers(1, 9))
def test_blocks_make_up_the_whole_whatever_their_size(place, table, block_rows):
    place.write_bytes(written(*table))
    whole, _ = read_table(place, typed=False)
    assert_frame_equal(all_of(place, block_rows), whole)


@given(
    st.lists(st.tuples(st.none() | st.integers(0, 9), st.none() | st.booleans()), min_size=1),
    st.integers(1, 9),
)
def test_blocks_of_parquet_make_up_the_whole_whatever_their_size(place, rows, block_rows):
    table = pa.table({"n": [n for n, _ in rows], "b": pa.array([b for _, b in rows], pa.bool_())})
    parquet.write_table(table, place, row_group_size=4)
    whole, _ = read_table(place)
    assert_frame_equal(all_of(place, block_rows), whole)
    assert whole["b"].astype(object).where(whole["b"].notna(), None).tolist() == [
        b for _, b in rows
    ]
    assert row_count(place) == len(rows)


def test_the_default_blocks_have_about_a_million_cells(put):
    n_rows = 2**19 + 7
    path = put("a,b\n" + "1,2\n" * n_rows)
    seen = list(blocks(path))
    assert [len(block.frame) for block in seen] == [2**19, 7]
    assert 0.9 < seen[0].done <= seen[1].done == 1
    assert seen[1].frame.index[0] == 2**19
    assert row_count(path) is None


def test_cells_of_blocks_are_text_also_where_they_look_like_numbers(put):
    path = put("a,b\n1,x\n2.50,\nthree,?\n")
    frame = all_of(path, 1)
    assert frame["a"].tolist() == ["1", "2.50", "three"]
    assert frame["b"].isna().tolist() == [False, True, True]


@given(st.lists(st.sampled_from(['"', ",", "x", "\n"])).map("".join), st.integers(1, 5))
def test_delimiters_are_counted_the_same_in_pieces_of_any_size(text, size):
    whole = Watched(Path("table"), io.StringIO(text), ",")
    pieces = Watched(Path("table"), io.StringIO(text), ",")
    assert whole.read() == "".join(iter(lambda: pieces.read(size), ""))
    assert whole.n_delimiters == pieces.n_delimiters


# --- dialects ------------------------------------------------------------------------------------


@packers
def test_a_packed_file_is_told_by_its_content(put, pack):
    frame, _ = read_table(put(pack(b"a,b\n1,x\n2,y\n"), "some.data"))
    assert frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


DIALECTS = {
    "commas and blanks": ("a, b\n1, x y\n2, z\n", {"a": [1, 2], "b": ["x y", "z"]}),
    "a quote behind a blank": ('a, b\n1, "x, y"\n', {"a": [1], "b": ["x, y"]}),
    "a blank behind a quote": ('a , b\n1 ,"x" \n', {"a": [1], "b": ["x"]}),
    "semicolons, decimal comma": ("a;b\n3,14;x\n2;y\n", {"a": [3.14, 2.0], "b": ["x", "y"]}),
    "semicolons, decimal point": ("a;b\n3.14;1,2\n2.5;y\n", {"a": [3.14, 2.5], "b": ["1,2", "y"]}),
    "decimal commas before three digits": ("a;b\n1,234;x\n", {"a": [1.234], "b": ["x"]}),
    "decimal commas, no names": ("1,5;2,5\n3,5;4,5\n", {"0": [1.5, 3.5], "1": [2.5, 4.5]}),
    "quoted decimal commas": ('a,b\n"1,5","x"\n', {"a": [1.5], "b": ["x"]}),
    "thousands": ("a|b\n1,234|x\n5,678|y\n", {"a": ["1,234", "5,678"], "b": ["x", "y"]}),
    "tabs": ("a\tb\n1\tx, y\n2\tz, t\n", {"a": [1, 2], "b": ["x, y", "z, t"]}),
    "bars": ("a|b\n1|x;y\n2|z;t\n", {"a": [1, 2], "b": ["x;y", "z;t"]}),
    "one column": ("a\n1\n2\n", {"a": [1, 2]}),
    "one column of text": ("a\nx, y\nz\n", {"a": ["x, y", "z"]}),
    "old line ends": ("a,b\r1,x\r2,y\r", {"a": [1, 2], "b": ["x", "y"]}),
    "endless digits": (f"a,b\n{'1' * 5000},x\n", {"a": ["1" * 5000], "b": ["x"]}),
    "endless digits above": (
        f"{'1' * 5000},2,3\n1,2,3\n",
        {"0": ["1" * 5000, "1"], "1": [2, 2], "2": [3, 3]},
    ),
    "no last line end": ("a,b\n1,x", {"a": [1], "b": ["x"]}),
    "blank lines": ("\na,b\n\n1,x\n  \n\n2,y\n\n", {"a": [1, 2], "b": ["x", "y"]}),
    "a line end in a cell": ('a,b\n1,"x\ny"\n', {"a": [1], "b": ["x\ny"]}),
    "a quote in a cell": ('a,b\n1,5" x\n2,y\n', {"a": [1, 2], "b": ['5" x', "y"]}),
    "nameless columns": (",b,\n1,2,x\n", {"column 1": [1], "b": [2], "column 3": ["x"]}),
    "pandas' own names": ("0,1,2\n1.5,2,x\n3,4,y\n", {"0": [1.5, 3], "1": [2, 4], "2": ["x", "y"]}),
    "years": (
        "land,2019,2020,2021\nx,1,2,3\n",
        {"land": ["x"], "2019": [1], "2020": [2], "2021": [3]},
    ),
    "days": ("land,1/22/20\nx,1\ny,2\n", {"land": ["x", "y"], "1/22/20": [1, 2]}),
    "no names above days": ("1/2/20,x\n1/3/20,y\n", {"0": ["1/2/20", "1/3/20"], "1": ["x", "y"]}),
    "texts that come again": ("x,y\nz,t\nx,y\n", {"0": ["x", "z", "x"], "1": ["y", "t", "y"]}),
    "texts": ("a,b\nx,y\nx,z\n", {"a": ["x", "x"], "b": ["y", "z"]}),
}


@pytest.mark.parametrize(("content", "wanted"), DIALECTS.values(), ids=DIALECTS)
def test_the_dialect_is_found_out(put, content, wanted):
    assert read_table(put(content))[0].to_dict("list") == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_letters_are_read_in_every_encoding(put, encoding):
    frame, _ = read_table(put("größe,b\n€ 5 « très »,1\n".encode(encoding)))
    assert frame.to_dict("list") == {"größe": ["€ 5 « très »"], "b": [1]}


def test_a_strange_letter_far_behind_does_not_change_those_before_it(put):
    path = put("a,b\nü,1\n".encode() + (b"x" * 63 + b",2\n") * 10_000 + b"\xfc\x81,3\n")
    cells = read_table(path)[0]["a"]
    assert [cells.iloc[0], cells.iloc[-1]] == ["ü", "ü\x81"]


FITTED = Dialect(delimiter=";", decimal=",", names=("name", "land", "size"))
LEFT_OPEN = {
    "one row below names": ("name,land\nx,y\n", {"name": ["x"], "land": ["y"]}),
    "names above themselves": ("name,land\nname,land\n", {"name": ["name"], "land": ["land"]}),
    "two regular delimiters": (
        "a;b|c\nx;y|z\nt;u|v\n",
        {"0": ["a", "x", "t"], "1": ["b|c", "y|z", "u|v"]},
    ),
    "one row without names": ("x,y\n", {"0": ["x"], "1": ["y"]}),
    "texts without names": ("x,y\nz,t\n", {"0": ["x", "z"], "1": ["y", "t"]}),
    "some of the names": ("land;more\nx;1\n", {"land": ["x"], "more": [1]}),
    "a column of other names": ("other;more\nx;1\n", {"other": ["x"], "more": [1]}),
    "another decimal mark": ("name;size\nx;1.5\n", {"name": ["x"], "size": [1.5]}),
}


@pytest.mark.parametrize(("content", "wanted"), LEFT_OPEN.values(), ids=LEFT_OPEN)
def test_the_dialect_of_the_fitted_file_settles_what_is_left_open(put, content, wanted):
    path = put(content)
    assert read_table(path, FITTED)[0].to_dict("list") == wanted
    assert typed(all_of(path, 1, dialect=FITTED)).to_dict("list") == wanted


def test_a_decimal_comma_behind_what_is_looked_at_is_that_of_the_fitted_file(put):
    content = "name;size\n" + f"{'x' * 62};1\n" * 10_000 + "x;1,5\n"
    assert read_table(put(content), FITTED)[0]["size"].iloc[-1] == 1.5


@pytest.mark.parametrize("header", [True, False])
def test_who_knows_whether_there_is_a_header_may_say_so(put, header):
    path = put("1,2\n3,4\n")
    frame, dialect = read_table(path, header=header)
    assert dialect.header == header
    assert list(frame.columns) == (["1", "2"] if header else ["0", "1"])
    assert_frame_equal(typed(all_of(path, 1, header=header)), frame)


@pytest.mark.parametrize(
    "cell", ["", "?", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None"]
)
def test_missing_cells_are_missing_with_or_without_blanks(put, cell):
    frame, _ = read_table(put(f"a,b,c\n{cell},{cell} ,1\n1, {cell} ,2\n2,x,3\n"))
    assert frame.isna().to_numpy().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert frame["a"].dtype == "Int64"


def test_a_dash_is_missing_among_numbers_alone(put):
    frame, _ = read_table(put("a,b\n1,-\n-,x\n2.5,y\n"))
    assert frame["a"].isna().tolist() == [False, True, False]
    assert frame["b"].tolist() == ["-", "x", "y"]


def test_a_dialect_survives_json():
    text = json.dumps(FITTED.to_dict())
    assert Dialect.from_dict(json.loads(text)) == FITTED


BAD_DIALECTS = {
    "encoding": "klingon",
    "delimiter": " ",
    "decimal": "'",
    "header": 1,
    "names": [1, 2],
}


@pytest.mark.parametrize(("name", "value"), BAD_DIALECTS.items(), ids=BAD_DIALECTS)
@pytest.mark.usefixtures("untyped")
def test_a_bad_value_of_a_dialect_is_named(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be "):
        Dialect.from_dict(FITTED.to_dict() | {name: value})


@pytest.mark.parametrize("values", [None, {}, [], {"names": []}, FITTED.to_dict() | {"more": 1}])
def test_values_that_are_no_dialect_are_refused(values):
    with pytest.raises(ValueError, match=r"^a dialect must be a dict of decimal, delimiter, "):
        Dialect.from_dict(values)


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


RICH = pa.table(
    {
        "n": pa.array([1, None], pa.uint8()),
        "x": [1.5, None],
        "b": [True, None],
        "s": ["x", None],
        "c": pa.array(["x", None]).dictionary_encode(),
        "d": pa.array([18321, None], pa.date32()),
        "m": pa.array([1, None]).cast(pa.decimal128(21, 2)),
        "r": pa.array([b"x", None]),
        "nothing": [None, None],
    }
)
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
    polars = pytest.importorskip("polars")
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
    "Arrow, no rows": (RICH[:0], "the table must hold rows, got none"),
    "Arrow, a name twice": (pa.table([[1], [2]], ["a", "a"]), "column 'a' must stand once"),
}


@pytest.mark.parametrize(("frame", "said"), BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_frame_that_is_no_table_is_refused(frame, said):
    with pytest.raises(DataFileError, match=said):
        read_table(frame)


# --- refusals ------------------------------------------------------------------------------------

PARQUET = io.BytesIO()
parquet.write_table(RICH, PARQUET)
LONG = "a,b\n" + f"1,{'2' * 61}\n" * 10_000  # longer than what is looked at first

BAD_FILES = {
    "empty": (b"", " must hold a table, got an empty file"),
    "blank": (b"\n \n\n", " must hold a table, got blank lines only"),
    "packed, empty": (gzip.compress(b""), " must hold a table, got blank lines only"),
    "names alone": (b"a,b\n", " must hold rows below its names, got none"),
    "a name twice": (b"a,b,a\n1,2,3\n", "column 'a' must stand once in .*, got it 2 times; rename"),
    "a nameless name twice": (b",column 1\n1,2\n", "column 'column 1' must stand"),
    "a cell too many": (b"a,b\n1,2\n3,4,5\n", " line 3 must have 2 cells .*, got 3"),
    "a cell too many at once": (b"a,b\n1,2,3\n4,5\n6,7\n", " line 2 must have 2 cells .*, got 3"),
    "a cell too few": (b"a,b\n1,2\n3\n4,5\n", " line 3 must have 2 cells .*, got 1"),
    "too many, far behind": (LONG + "3,4,5\n", " line 10002 must have 2 cells .*, got 3"),
    "too few, far behind": (LONG + "3\n", " line 10002 must have 2 cells .*, got 1"),
    "behind cells of two lines": ('a,b\n1,"x\ny"\n3\n', " line 4 must have 2 cells .*, got 1"),
    "a quote open": ('a,b\n1,2\n3,"4\n5,6\n', " line 3 must close its quotes, got one that stays"),
    "a quote open at the end": ('a,b\n1,2\n3,"4', " line 3 must close its quotes"),
    "a quote open, far behind": (LONG + '3,"4\n' + LONG, r" line 10002 must have short cells"),
    "a quote open from the start": (
        '"a,b\n' + LONG,
        " line 1 must have cells of at most .* a quote may be open",
    ),
    "NUL": (b"a,b\n1,\0\n", " got the control character 0x00 in line 2; if it is text, save it"),
    "NUL, far behind": (LONG + "1,\0\n", " line 10002 must not hold NUL bytes, got one"),
    "UTF-16 without a mark": ("a,b\n1,2\n".encode("utf-16-le"), "save it as UTF-8"),
    "UTF-16, cut short": ("a,b\n1,2\n".encode("utf-16")[:-1], " must be text in utf-16-le, as its"),
    "UTF-16, far behind": (LONG.encode("utf-16") + b"\x00\xd8\x61\x00", " must be text in utf-16"),
    "one endless cell": (b"x" * 600_000, " must have cells of at most 131072 characters, got a"),
    "one endless line": (b"x," * 300_000, " must have lines below 524288 bytes, got a longer one"),
    "junk": (bytes(range(256)), " must be a CSV or Parquet file, got the control character"),
    "a page": (b"<!DOCTYPE html>\n<p>", " got one that begins with '<!DOCTYPE'"),
    "JSON": (b'{"a": [1, 2],\n"b": [3, 4]}', " got one that begins with"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(99), " an old Excel workbook; save it as CSV"),
    "a workbook": (zipped(b"x", "[Content_Types].xml"), " got a workbook; save it as CSV"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(99), " packed by zstd; unpack it"),
    "two in one": (zipped(b"a,b\n1,2\n", "more.csv"), " must hold one file, got 2; unpack it"),
    "locked": (locked(b"a\n1\n"), " must not be locked by a password, got one that is; unpack it"),
    "gzip, cut short": (gzip.compress(LONG.encode())[:-9], r" readable file, got EOFError: "),
    "gzip, altered": (
        gzip.compress(b"a\n1\n")[:-8] + bytes(8),
        " must be a readable file, got Bad",
    ),
    "gzip, a magic": (b"\x1f\x8b", " must be a readable file, got EOFError"),
    "bz2, cut short": (bz2.compress(b"a\n1\n")[:-9], " must be a readable file, got EOFError"),
    "xz, cut short": (lzma.compress(b"a\n1\n")[:-9], " must be a readable file, got EOFError"),
    "zip, cut short": (zipped(b"a\n1\n")[:-9], " must be a readable file, got BadZipFile"),
    "Parquet, a magic": (b"PAR1", " must be a readable table, got ArrowInvalid"),
    "Parquet, cut short": (PARQUET.getvalue()[:-9], " must be a readable table, got ArrowInvalid"),
}


@pytest.mark.parametrize(("content", "said"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_table_is_refused_in_one_sentence_with_its_name(put, content, said):
    path = put(content)
    for read in (read_table, lambda path: list(blocks(path, 1000))):
        with pytest.raises(DataFileError, match=said) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_line_that_is_seen_at_first_is_refused_before_the_first_block(put):
    with pytest.raises(DataFileError, match=r" line 3 must have 2 cells .*, got 1;"):
        blocks(put("a,b\n1,2\n3\n4,5\n"), 1)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataFileError, match=r"none\.csv must be an existing file, got none$"):
        blocks(tmp_path / "none.csv")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(DataFileError, match=r"must be a file, got a folder$"):
        read_table(tmp_path)


def test_a_parquet_file_by_name_alone_is_refused(put):
    with pytest.raises(DataFileError, match=r"must begin with PAR1 .*, got another$"):
        read_table(put("a,b\n1,2\n", "table.parquet"))


def test_a_parquet_file_without_pyarrow_says_what_to_install(put, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DataFileError, match=r"needs the library pyarrow; pip install pyarrow$"):
        read_table(put(PARQUET.getvalue()))


@pytest.mark.parametrize("block_rows", [0, -1, 2.5])
@pytest.mark.usefixtures("untyped")
def test_a_block_has_rows(put, block_rows):
    with pytest.raises(ValueError, match=r"^block_rows must be an integer >= 1, got"):
        blocks(put("a\n1\n"), block_rows)


GOOD = pd.DataFrame({"a": range(30), "s": [f"text {i}" for i in range(30)]})
SOUND = {name: pack(GOOD.to_csv(index=False).encode()) for name, pack in PACKERS.items()}
SOUND |= {"Parquet": PARQUET.getvalue()}
sound = pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)


@sound
@given(st.data())
def test_a_damaged_file_is_read_or_refused(place, content, data):
    damaged = bytearray(content[: data.draw(st.integers(1, len(content)))])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    place.write_bytes(damaged)
    try:
        read_table(place)
    except DataFileError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert str(place) in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", ["gzip", "bz2", "xz", "zip"])
def test_a_packed_file_cut_short_anywhere_is_refused(put, name):
    for length in range(1, len(SOUND[name])):
        with pytest.raises(DataFileError):
            read_table(put(SOUND[name][:length]))


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_what_is_no_fault_of_the_file_passes(put, error, monkeypatch):
    path = put(LONG)
    reading = blocks(path, 10)
    next(reading)

    def stop(*_):
        raise error

    monkeypatch.setattr("thinnet.tables.watched.Watched.read", stop)
    with pytest.raises(error):
        list(reading)


def test_a_file_is_closed_when_nobody_wants_more_of_it(put):
    reading = blocks(put(LONG), 10)
    next(reading)
    reading.close()


def test_importing_the_readers_and_writers_loads_neither_pandas_nor_pyarrow():
    code = "import sys, thinnet.tables.reading, thinnet.tables.writing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert {"pandas", "pyarrow", "polars"} & set(done.stdout.split()) == set()


# --- predictions ---------------------------------------------------------------------------------

SUFFIXES = [".csv", ".csv.gz", ".parquet", ".pq"]
suffixes = pytest.mark.parametrize("suffix", SUFFIXES)
FIRST = pd.DataFrame({"y": [1.5, 0.1 + 0.2], "label": ["ü", None], "n": [1, 2]})
SECOND = pd.DataFrame({"y": [np.nan], "label": ['a "b", c'], "n": [-3]})


def write(out, *frames):
    with PredictionWriter(out) as writer:
        for frame in frames:
            writer.write(frame)


def write_half(out, error):
    with PredictionWriter(out) as writer:
        writer.write(FIRST)
        raise error


@suffixes
def test_predictions_are_read_back_as_they_were_written(tmp_path, suffix):
    out = tmp_path / f"predictions{suffix}"
    write(out, FIRST, SECOND)
    frame, _ = read_table(out)
    wanted = pd.concat([FIRST, SECOND], ignore_index=True)
    assert_frame_equal(frame, wanted, check_dtype=False)
    assert list(tmp_path.iterdir()) == [out]


@suffixes
def test_the_same_predictions_are_the_same_bytes(tmp_path, suffix, monkeypatch):
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    write(one, FIRST, SECOND)
    monkeypatch.setattr("time.time", lambda: 1e9)
    write(other, FIRST, SECOND)
    assert one.read_bytes() == other.read_bytes()


def test_a_first_block_without_any_value_does_not_hinder_a_second(tmp_path):
    out = tmp_path / "predictions.parquet"
    write(out, pd.DataFrame({"label": [None]}), pd.DataFrame({"label": ["x"]}))
    assert read_table(out)[0]["label"].iloc[1] == "x"


@suffixes
def test_no_rows_are_a_file_with_names(tmp_path, suffix):
    out = tmp_path / f"predictions{suffix}"
    write(out, FIRST[:0])
    with pytest.raises(DataFileError, match="must hold rows"):
        read_table(out)


@suffixes
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_exception_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path, suffix, error):
    out = tmp_path / f"predictions{suffix}"
    out.write_text("old")
    with pytest.raises(error):
        write_half(out, error)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def refuse(*_, **__):
    raise OSError(28, "No space left on device")


class Crowded(io.BufferedWriter):
    """A file for which only the first half of what is written finds room."""

    def write(self, content):
        super().write(bytes(content)[: len(bytes(content)) // 2])
        refuse()


def crowded(self, mode="r"):
    return Crowded(io.FileIO(self, "w")) if mode == "wb" else io.FileIO(self, mode)


FAILURES = {
    "open": ("pathlib.Path.open", refuse),
    "write": ("pathlib.Path.open", crowded),
    "flush": ("os.fsync", refuse),
    "rename": ("pathlib.Path.replace", refuse),
}


@suffixes
@pytest.mark.parametrize(("place", "failing"), FAILURES.values(), ids=FAILURES)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path, suffix, place, failing, monkeypatch
):
    out = tmp_path / f"predictions{suffix}"
    out.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(place, failing)
        with pytest.raises(OSError, match="No space left"):
            write(out, FIRST, SECOND)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_the_old_file_stands_until_the_new_one_is_on_the_disk(tmp_path, monkeypatch):
    out, flush, seen = tmp_path / "predictions.csv", os.fsync, []
    out.write_text("old")

    def noting(handle):
        seen.append(out.read_text())
        flush(handle)

    monkeypatch.setattr(os, "fsync", noting)
    write(out, SECOND)
    assert seen[0] == "old"
    assert seen[1:] == [out.read_text()]


PLACES = {
    "no such folder": ("none/out.csv", "in a folder that can be written to"),
    "a file as folder": ("file/out.csv", "in a folder that can be written to"),
    "a folder": ("folder.csv", "a file, not a folder"),
    "another format": ("out.xlsx", "a file that ends in .csv, .csv.gz, .parquet, .pq"),
    "no format": ("csv", "a file that ends in .csv, .csv.gz, .parquet, .pq"),
}


@pytest.mark.parametrize(("name", "said"), PLACES.values(), ids=PLACES)
def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(tmp_path, name, said):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=rf"^out must be {re.escape(said)}, got '{tmp_path}"):
        PredictionWriter(tmp_path / name)


def test_a_folder_without_leave_to_write_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write anywhere
    with pytest.raises(ValueError, match=r"^out must be in a folder that can be written to"):
        PredictionWriter(tmp_path / "out.csv")


def test_parquet_without_pyarrow_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataFileError, match="needs the library pyarrow"):
        PredictionWriter(tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("untyped")
def test_a_place_is_named_by_a_path():
    with pytest.raises(ValueError, match=r"^out must be a path, got 3$"):
        PredictionWriter(3)


@suffixes
def test_frames_of_other_names_are_refused(tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    with pytest.raises(ValueError, match=r"^columns must be \['y', 'label', 'n'\] as in the first"):
        write(out, FIRST, FIRST[["y"]])
    assert not out.exists()


def test_frames_of_other_types_are_refused_in_parquet(tmp_path):
    out = tmp_path / "out.parquet"
    with pytest.raises(ValueError, match=r"^columns must have types .* as in the first frame, got"):
        write(out, pd.DataFrame({"y": [1]}), pd.DataFrame({"y": ["x"]}))
    assert not list(tmp_path.iterdir())


@suffixes
def test_a_file_of_predictions_has_at_least_one_frame(tmp_path, suffix):
    with pytest.raises(ValueError, match=r"^predictions must be written at least once"):
        write(tmp_path / f"out{suffix}")
    assert not list(tmp_path.iterdir())


def test_a_file_may_be_read_and_replaced_by_its_own_predictions(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,x\n2,y\n")
    with PredictionWriter(path) as writer:
        for block in blocks(path, 1):
            writer.write(block.frame[["a"]])
    assert Path(path).read_text() == "a\n1\n2\n"
