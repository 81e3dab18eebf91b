"""Columns that predictions carry along."""

import datetime
import decimal
import pathlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from commanding import thinnet_command
from pyarrow import parquet

from thinnet import TableClassifier
from thinnet.commands.keeping import Keep
from thinnet.commands.predicting import predict

CELLS = ["007", "NA", "", " 1,50", "x,y", 'q"', "-", "1e3"] * 5


@pytest.fixture
def model():
    rows = pd.DataFrame({"x": np.arange(40) ** 2.0, "y": ["a", "b"] * 20})
    return TableClassifier((4,), max_iter=1, n_networks=1, random_state=0).fit(rows, "y")


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = pd.DataFrame({"id": CELLS, "x": np.arange(40) ** 2.0, "y": ["a", "b"] * 20})
    rows.to_csv("rows.csv", index=False)
    return "rows.csv"


@pytest.mark.parametrize("block_rows", [7, None])
def test_text_is_kept_as_it_came(model, table, block_rows):
    predict(model, table, "p.csv", keep=Keep(("id",)), block_rows=block_rows)
    found = pd.read_csv("p.csv", dtype=str, keep_default_na=False)
    assert list(found.columns) == ["id", "y"]
    assert found["id"].tolist() == CELLS
    predict(model, table, "plain.csv")
    assert found["y"].tolist() == pd.read_csv("plain.csv")["y"].tolist()


def test_a_column_that_is_asked_for_twice_is_kept_once():
    assert Keep(("id", "day,id", "a,b")).columns(["id", "a,b", "day"]) == ["id", "day", "a,b"]


def test_a_prediction_gives_way_to_a_column_of_its_name(model, table):
    predict(model, table, "p.csv", keep=Keep(all=True), probabilities=True)
    found = pd.read_csv("p.csv", dtype=str, keep_default_na=False)
    assert list(found.columns) == ["id", "x", "y", "predicted y", "p(a)", "p(b)"]
    assert found["y"].tolist() == ["a", "b"] * 20


def test_a_file_that_has_both_names_is_refused(model, table):
    pd.read_csv(table).assign(**{"predicted y": 1}).to_csv("both.csv", index=False)
    with pytest.raises(ValueError, match="--keep must leave the name 'predicted y'"):
        predict(model, "both.csv", "p.csv", keep=Keep(all=True))
    assert not pathlib.Path("p.csv").exists()


@pytest.mark.parametrize("block_rows", [7, None])
def test_parquet_keeps_its_types(model, table, block_rows):
    columns = {
        "code": pa.array([None, *range(39)], pa.int16()),
        "price": pa.array([decimal.Decimal("1.10")] * 40),
        "day": pa.array([datetime.date(9999, 12, 31)] * 40),
        "x": pa.array(np.arange(40.0)),
    }
    parquet.write_table(pa.table(columns), "rows.parquet")
    kept = ("code,price", "day")
    predict(model, "rows.parquet", "p.parquet", keep=Keep(kept), block_rows=block_rows)
    found, before = parquet.read_table("p.parquet"), parquet.read_table("rows.parquet")
    for name in ("code", "price", "day"):
        assert found[name].type == before[name].type
        assert found[name].to_pylist() == before[name].to_pylist()
    assert found.column_names == ["code", "price", "day", "y"]


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--keep", "idd"), 1, "got 'idd' (did you mean 'id'?)"),
        (("--keep", "id", "--keep-all"), 2, "--keep must be left out with --keep-all"),
    ],
)
def test_what_cannot_be_kept_is_refused(table, options, code, sentence):
    fast = ("--epochs", "1", "--networks", "1", "--hidden", "4", "--leave-out", "id")
    assert thinnet_command("fit", table, "--target", "y", *fast)[0] == 0
    found, output = thinnet_command("predict", "rows.thinnet", table, "--out", "p.csv", *options)
    assert found == code
    assert sentence in output
    assert not pathlib.Path("p.csv").exists()
