"""`thinnet fit TABLE`: what it learns, says and refuses."""

import pathlib

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from fitted_tables import FAST, write_rare

from thinnet import TableClassifier, load

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    "settings", [("--networks", 2, "--epochs", 60), pytest.param((), marks=pytest.mark.slow)],
    ids=["two networks", "defaults"],
)  # fmt: skip
def test_a_table_becomes_a_model_that_predicts(settings, table, tmp_path):
    report = ("--report", "pictures")
    code, output = thinnet_command("fit", table, "--target", "buys", *report, *settings)
    assert code == 0, output
    for shown in ("accuracy", "balanced accuracy", "log loss", "ROC AUC", "most frequent class",
                  "note: column 'id' is left out", "model: people.thinnet"):  # fmt: skip
        assert shown in output
    for name in ("learning-curve", "confusion", "calibration"):
        assert (tmp_path / "pictures" / f"{name}.png").read_bytes().startswith(PNG)
    code, output = thinnet_command("predict", "people.thinnet", table, "--out", "p.csv", "--proba")
    assert (code, output.strip()) == (0, "200 predictions: p.csv")
    found = pd.read_csv("p.csv")
    assert list(found.columns) == ["buys", "p(no)", "p(yes)"]
    assert (found["buys"] == pd.read_csv(table)["buys"]).mean() > 0.9


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))]
)
def test_a_class_of_one_row_is_learned_and_never_measured_by(seed):
    rows = pd.DataFrame({"x": np.arange(40) ** 2, "y": ["a", "b"] * 19 + ["b", "once"]})
    rows.to_csv("rare.csv", index=False)
    code, output = thinnet_command("fit", "rare.csv", "--target", "y", "--seed", seed, *FAST)
    assert code == 0, output
    assert list(load("rare.thinnet").classes_) == ["a", "b", "once"]


def test_numbers_are_predicted_and_measured(table, tmp_path):
    code, output = thinnet_command(
        "fit",
        table,
        "--target",
        "age",
        "--test",
        table,
        "--report",
        "r",
        "--out",
        "age.thinnet",
        *FAST,
    )
    assert code == 0, output
    for shown in ("RMSE", "mean absolute error", "R^2", "age: people.csv, 200 rows"):
        assert shown in output
    assert (tmp_path / "r" / "predicted-against-true.png").read_bytes().startswith(PNG)
    assert thinnet_command("evaluate", "age.thinnet", table)[0] == 0
    assert thinnet_command("predict", "age.thinnet", table, "--out", "p.parquet")[0] == 0
    assert pd.read_parquet("p.parquet")["age"].between(0, 120).all()


def test_a_useless_model_shows(tmp_path):
    rng = np.random.default_rng(0)
    noise = pd.DataFrame({"x": rng.normal(size=300), "y": rng.permutation([0, 1] * 150)})
    noise.to_csv("noise.csv", index=False)
    code, output = thinnet_command(
        "fit", "noise.csv", "--target", "y", "--test-fraction", "0.5", *FAST
    )
    assert code == 0
    assert "(!)" in output or "log loss" in output


def test_rows_without_a_target_and_columns_to_leave_out_are_left_out(table):
    lines = table.read_text().splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ","
    table.write_text("\n".join(lines))
    code, output = thinnet_command(
        "fit", table, "--target", "buys", "--leave-out", "age", "--test-fraction", "0",
        "--balanced", "--dropout", "0.2", *FAST,
    )  # fmt: skip
    assert code == 0, output
    assert "trained on 199 rows" in output
    model = load("people.thinnet")
    assert "age" not in [column.name for column in model.encoder_.columns_]
    assert (model.dropout, model.class_weight) == (0.2, "balanced")


REFUSED = {
    "no target": (("fit", "people.csv"), 2, "--target must name the column to predict"),
    "no such target": (("fit", "people.csv", "--target", "a"), 1, "target must be a column"),
    "no such column": (
        ("fit", "people.csv", "--target", "buys", "--leave-out", "x"), 1, "--leave-out must name"),
    "words for numbers": (
        ("fit", "people.csv", "--target", "city", "--task", "regression"), 1, "must hold numbers"),
    "task": (("fit", "people.csv", "--target", "city", "--task", "x"), 2, "--task must be"),
    "not for tables": (("fit", "people.csv", "--target", "city", "--l1", 1), 2, "--l1 is for a"),
    "only for tables": (("fit", "digits", "--target", "city"), 2, "--target is for a table"),
    "place": (("fit", "people.csv", "--target", "buys", "--out", "no/x"), 2, "--out must be"),
    "the target left out": (
        ("fit", "people.csv", "--target", "buys", "--leave-out", "buys"), 2,
        "--leave-out must be names of other columns than the target's, got 'buys'"),
    "a name that was meant": (
        ("fit", "people.csv", "--target", "buys", "--leave-out", "incme"), 1,
        "got 'incme' (did you mean 'income'?)"),
    "a target that was meant": (
        ("fit", "people.csv", "--target", "Buys"), 1, "got 'Buys' (did you mean 'buys'?)"),
    "two targets": (
        ("fit", "people.csv", "--target", "age", "--target", "income"), 2,
        "--target must name one column, got 'age', 'income'"),
    "a test file and a part": (
        ("fit", "people.csv", "--target", "buys", "--test", "people.csv", "--test-fraction", 0.5),
        2, "--test-fraction must be left out with --test"),
    "no test file": (
        ("fit", "people.csv", "--target", "buys", "--test", "no.csv"), 1,
        "no.csv must be an existing file"),
    "epochs": (
        ("fit", "people.csv", "--target", "buys", "--epochs", 0), 2,
        "--epochs must be an integer >= 1, got 0"),
    "networks": (
        ("fit", "people.csv", "--target", "buys", "--networks", 0), 2, "--networks must be an"),
    "learning rate": (
        ("fit", "people.csv", "--target", "buys", "--learning-rate", 0), 2,
        "--learning-rate must be a finite number > 0"),
    "rates": (
        ("fit", "people.csv", "--target", "buys", "--dropout", ".1,.2", "--hidden", 8), 2,
        "--dropout must be one rate or one for each of the 1 hidden layers, got 2"),
    "widths": (
        ("fit", "people.csv", "--target", "buys", "--hidden", "0"), 2,
        "each of --hidden must be an integer >= 1, got 0"),
    "nothing to look for": (
        ("fit", "people.csv", "--target", "buys", "--positive", "yes"), 2,
        "--positive is for --threshold-for or --eval-metric f1, got none"),
    "levels of no quantiles": (
        ("fit", "people.csv", "--target", "age", "--quantile", "0.5"), 2,
        "--quantile is for --loss quantile, got none"),
    "levels that fall": (
        ("fit", "people.csv", "--target", "age", "--loss", "quantile", "--quantile", ".9,.1"), 2,
        "--quantile must be a number in (0, 1), or several that ascend, got (0.9, 0.1)"),
    "no such loss": (
        ("fit", "people.csv", "--target", "age", "--loss", "pinball"), 2,
        "--loss must be 'squared_error' or 'gaussian_nll' or 'quantile', got 'pinball'"),
    "quantiles of classes, as was asked": (
        ("fit", "people.csv", "--target", "age", "--task", "classification", "--loss", "quantile"),
        2, "--loss must be left out for a target of classes, got 'quantile'"),
    "all dropped": (
        ("fit", "people.csv", "--target", "buys", "--dropout", "1"), 2,
        "--dropout must be a number in [0, 1), got 1"),
    "all inputs dropped": (
        ("fit", "people.csv", "--target", "buys", "--input-dropout", "1"), 2,
        "--input-dropout must be a number in [0, 1), got 1"),
    "weights of numbers, as was asked": (
        ("fit", "people.csv", "--target", "age", "--task", "regression", "--balanced"), 2,
        "--balanced must be left out for a target of numbers"),
    "not compared": (
        ("fit", "people.csv", "--target", "buys", "--no-compare"), 2, "--no-compare is for a data"),
    "no first row of names": (("fit", "digits", "--no-header"), 2, "--no-header is for a table's"),
    "a URL": (
        ("fit", "people.csv", "--target", "buys", "--test", "https://a.b/c"), 1,
        "https://a.b/c must be a file here, got a URL"),
    "a URL of a model": (("show", "https://a.b/c"), 1, "got 'https://a.b/c'"),
    "no model": (("show", "none.thinnet"), 1, "must be an existing file"),
    "no table": (("fit", "none.csv", "--target", "a"), 1, "none.csv must be an existing file"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_named_in_one_sentence(arguments, code, sentence, table):
    found, output = thinnet_command(*arguments)
    assert found == code, output
    assert sentence in output
    assert len(output.strip().splitlines()) == 1
    assert not list(table.parent.glob("*.thinnet"))


REFUSED_BY_DATA = {
    "no such column": (("--kind", "nosuch=number"), "--kind must be for columns to learn from"),
    "no numbers": (("--kind", "city=number"), "column 'city' must be of numbers, as asked for"),
    "no such class": (
        ("--threshold-for", "f1", "--positive", "maybe"),
        "--positive must be one of 'no', 'yes', got 'maybe'"),
    "many classes": (
        ("--target", "city", "--threshold-for", "f1"), "--threshold-for must be left out for"),
    "weights of numbers": (
        ("--target", "age", "--balanced"), "--balanced must be left out for a target of numbers"),
    "quantiles of classes": (
        ("--target", "city", "--loss", "quantile"), "--loss must be left out for a target of cl"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "sentence"), REFUSED_BY_DATA.values(), ids=REFUSED_BY_DATA)
def test_what_only_the_data_refuses_is_no_misuse(options, sentence, table):
    target = () if "--target" in options else ("--target", "buys")
    code, output = thinnet_command("fit", table, *target, *options, *FAST)
    assert (code, sentence in output.splitlines()[-1]) == (1, True), output


@pytest.mark.parametrize("seed", range(4))
def test_a_class_of_three_rows_is_learned_where_rows_are_kept_apart(seed):
    write_rare("rare.csv")
    settings = ("--conformal", "--balanced", "--seed", seed, *FAST)
    code, output = thinnet_command("fit", "rare.csv", "--target", "y", *settings)
    assert code == 0, output
    assert list(load("rare.thinnet").classes_) == ["fraud", "ok"]


SPOILED = {
    "no target": ("buys", "rows", "--test other.csv: target must be a column of the table"),
    "no column": ("income", "salary", "--test other.csv must have the columns of the table, got "
                  "none named 'income'"),
    "another label": ("no", "maybe", "--test other.csv: target column 'buys' must hold the labels"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), SPOILED.values(), ids=SPOILED)
def test_a_test_file_is_checked_before_training(old, new, sentence, table, monkeypatch):
    pathlib.Path("other.csv").write_text(table.read_text().replace(old, new))
    monkeypatch.setattr(TableClassifier, "fit", lambda *_: pytest.fail("trained"))
    code, output = thinnet_command("fit", table, "--target", "buys", "--test", "other.csv")
    assert (code, len(output.splitlines())) == (1, 1), output
    assert sentence in output


def test_a_test_file_may_lack_a_column_that_says_nothing(table):
    frame = pd.read_csv(table)
    frame.drop(columns="id").to_csv("other.csv", index=False)
    code, output = thinnet_command("fit", table, "--target", "buys", "--test", "other.csv", *FAST)
    assert code == 0, output


def test_a_long_name_is_shortened_in_a_sentence(table):
    code, output = thinnet_command("fit", table, "--target", "n" * 3000)
    assert code != 0
    assert len(output) < 500


@pytest.mark.parametrize("level", [None, "0.9"])
def test_quantiles_are_learned_measured_and_predicted(level, table):
    options = ("--quantile", level) if level else ()
    settings = ("--target", "age", "--loss", "quantile", *options, "--out", "age.thinnet", *FAST)
    code, output = thinnet_command("fit", "people.csv", *settings)
    assert code == 0, output
    assert ("pinball loss at 0.9" in output, "RMSE" in output) == (bool(level), not level)
    assert ("the same for all rows" in output, "intervals meant" in output) == (
        bool(level), not level
    )  # fmt: skip
    model = load("age.thinnet")
    assert (model.loss, len(model.head_.levels)) == ("quantile", 1 if level else 5)
    uncertain = ("--uncertainty", "--draws", "4")
    command = ("predict", "age.thinnet", "people.csv", "--out", "ages.csv", *uncertain)
    code, output = thinnet_command(*command)
    sentence = "quantile must be two levels at least to give distributions"
    assert (code, sentence in output) == ((1, True) if level else (0, False))
    assert thinnet_command("evaluate", "age.thinnet", "people.csv")[0] == 0
