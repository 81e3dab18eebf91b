"""`thinnet show`."""

import pathlib
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from commanding import thinnet_command
from paths import VECTORS

import thinnet
from thinnet import save
from thinnet.commands import cards, importances


@pytest.mark.usefixtures("model")
def test_notes_of_columns_are_shown_once():
    _, output = thinnet_command("show", "people.thinnet")
    (note,) = (line for line in output.splitlines() if "column 'id'" in line)
    assert output.count(note.partition(": ")[2].partition(": ")[2]) == 1


def test_an_empty_file_is_no_model():
    pathlib.Path("empty.thinnet").touch()
    code, output = thinnet_command("show", "empty.thinnet")
    assert (code, "must be a complete file, got an empty one" in output) == (1, True)


def test_a_file_of_another_model_is_refused(table, tmp_path):
    from sklearn.datasets import load_iris

    from thinnet import MLPClassifier

    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((4,), solver="lbfgs", max_iter=2000, random_state=0)
    save(model.fit(X, y), tmp_path / "iris.thinnet")
    code, output = thinnet_command("show", "iris.thinnet")
    assert code == 1
    assert "one that `thinnet fit` has saved for a table" in output


@pytest.fixture
def shown(model):
    code, output = thinnet_command("show", "people.thinnet")
    assert code == 0, output
    return model, output


def lines_of(output, first):
    """The cells of a table's row by its first one."""
    lines = [line.split("│") for line in output.splitlines() if line.startswith("│")]
    (cells,) = ([c.strip() for c in cells[1:-1]] for cells in lines if cells[1].strip() == first)
    return cells


def test_a_column_is_shown_with_its_kind_holes_and_importance(shown, table):
    model, output = shown
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    found = model.importances_
    assert len(model.card_["holes"]) == len(frame.columns) - 1
    assert sum(model.card_["holes"].values()) > 0
    for column, mean in zip(found.columns, found.mean, strict=True):
        name, kind, holes, importance = lines_of(output, column)
        assert kind == {c.name: c.kind for c in model.encoder_.columns_}[name]
        count = model.card_["holes"][name]
        assert holes == (f"{count:,} ({count / 160:.1%})" if count else "-")
        if kind == "left out":
            assert importance == "-"
        else:
            assert float(importance.split(" ± ")[0]) == pytest.approx(mean, abs=0.05)


def test_settings_that_are_not_defaults_stand_beside_these(shown):
    _, output = shown
    assert lines_of(output, "max_iter") == ["max_iter", "20", "500"]
    assert lines_of(output, "n_networks") == ["n_networks", "2", "5"]
    assert lines_of(output, "dropout") == ["dropout", "0.3", ""]
    assert "random_state" not in output


def test_the_date_the_width_and_the_epochs_are_shown(shown):
    model, output = shown
    date = model.card_["trained"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(date)) < timedelta(hours=1)
    assert f"by thinnet {thinnet.__version__}, seed 0, on {date[:10]} {date[11:16]} UTC" in output
    inputs = len(model.encoder_.get_feature_names_out())
    assert f"a row is {model.encoder_.width} numbers, which stand for {inputs} inputs" in output
    assert f"at most {model.n_iter_} epochs were taken" in output


def test_scores_of_each_class_are_those_that_fit_printed(shown):
    model, output = shown
    for score in model.card_["classes"]:
        cells = lines_of(output, score["label"])
        assert cells[1:4] == [
            str(score["rows"]), *(f"{score[name]:.3f}" for name in ("precision", "recall"))
        ]  # fmt: skip


def test_a_time_for_results_that_are_the_same_again_is_kept(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert cards.now() == "1970-01-01T00:00:00+00:00"
    assert cards.date_text(cards.now()) == "1970-01-01 00:00 UTC"


@pytest.mark.parametrize("file", sorted(VECTORS.glob("models/[12]/command-*.thinnet")), ids=str)
def test_a_model_of_before_shows_what_it_has(file):
    code, output = thinnet_command("show", file)
    assert code == 0, output
    for later in ("importance", "missing", " UTC"):
        assert later not in output
    for known in (
        "a row is",
        "trained on",
        "n_networks",
        "log loss" if "class" in file.name else "RMSE",
    ):
        assert known in output


@pytest.mark.parametrize(
    ("mean", "std", "wanted"),
    [(0.0512, 0.0049, "0.0512 ± 0.0049"), (1.26, 0.3, "1.26 ± 0.30"), (0.0, 0.0, "0 ± 0"),
     (-250.0, 31.0, "-250 ± 31"), (8529957193.4, 2.4e8, "8.53e+09 ± 2.4e+08"),
     (1e-9, 1e-9, "0.0000000010 ± 0.0000000010")],
)  # fmt: skip
def test_an_error_bar_has_two_digits(mean, std, wanted):
    assert importances.text(mean, std) == wanted
