"""`thinnet predict`."""

import pathlib

import pandas as pd
import pytest
from commanding import thinnet_command
from fitted_tables import cut


@pytest.mark.usefixtures("model")
def test_predictions_do_not_depend_on_the_blocks(table, monkeypatch):
    cut(table, 41)
    arguments = ("predict", "people.thinnet", table, "--proba", "--out")
    assert thinnet_command(*arguments, "whole.csv")[0] == 0
    monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 56)  # 7 rows
    assert thinnet_command(*arguments, "parts.csv")[0] == 0
    assert pathlib.Path("parts.csv").read_bytes() == pathlib.Path("whole.csv").read_bytes()


@pytest.mark.usefixtures("model")
def test_one_prediction_is_no_several(table):
    cut(table, 1)
    _, output = thinnet_command("predict", "people.thinnet", table, "--out", "p.csv")
    assert output.startswith("1 prediction: ")


@pytest.mark.usefixtures("model")
def test_columns_that_were_expected_are_named_whole(table):
    pathlib.Path("p.csv").write_text("id,buys\n")
    arguments = ("predict", "people.thinnet", table, "--out", "p.csv", "--keep-all", "--proba")
    code, output = thinnet_command(*arguments)
    listed = output.partition("same columns (")[2].partition(") (or")[0]
    names, _, more = listed.partition(" and ")
    expected = [*pd.read_csv(table).columns, "predicted buys", "p(no)", "p(yes)"]
    shown = names.split(", ")
    assert (code, shown) == (2, expected[: len(shown)])
    assert len(shown) + int(more.split()[0] if more else 0) == len(expected)


@pytest.mark.usefixtures("model")
def test_a_table_without_a_column_of_training_is_to_blame(table):
    pathlib.Path("less.csv").write_text(table.read_text().replace("income", "salary"))
    code, output = thinnet_command("predict", "people.thinnet", "less.csv", "--out", "p.csv")
    assert code == 1
    assert "column 'income' must be in the table" in output
