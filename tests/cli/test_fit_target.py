"""Targets of `thinnet fit TABLE`: numbers, labels, money, and what is neither."""

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from fitted_tables import FAST

from thinnet import load
from thinnet.commands import evaluating


def first_line(cells, *options, name="y"):
    """What `thinnet fit` says first of a target with these cells."""
    x = np.random.default_rng(0).normal(size=len(cells))
    pd.DataFrame({"x": x, name: cells}).to_csv("cells.csv", index=False)
    code, output = thinnet_command("fit", "cells.csv", "--target", name, *options, *FAST)
    return code, output.splitlines()[0]


LINES = {
    "labels": (
        ["a", "b", None, "b"] * 15, (), "classification of 'y': 2 classes ('b' 30, 'a' 15); 36 "
        "rows to learn from, 9 held out to measure by, 15 left out: their target is missing"),
    "numbers": (
        np.arange(60) / 4, (), "regression of 'y': numbers from 0 to 14.75; 48 rows to learn from, "
        "12 held out to measure by"),
    "few whole numbers": (
        [1, 2, 3] * 20, (), "classification of 'y': 3 classes ('1' 20, '2' 20, '3' 20); 48 rows to "
        "learn from, 12 held out to measure by; its few whole numbers are taken as classes (--task "
        "regression takes them as numbers)"),
    "asked for": (
        [1, 2, 3] * 20, ("--task", "regression"), "regression of 'y': numbers from 1 to 3; 48 rows "
        "to learn from, 12 held out to measure by"),
    "money": (
        [f"${k:,}.25" for k in range(1000, 1060)], (), "regression of 'y': numbers from 1000 to "
        "1059; 48 rows to learn from, 12 held out to measure by; cells such as '$1,000.25' are "
        "read as 1000.25"),
    "codes": (
        ["00501", "01234"] * 30, (), "classification of 'y': 2 classes ('00501' 30, '01234' 30); "
        "48 rows to learn from, 12 held out to measure by; cells such as '00501' are names, not "
        "numbers: they are taken as labels (--task regression takes them as numbers)"),
    "codes as numbers": (
        ["00501", "01234"] * 30, ("--task", "regression"), "regression of 'y': numbers from 501 to "
        "1234; 48 rows to learn from, 12 held out to measure by; cells such as '00501' are read as "
        "501"),
}  # fmt: skip


@pytest.mark.parametrize(("cells", "options", "line"), LINES.values(), ids=LINES)
def test_the_first_line_says_the_task_and_its_rows(cells, options, line):
    assert first_line(cells, *options) == (0, line)


DAYS = pd.date_range("2020-01-01", periods=60)


UNCLEAR = {
    "dates": (DAYS, "must hold numbers or labels, got dates such as '2020-01-01'; add a column"),
    "German dates": (DAYS.strftime("%d.%m.%Y"), "got dates such as '01.01.2020'"),
    "a unit": ([f"{k} kg" for k in range(60)], "60 different cells of which most begin with a"),
    "words among numbers": ([*range(59), "oops"], "must hold numbers or labels, got 60"),
    "names": ([f"n{k}" for k in range(60)], "must hold labels that come again, got 60 different"),
}


@pytest.mark.parametrize(("cells", "sentence"), UNCLEAR.values(), ids=UNCLEAR)
def test_a_target_that_is_neither_numbers_nor_labels_is_refused(cells, sentence):
    code, line = first_line(cells)
    assert code == 1
    assert sentence in line


def test_money_is_measured_by_as_it_was_learned():
    code, _ = first_line([f"{k}.{100 + k} €" for k in range(1, 61)])
    assert code == 0
    pd.DataFrame({"x": [0.0], "y": ["2.500 €"]}).to_csv("one.csv", index=False)
    assert evaluating.evaluate(load("cells.thinnet"), "one.csv").y == [2500.0]


def test_many_codes_are_labels_too():
    code, line = first_line([f"{k % 25:04}" for k in range(100)])
    assert code == 0
    assert line.startswith("classification of 'y': 25 classes")


def test_dates_are_no_numbers_of_a_regression_either():
    for cells in (DAYS, DAYS.strftime("%d.%m.%Y")):
        code, line = first_line(cells, "--task", "regression")
        assert code == 1
        assert "must hold numbers or labels, got dates such as" in line
    pd.DataFrame({"x": np.arange(60) ** 2, "y": DAYS}).to_parquet("days.parquet")
    code, output = thinnet_command("fit", "days.parquet", "--target", "y", *FAST)
    assert code == 1
    assert "must hold numbers or labels, got dates such as '2020-01-01 00:00:00'" in output


def test_money_is_refused_by_a_model_of_plain_numbers_in_words_that_fit():
    assert first_line(np.arange(60) / 4)[0] == 0
    pd.DataFrame({"x": [0.0, 1.0], "y": ["$5.25", "$7"]}).to_csv("money.csv", index=False)
    code, output = thinnet_command("evaluate", "cells.thinnet", "money.csv")
    assert code == 1
    assert "got '$5.25'; the model has learned plain numbers: write it so" in output
    assert "--task" not in output


def test_plain_numbers_are_read_by_a_model_of_money():
    assert first_line([f"{k},50 €" for k in range(60)])[0] == 0
    pd.DataFrame({"x": [0.0, 1.0], "y": [5.25, 1234.5]}).to_csv("plain.csv", index=False)
    assert evaluating.evaluate(load("cells.thinnet"), "plain.csv").y.tolist() == [5.25, 1234.5]


def test_a_target_of_one_class_is_named():
    pd.DataFrame({"x": [1, 2, 4, 8, 16], "same": ["a"] * 5}).to_csv("one.csv", index=False)
    code, output = thinnet_command("fit", "one.csv", "--target", "same")
    assert code == 1
    assert "target column 'same' must hold two classes at least, got only 'a'" in output


ALONE = {
    "only the target": ({"y": [1.5, 2.5, 4.5]}, "must have columns beside the target 'y'"),
    "no target is known": (
        {"x": [1, 2, 4], "y": [None, "-", None]}, "'y' must hold values, got missing cells only"),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "sentence"), ALONE.values(), ids=ALONE)
def test_a_table_that_nothing_can_be_learned_from_is_refused(columns, sentence):
    pd.DataFrame(columns).to_csv("alone.csv", index=False)
    code, output = thinnet_command("fit", "alone.csv", "--target", "y")
    assert code == 1
    assert sentence in output


def test_a_dash_among_numbers_is_a_hole_and_among_labels_a_label():
    code, line = first_line([*np.arange(58) / 4, "-", "-"])
    assert code == 0
    assert "numbers from 0 to 14.25" in line
    assert "2 left out: their target is missing" in line
    code, line = first_line(["a", "-"] * 30)
    assert code == 0
    assert "2 classes ('-' 30, 'a' 30)" in line
