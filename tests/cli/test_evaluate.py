"""`thinnet evaluate`."""

import pathlib
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from fitted_tables import FAST, cut, write_rare
from typer.testing import CliRunner

from thinnet import TableClassifier, save
from thinnet.cli import app
from thinnet.commands import evaluating


@pytest.mark.usefixtures("model")
def test_a_model_is_shown_and_measured_again(table):
    code, output = thinnet_command("show", "people.thinnet")
    assert code == 0
    for shown in ("TableClassifier of people.csv, for buys", "160 rows", "income", "2 networks"):
        assert shown in output
    code, output = thinnet_command("evaluate", "people.thinnet", table, "--report", "again")
    assert code == 0
    assert "people.csv, 200 rows" in output


def without_targets(table, rows):
    """The file, with empty cells for the targets of some rows."""
    lines = table.read_text().splitlines()
    for row in rows:
        lines[row + 1] = lines[row + 1].rsplit(",", 1)[0] + ","
    table.write_text("\n".join(lines))


@pytest.mark.parametrize("unknown", [range(14), range(20, 30), range(35, 42), range(41)], ids=str)
def test_blocks_without_a_known_target_are_passed_over(table, model, unknown, monkeypatch):
    cut(table, 42)
    whole = evaluating.evaluate(model, table)
    without_targets(table, unknown)
    monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 56)  # 7 rows
    found = evaluating.evaluate(model, table)
    known = ~np.isin(np.arange(42), unknown)
    np.testing.assert_array_equal(found.y, whole.y[known])
    np.testing.assert_allclose(found.predicted, whole.predicted[known], rtol=1e-5)


def without_a_target(table):
    without_targets(table, range(200))


def without_the_column(table):
    table.write_text(re.sub(",[^,\n]*(\n|$)", "\n", table.read_text()))


def without_rows(table):
    table.write_text(table.read_text().splitlines()[0] + "\n")


NOTHING_TO_MEASURE_BY = {
    "no known target": (
        without_a_target, "people.csv must hold values of the target column 'buys', got missing "
        "cells only; fill some in to measure the model by, or run `thinnet predict` instead"),
    "no such column": (without_the_column, "target must be a column of the table, one of 'age'"),
    "no rows": (without_rows, "people.csv must hold rows below its names, got none"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "sentence"), NOTHING_TO_MEASURE_BY.values(), ids=NOTHING_TO_MEASURE_BY
)
@pytest.mark.usefixtures("model")
def test_a_file_that_nothing_can_be_measured_by_is_refused(table, spoil, sentence, monkeypatch):
    spoil(table)
    monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 56)
    code, output = thinnet_command("evaluate", "people.thinnet", table)
    assert code == 1
    assert sentence in output
    assert len(output.strip().splitlines()) == 1


def test_a_column_that_is_missing_is_named_before_the_first_prediction(table, model, monkeypatch):
    without_the_column(table)
    monkeypatch.setattr(TableClassifier, "predict_proba", lambda *_: pytest.fail("answered"))
    with pytest.raises(ValueError, match="got 'buys'"):
        evaluating.evaluate(model, table)


def test_labels_may_be_numbers_here_and_text_there():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    pd.DataFrame({"x": x, "y": (x > 0).astype(int)}).to_csv("ints.csv", index=False)
    pd.DataFrame({"x": x, "y": (x > 0).astype(float)}).to_parquet("floats.parquet")
    pd.DataFrame({"x": x, "y": np.where(x > 0, "1.", "0.")}).to_csv("stops.csv", index=False)
    assert thinnet_command("fit", "ints.csv", "--target", "y", *FAST)[0] == 0
    for other in ("floats.parquet", "stops.csv"):
        code, output = thinnet_command("evaluate", "ints.thinnet", other)
        assert code == 0, output


LITTLE = "these scores say little of new rows"


def test_scores_of_rows_that_were_learned_from_are_noted(table):
    shutil.copy(table, "same.csv")
    fit = ("fit", table, "--target", "buys", *FAST)
    assert LITTLE in thinnet_command(*fit, "--test", "same.csv")[1]
    assert LITTLE in thinnet_command("show", "people.thinnet")[1]
    _, output = thinnet_command("evaluate", "people.thinnet", "same.csv")
    assert f"has learned from these rows, so {LITTLE}" in output
    with pathlib.Path("same.csv").open("a") as file:
        file.write(table.read_text().splitlines()[-1])
    assert LITTLE not in thinnet_command(*fit, "--test", "same.csv")[1]
    assert LITTLE not in thinnet_command("evaluate", "people.thinnet", "same.csv")[1]


def test_a_model_that_held_rows_out_has_learned_from_most_of_its_table(table, model):
    _, output = thinnet_command("evaluate", "people.thinnet", table)
    assert f"learned from these rows, or most of them, so {LITTLE}" in output
    del model.card_["content"]
    save(model, "old.thinnet")
    code, output = thinnet_command("evaluate", "old.thinnet", table)
    assert (code, LITTLE in output) == (0, False)


@pytest.mark.usefixtures("model")
def test_rows_without_a_target_are_counted(table):
    without_targets(table, range(30))
    _, output = thinnet_command("evaluate", "people.thinnet", table)
    assert "30 rows are left out: their target is missing" in output


@pytest.mark.usefixtures("model")
def test_the_standard_input_is_called_so(table):
    result = CliRunner().invoke(app, ["evaluate", "people.thinnet", "-"], input=table.read_bytes())
    assert "standard input, 200 rows" in " ".join(result.output.split())


UNMEASURED = "no row that was measured is of class 'fraud'"


def test_a_class_that_no_measured_row_has_is_named_and_not_measured():
    frame = write_rare("rare.csv")
    frame[3:].to_csv("ok.csv", index=False)
    fit = ("fit", "rare.csv", "--target", "y", *FAST)
    outputs = [
        thinnet_command(*fit, "--test", "ok.csv"),
        thinnet_command("show", "rare.thinnet"),
        thinnet_command("evaluate", "rare.thinnet", "ok.csv"),
    ]
    for code, output in outputs:
        assert (code, UNMEASURED in output) == (0, True), output
        assert "│ accuracy" in output
        assert "│ balanced accuracy" not in output
        assert "(!) no better than the plain answer" in output
    _, output = thinnet_command("evaluate", "rare.thinnet", "rare.csv")
    assert UNMEASURED not in output
    assert "│ balanced accuracy" in output


def test_a_file_name_that_is_no_utf_8_works_and_is_printed_as_it_would_be_typed(table):
    odd = table.rename(table.with_name(b"p\xff.csv".decode(errors="surrogateescape")))
    code, output = thinnet_command("fit", odd, "--target", "buys", *FAST, "--out", "m.thinnet")
    assert code == 0, output
    code, output = thinnet_command("evaluate", "m.thinnet", odd, "--report", "r")
    assert (code, "p\\udcff.csv" in output) == (0, True)
