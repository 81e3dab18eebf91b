"""Predictions are written whole or not at all."""

import os
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from full_disks import FAILURES
from pandas.testing import assert_frame_equal

from thinnet import DataFileError
from thinnet.tables.reading import blocks, read_table
from thinnet.tables.reading.writing import PredictionWriter

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


@suffixes
@pytest.mark.parametrize(("place", "failing"), FAILURES.values(), ids=FAILURES)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path, suffix, place, failing, monkeypatch
):
    out = tmp_path / f"predictions{suffix}"
    out.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(place, failing)
        with pytest.raises(OSError, match=rf"No space left on device: '{out}'"):
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


@pytest.mark.parametrize(("name", "message"), PLACES.values(), ids=PLACES)
def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(tmp_path, name, message):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=rf"^out must be {re.escape(message)}, got '{tmp_path}"):
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
