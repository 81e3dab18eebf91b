"""Table files: what was written is read back, and how it is written is found out."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from pyarrow import parquet
from table_files import FLOATS, PACKERS, all_of

from thinnet.tables.reading import blocks, read_table, row_count
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.reading.typed import typed
from thinnet.tables.reading.watched import Watched

# --- what is read back ---------------------------------------------------------------------------

ODD = st.sampled_from([*",;|\t\"'\n ?-.", "NA"])
WHOLE = st.integers(-(2**63), 2**63 - 1)
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


@settings(max_examples=20)
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


@settings(max_examples=20)
@given(st.lists(st.tuples(WHOLE, st.from_regex("[a-z]+", fullmatch=True)), min_size=2))
def test_a_row_of_numbers_above_numbers_is_no_header(place, rows):
    place.write_text("".join(f"{n},z{text}\n" for n, text in rows))
    found, dialect = read_table(place)
    assert not dialect.header
    assert list(found.columns) == ["0", "1"]
    assert found["0"].tolist() == [n for n, _ in rows]
    assert found["1"].tolist() == [f"z{text}" for _, text in rows]


@settings(max_examples=20)
@given(TABLES, st.integers(1, 9))
def test_blocks_make_up_the_whole_whatever_their_size(place, table, block_rows):
    place.write_bytes(written(*table))
    whole, _ = read_table(place, typed=False)
    assert_frame_equal(all_of(place, block_rows), whole)


@settings(max_examples=40)
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
    names = ",".join(f"c{i}" for i in range(128))
    path = put(f"{names}\n" + (",".join("1" * 128) + "\n") * (2**13 + 7))
    seen = list(blocks(path))
    assert [len(block.frame) for block in seen] == [2**13, 7]
    assert 0.9 < seen[0].done <= seen[1].done == 1
    assert seen[1].frame.index[0] == 2**13
    assert row_count(path) is None


def test_cells_of_blocks_are_text_also_where_they_look_like_numbers(put):
    path = put("a,b\n1,x\n2.50,\nthree,?\n")
    frame = all_of(path, 1)
    assert frame["a"].tolist() == ["1", "2.50", "three"]
    assert frame["b"].isna().tolist() == [False, True, True]


@given(st.lists(st.sampled_from(['"', ",", "x", "\n"])).map("".join), st.integers(1, 5))
def test_delimiters_are_counted_the_same_in_pieces_of_any_size(text, size):
    whole, pieces = (
        Watched(Path("table"), io.StringIO(text), Dialect(), lambda: None) for _ in range(2)
    )
    assert whole.read() == "".join(iter(lambda: pieces.read(size), ""))
    assert whole.n_delimiters == pieces.n_delimiters


# --- dialects ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_packed_file_is_known_by_its_content(put, pack):
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
