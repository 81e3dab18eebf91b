"""Where tables come from: pipes, standard input, URLs; and what stands above or instead of them."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from thinnet import DataFileError, ModelFileError, load
from thinnet.tables.reading import blocks, read_table
from thinnet.tables.reading.spooling import on_disk

TABLE = "a,b\n1,x\n2,y\n"


@pytest.fixture
def pipe(tmp_path):
    """A named pipe into which somebody writes a content, once."""

    def pipe(content):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        threading.Thread(target=path.write_text, args=(content,), daemon=True).start()
        return path

    return pipe


def test_a_table_may_come_through_a_pipe_in_blocks_or_whole(pipe):
    assert [len(block.frame) for block in blocks(pipe(TABLE), 1)] == [1, 1]


def test_what_is_wrong_with_a_pipe_names_the_pipe(pipe):
    path = pipe("a,b\n1\n")
    with pytest.raises(DataFileError, match=f"^{path} line 2 must have 2 cells"):
        read_table(path)


def test_what_came_through_a_pipe_is_not_kept(pipe):
    spool = on_disk(pipe(TABLE))
    real = os.fspath(spool)
    assert Path(real).exists()
    del spool
    assert not Path(real).exists()


def test_what_came_through_a_pipe_can_be_opened_by_who_shares_no_files(pipe, monkeypatch):
    """Windows opens no file a second time that is to be deleted when it is closed."""
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "NamedTemporaryFile", None)
        spool = on_disk(pipe(TABLE))
    handles = Path("/proc/self/fd").glob("*")
    assert os.fspath(spool) not in map(os.path.realpath, handles)
    assert len(read_table(spool)[0]) == 2


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_a_table(name):
    code = (
        "import sys; from thinnet.tables.reading import read_table as read;"
        "print(len(read(sys.argv[1])[0]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name], input=TABLE, check=True, capture_output=True, text=True
    )
    assert done.stdout == "2\n"


@pytest.mark.parametrize("url", ["https://example.org/t.csv", "s3://bucket/t.parquet"])
def test_a_url_is_to_be_downloaded_first(url):
    with pytest.raises(DataFileError, match=r"must be a file here, got a URL; download it first$"):
        read_table(url)


TOPS = {
    "a comment": ("# made by hand\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", "line 1 must have 3 cells"),
    "a title": ("\nSales of 2020\n\na;b\n1;2\n3;4\n5;6\n", "line 2 must have 2 cells"),
    "a comment with commas": ("# a, b, c\nx,y\n1,2\n3,4\n5,6\n", "line 1 must have 2 cells"),
    "a name too few": ("a,b\n1,2,3\n4,5,6\n7,8,9\n", "line 1 must have 3 cells"),
}


@pytest.mark.parametrize(("content", "message"), TOPS.values(), ids=TOPS)
def test_what_stands_above_a_table_is_named(content, message, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(DataFileError, match=f"{message} .* delete lines above the table"):
        read_table(path)


def test_a_table_is_not_taken_for_a_model(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    with pytest.raises(ModelFileError, match=r"is a table; a model is what `thinnet fit` saved$"):
        load(path)
