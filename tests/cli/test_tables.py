"""The commands for tables, as a person uses them."""

import itertools
import json
import pathlib
import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from mangling import people, written
from typer.testing import CliRunner

from thinnet import TableClassifier, load, save
from thinnet.cli import app
from thinnet.cli.flags import in_flags
from thinnet.commands import evaluating, scoring
from thinnet.tables import members

FAST = ("--epochs", "20", "--networks", "2", "--hidden", "16")
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_people(path):
    lines = people(np.random.default_rng(0), rows=200)
    for line in lines[1:]:
        line[7] = "yes" if int(line[0]) > 50 else "no"
    path.write_bytes(written(lines))
    return path


@pytest.fixture
def table(tmp_path):
    return write_people(tmp_path / "people.csv")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The file of a model of the table."""
    folder = tmp_path_factory.mktemp("fitted")
    table = write_people(folder / "people.csv")
    place = ("--out", folder / "people.thinnet")
    assert thinnet_command("fit", table, "--target", "buys", *place, *FAST)[0] == 0
    return folder / "people.thinnet"


@pytest.fixture
def model(fitted, tmp_path):
    """Fitted to `table`, and read from its file."""
    shutil.copy(fitted, tmp_path)
    return load("people.thinnet")


@pytest.mark.parametrize(
    "settings", [("--networks", 2, "--epochs", 60), pytest.param((), marks=pytest.mark.slow)],
    ids=["two networks", "defaults"],
)  # fmt: skip
def test_a_table_becomes_a_model_that_predicts(settings, table, tmp_path):
    report = ("--report", "pictures")
    code, said = thinnet_command("fit", table, "--target", "buys", *report, *settings)
    assert code == 0, said
    for shown in ("accuracy", "balanced accuracy", "log loss", "ROC AUC", "most frequent class",
                  "note: column 'id' is left out", "model: people.thinnet"):  # fmt: skip
        assert shown in said
    for name in ("learning-curve", "confusion", "calibration"):
        assert (tmp_path / "pictures" / f"{name}.png").read_bytes().startswith(PNG)
    code, said = thinnet_command("predict", "people.thinnet", table, "--out", "p.csv", "--proba")
    assert (code, said.strip()) == (0, "200 predictions: p.csv")
    found = pd.read_csv("p.csv")
    assert list(found.columns) == ["buys", "p(no)", "p(yes)"]
    assert (found["buys"] == pd.read_csv(table)["buys"]).mean() > 0.9


def cut(table, rows):
    """Leave the first rows of the file."""
    table.write_text("\n".join(table.read_text().splitlines()[: 1 + rows]))


@pytest.mark.usefixtures("model")
def test_predictions_do_not_depend_on_the_blocks(table, monkeypatch):
    cut(table, 41)
    ask = ("predict", "people.thinnet", table, "--proba", "--out")
    assert thinnet_command(*ask, "whole.csv")[0] == 0
    monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 56)  # 7 rows
    assert thinnet_command(*ask, "parts.csv")[0] == 0
    assert pathlib.Path("parts.csv").read_bytes() == pathlib.Path("whole.csv").read_bytes()


@pytest.mark.usefixtures("model")
def test_a_model_is_shown_and_measured_again(table):
    code, said = thinnet_command("show", "people.thinnet")
    assert code == 0
    for shown in ("TableClassifier of people.csv, for buys", "160 rows", "income", "2 networks"):
        assert shown in said
    code, said = thinnet_command("evaluate", "people.thinnet", table, "--report", "again")
    assert code == 0
    assert "people.csv, 200 rows" in said


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
    code, said = thinnet_command("evaluate", "people.thinnet", table)
    assert code == 1
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def test_a_column_that_is_missing_is_told_before_the_first_answer(table, model, monkeypatch):
    without_the_column(table)
    monkeypatch.setattr(TableClassifier, "predict_proba", lambda *_: pytest.fail("answered"))
    with pytest.raises(ValueError, match="got 'buys'"):
        evaluating.evaluate(model, table)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))]
)
def test_a_class_of_one_row_is_learned_and_never_measured_by(seed):
    rows = pd.DataFrame({"x": np.arange(40) ** 2, "y": ["a", "b"] * 19 + ["b", "once"]})
    rows.to_csv("rare.csv", index=False)
    code, said = thinnet_command("fit", "rare.csv", "--target", "y", "--seed", seed, *FAST)
    assert code == 0, said
    assert list(load("rare.thinnet").classes_) == ["a", "b", "once"]


def test_numbers_are_predicted_and_measured(table, tmp_path):
    code, said = thinnet_command(
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
    assert code == 0, said
    for shown in ("RMSE", "mean absolute error", "R^2", "age: people.csv, 200 rows"):
        assert shown in said
    assert (tmp_path / "r" / "predicted-against-true.png").read_bytes().startswith(PNG)
    assert thinnet_command("evaluate", "age.thinnet", table)[0] == 0
    assert thinnet_command("predict", "age.thinnet", table, "--out", "p.parquet")[0] == 0
    assert pd.read_parquet("p.parquet")["age"].between(0, 120).all()


def test_a_useless_model_shows(tmp_path):
    rng = np.random.default_rng(0)
    noise = pd.DataFrame({"x": rng.normal(size=300), "y": rng.permutation([0, 1] * 150)})
    noise.to_csv("noise.csv", index=False)
    code, said = thinnet_command(
        "fit", "noise.csv", "--target", "y", "--test-fraction", "0.5", *FAST
    )
    assert code == 0
    assert "(!)" in said or "log loss" in said


def test_labels_may_be_numbers_here_and_text_there():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    pd.DataFrame({"x": x, "y": (x > 0).astype(int)}).to_csv("ints.csv", index=False)
    pd.DataFrame({"x": x, "y": (x > 0).astype(float)}).to_parquet("floats.parquet")
    pd.DataFrame({"x": x, "y": np.where(x > 0, "1.", "0.")}).to_csv("stops.csv", index=False)
    assert thinnet_command("fit", "ints.csv", "--target", "y", *FAST)[0] == 0
    for other in ("floats.parquet", "stops.csv"):
        code, said = thinnet_command("evaluate", "ints.thinnet", other)
        assert code == 0, said


def test_rows_without_a_target_and_columns_to_leave_out_are_left_out(table):
    lines = table.read_text().splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ","
    table.write_text("\n".join(lines))
    code, said = thinnet_command(
        "fit", table, "--target", "buys", "--leave-out", "age", "--test-fraction", "0",
        "--balanced", "--dropout", "0.2", *FAST,
    )  # fmt: skip
    assert code == 0, said
    assert "trained on 199 rows" in said
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
        "--positive is for --threshold-for, got none"),
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
def test_what_is_wrong_is_said_in_one_sentence(arguments, code, sentence, table):
    found, said = thinnet_command(*arguments)
    assert found == code, said
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
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
}  # fmt: skip


@pytest.mark.parametrize(("options", "sentence"), REFUSED_BY_DATA.values(), ids=REFUSED_BY_DATA)
def test_what_only_the_data_refuses_is_no_misuse(options, sentence, table):
    target = () if "--target" in options else ("--target", "buys")
    code, said = thinnet_command("fit", table, *target, *options, *FAST)
    assert (code, sentence in said.splitlines()[-1]) == (1, True), said


@pytest.mark.usefixtures("model")
def test_export_without_its_library_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, said = thinnet_command("export", "people.thinnet", "people.onnx")
    assert (code, "needs the library onnx: pip install 'thinnet[onnx]'" in said) == (1, True)


LITTLE = "these scores say little of new rows"


def test_scores_of_rows_that_were_learned_from_are_noted(table):
    shutil.copy(table, "same.csv")
    fit = ("fit", table, "--target", "buys", *FAST)
    assert LITTLE in thinnet_command(*fit, "--test", "same.csv")[1]
    assert LITTLE in thinnet_command("show", "people.thinnet")[1]
    _, said = thinnet_command("evaluate", "people.thinnet", "same.csv")
    assert f"has learned from these rows, so {LITTLE}" in said
    with pathlib.Path("same.csv").open("a") as file:
        file.write(table.read_text().splitlines()[-1])
    assert LITTLE not in thinnet_command(*fit, "--test", "same.csv")[1]
    assert LITTLE not in thinnet_command("evaluate", "people.thinnet", "same.csv")[1]


def test_a_model_that_held_rows_out_has_learned_from_most_of_its_table(table, model):
    _, said = thinnet_command("evaluate", "people.thinnet", table)
    assert f"learned from these rows, or most of them, so {LITTLE}" in said
    del model.card_["content"]
    save(model, "old.thinnet")
    code, said = thinnet_command("evaluate", "old.thinnet", table)
    assert (code, LITTLE in said) == (0, False)


@pytest.mark.usefixtures("model")
def test_rows_without_a_target_are_counted(table):
    without_targets(table, range(30))
    _, said = thinnet_command("evaluate", "people.thinnet", table)
    assert "30 rows are left out: their target is missing" in said


@pytest.mark.usefixtures("model")
def test_the_standard_input_is_called_so(table):
    result = CliRunner().invoke(app, ["evaluate", "people.thinnet", "-"], input=table.read_bytes())
    assert "standard input, 200 rows" in " ".join(result.output.split())


@pytest.mark.usefixtures("model")
def test_notes_of_columns_are_shown_once():
    _, said = thinnet_command("show", "people.thinnet")
    (note,) = (line for line in said.splitlines() if "column 'id'" in line)
    assert said.count(note.partition(": ")[2].partition(": ")[2]) == 1


@pytest.mark.usefixtures("model")
def test_one_prediction_is_no_several(table):
    cut(table, 1)
    _, said = thinnet_command("predict", "people.thinnet", table, "--out", "p.csv")
    assert said.startswith("1 prediction: ")


def test_an_empty_file_is_no_model():
    pathlib.Path("empty.thinnet").touch()
    code, said = thinnet_command("show", "empty.thinnet")
    assert (code, "must be a complete file, got an empty one" in said) == (1, True)


@pytest.mark.usefixtures("model")
def test_columns_that_were_expected_are_named_whole(table):
    pathlib.Path("p.csv").write_text("id,buys\n")
    ask = ("predict", "people.thinnet", table, "--out", "p.csv", "--keep-all", "--proba")
    code, said = thinnet_command(*ask)
    listed = said.partition("same columns (")[2].partition(") (or")[0]
    names, _, more = listed.partition(" and ")
    expected = [*pd.read_csv(table).columns, "predicted buys", "p(no)", "p(yes)"]
    shown = names.split(", ")
    assert (code, shown) == (2, expected[: len(shown)])
    assert len(shown) + int(more.split()[0] if more else 0) == len(expected)


def write_rare(path, rows=300):
    """A table with three rows of a rare class among the first."""
    x = np.random.default_rng(0).normal(size=(rows, 2))
    frame = pd.DataFrame(x, columns=["a", "b"])
    frame["y"] = np.where(np.arange(rows) < 3, "fraud", "ok")
    frame.to_csv(path, index=False)
    return frame


UNMEASURED = "no row that was measured is of class 'fraud'"


def test_a_class_that_no_measured_row_has_is_told_and_not_measured():
    frame = write_rare("rare.csv")
    frame[3:].to_csv("ok.csv", index=False)
    fit = ("fit", "rare.csv", "--target", "y", *FAST)
    outputs = [
        thinnet_command(*fit, "--test", "ok.csv"),
        thinnet_command("show", "rare.thinnet"),
        thinnet_command("evaluate", "rare.thinnet", "ok.csv"),
    ]
    for code, said in outputs:
        assert (code, UNMEASURED in said) == (0, True), said
        assert "│ accuracy" in said
        assert "│ balanced accuracy" not in said
        assert "(!) no better than the plain answer" in said
    _, said = thinnet_command("evaluate", "rare.thinnet", "rare.csv")
    assert UNMEASURED not in said
    assert "│ balanced accuracy" in said


@pytest.mark.parametrize("seed", range(4))
def test_a_class_of_three_rows_is_learned_where_rows_are_kept_apart(seed):
    write_rare("rare.csv")
    asked = ("--conformal", "--balanced", "--seed", seed, *FAST)
    code, said = thinnet_command("fit", "rare.csv", "--target", "y", *asked)
    assert code == 0, said
    assert list(load("rare.thinnet").classes_) == ["fraud", "ok"]


@pytest.mark.parametrize("seed", range(20))
def test_rows_to_learn_from_have_every_class_of_two_rows(seed):
    y = np.repeat(["a", "b", "c"], [40, 2, 2]).astype(object)
    kept, held = members.held_out(y, 0.3, seed)
    assert set(y[kept]) == set(y)
    np.testing.assert_array_equal(np.sort(np.append(kept, held)), np.arange(44))


def marked(*names):
    scores = ("accuracy", "log loss")
    return [scoring.Score(name, 0.5, 0.6 if name in names else 0.4, True) for name in scores]


def test_the_mark_is_explained_wherever_one_is():
    plain = scoring.table("t", marked(), "p").caption
    one = scoring.table("t", marked("accuracy"), "p").caption
    every = scoring.table("t", marked("accuracy", "log loss"), "p").caption
    decided = scoring.table("t", marked("accuracy"), "p", is_decided=True).caption
    assert plain is None
    assert one == "(!) no better than the plain answer"
    assert "of no use" in every
    assert "to be expected" in decided


def test_names_of_python_are_options_in_the_commands_words(table):
    weights = ("--balanced", "--threshold-for", "f1")
    code, said = thinnet_command("fit", table, "--target", "buys", *weights, *FAST)
    assert code == 0
    assert "--balanced weighs classes up in training, a threshold decides on classes" in said
    assert "class_weight" not in said
    assert "in what is predicted" not in said
    assert in_flags("want: threshold_for='f1'") == "want: --threshold-for f1"
    assert in_flags("a folder named by data_dir") == "a folder named by --data-dir"
    for other in ("column 'batch_size' is", "batch_size.csv must", "in/data_dir/x"):
        assert in_flags(other) == other


def help_of(command, columns=80):
    """The help that is printed, and its words in a line."""
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(app, [command, "--help"])
    return result.output, " ".join(re.sub(r"[│╭╰─╮╯]", " ", result.output).split())


def test_nothing_is_cut_from_the_help_of_80_columns():
    shown, words = help_of("fit")
    assert "…" not in shown
    assert "number, category, date, text or drop" in " ".join(words.split())
    assert "<list[str]>" not in shown


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_paragraphs_of_the_help_are_wrapped_once(command):
    shown, _ = help_of(command)
    lines = [line.strip() for line in shown.partition("╭")[0].splitlines()]
    for line, after in itertools.pairwise(lines):
        if line and after:  # a word more would not have fitted
            assert len(f" {line} {after.split()[0]}") > 79


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
    code, said = thinnet_command("fit", table, "--target", "buys", "--test", "other.csv")
    assert (code, len(said.splitlines())) == (1, 1), said
    assert sentence in said


def test_a_test_file_may_lack_a_column_that_says_nothing(table):
    frame = pd.read_csv(table)
    frame.drop(columns="id").to_csv("other.csv", index=False)
    code, said = thinnet_command("fit", table, "--target", "buys", "--test", "other.csv", *FAST)
    assert code == 0, said


@pytest.mark.usefixtures("model")
def test_a_table_without_a_column_of_training_is_to_blame(table):
    pathlib.Path("less.csv").write_text(table.read_text().replace("income", "salary"))
    code, said = thinnet_command("predict", "people.thinnet", "less.csv", "--out", "p.csv")
    assert code == 1
    assert "column 'income' must be in the table" in said


def first_line(cells, *options, name="y"):
    """What `thinnet fit` says first of a target with these cells."""
    x = np.random.default_rng(0).normal(size=len(cells))
    pd.DataFrame({"x": x, name: cells}).to_csv("cells.csv", index=False)
    code, said = thinnet_command("fit", "cells.csv", "--target", name, *options, *FAST)
    return code, said.splitlines()[0]


SAID = {
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


@pytest.mark.parametrize(("cells", "options", "line"), SAID.values(), ids=SAID)
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
    code, said = thinnet_command("fit", "days.parquet", "--target", "y", *FAST)
    assert code == 1
    assert "must hold numbers or labels, got dates such as '2020-01-01 00:00:00'" in said


def test_money_is_refused_by_a_model_of_plain_numbers_in_words_that_fit():
    assert first_line(np.arange(60) / 4)[0] == 0
    pd.DataFrame({"x": [0.0, 1.0], "y": ["$5.25", "$7"]}).to_csv("money.csv", index=False)
    code, said = thinnet_command("evaluate", "cells.thinnet", "money.csv")
    assert code == 1
    assert "got '$5.25'; the model has learned plain numbers: write it so" in said
    assert "--task" not in said


def test_plain_numbers_are_read_by_a_model_of_money():
    assert first_line([f"{k},50 €" for k in range(60)])[0] == 0
    pd.DataFrame({"x": [0.0, 1.0], "y": [5.25, 1234.5]}).to_csv("plain.csv", index=False)
    assert evaluating.evaluate(load("cells.thinnet"), "plain.csv").y.tolist() == [5.25, 1234.5]


def test_a_target_of_one_class_is_named():
    pd.DataFrame({"x": [1, 2, 4, 8, 16], "same": ["a"] * 5}).to_csv("one.csv", index=False)
    code, said = thinnet_command("fit", "one.csv", "--target", "same")
    assert code == 1
    assert "target column 'same' must hold two classes at least, got only 'a'" in said


def test_a_file_of_another_model_is_refused(table, tmp_path):
    from sklearn.datasets import load_iris

    from thinnet import MLPClassifier, save

    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((4,), solver="lbfgs", max_iter=2000, random_state=0)
    save(model.fit(X, y), tmp_path / "iris.thinnet")
    code, said = thinnet_command("show", "iris.thinnet")
    assert code == 1
    assert "one that `thinnet fit` has saved for a table" in said


def test_scores_survive_json():
    scores = scoring.of_numbers(np.arange(5.0), np.arange(5.0) + 0.1, 2.0)
    again = scoring.from_values(json.loads(json.dumps(scoring.as_values(scores))))
    assert again == scores
    assert all(score.is_better for score in scores)


def test_scores_are_those_of_scikit_learn():
    from sklearn import metrics

    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200)
    found = {score.name: score.model for score in scoring.of_classes(y, p, np.full(3, 1 / 3))}
    guess = p.argmax(axis=1)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(y, guess))
    assert found["balanced accuracy"] == pytest.approx(metrics.balanced_accuracy_score(y, guess))
    assert found["log loss"] == pytest.approx(metrics.log_loss(y, p))
    assert found["ROC AUC"] == pytest.approx(metrics.roc_auc_score(y, p, multi_class="ovr"))
    x = rng.normal(size=200)
    numbers = {s.name: s.model for s in scoring.of_numbers(x, p[:, 0], 0.0)}
    assert numbers["R^2"] == pytest.approx(metrics.r2_score(x, p[:, 0]))
    assert numbers["RMSE"] == pytest.approx(metrics.root_mean_squared_error(x, p[:, 0]))


def test_help_groups_the_options():
    code, said = thinnet_command("fit", "--help")
    assert code == 0
    assert re.search(r"Tables.*--target.*Data sets by name.*--data-dir", said, re.DOTALL)


def test_a_file_name_that_is_no_utf_8_works_and_is_printed_as_it_would_be_typed(table):
    odd = table.rename(table.with_name(b"p\xff.csv".decode(errors="surrogateescape")))
    code, said = thinnet_command("fit", odd, "--target", "buys", *FAST, "--out", "m.thinnet")
    assert code == 0, said
    code, said = thinnet_command("evaluate", "m.thinnet", odd, "--report", "r")
    assert (code, "p\\udcff.csv" in said) == (0, True)


def test_a_long_name_is_shortened_in_a_sentence(table):
    code, said = thinnet_command("fit", table, "--target", "n" * 3000)
    assert code != 0
    assert len(said) < 500
