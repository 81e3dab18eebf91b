"""Table files that are no tables, or damaged: refused in one sentence."""

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from table_files import PACKERS, RICH, locked, zipped

from thinnet import DataFileError
from thinnet.tables.reading import blocks, read_table

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
    "a quote open, far behind": (LONG + '3,"4\n' + LONG, " line 10002 must have cells of at most"),
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


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_table_is_refused_in_one_sentence_with_its_name(put, content, message):
    path = put(content)
    for read in (read_table, lambda path: list(blocks(path, 1000))):
        with pytest.raises(DataFileError, match=message) as caught:
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

    monkeypatch.setattr("thinnet.tables.reading.watched.Watched.read", stop)
    with pytest.raises(error):
        list(reading)


def test_a_file_is_closed_when_nobody_wants_more_of_it(put):
    reading = blocks(put(LONG), 10)
    next(reading)
    reading.close()


def test_importing_the_readers_and_writers_loads_neither_pandas_nor_pyarrow():
    code = "import sys, thinnet.tables.reading, thinnet.tables.reading.writing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert {"pandas", "pyarrow", "polars"} & set(done.stdout.split()) == set()


def test_what_a_library_quotes_of_a_file_is_shortened(put):
    packed, name = io.BytesIO(), "n" * 5000
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, "a,b\n1,2\n")
    in_two_ways = packed.getvalue().replace(name.encode(), name[1:].encode() + b"?", 1)
    path = put(in_two_ways, "table.csv.zip")
    with pytest.raises(DataFileError, match="file, got BadZipFile: File name in") as caught:
        read_table(path)
    assert len(str(caught.value)) < 300 + len(str(path))
