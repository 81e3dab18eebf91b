"""`thinnet fit --weight`, `--group` and `--time`: what is learned, measured, said and refused."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from fitted_tables import FAST
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    precision_recall_fscore_support,
)

from thinnet import load
from thinnet.commands import evaluating
from thinnet.commands.scoring import proper

ROWS = 240


@pytest.fixture
def rows(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=ROWS),
            "w": rng.integers(0, 4, ROWS),
            "g": rng.choice([f"p{i}" for i in range(24)], ROWS),
            "t": pd.date_range("2024-01-01", periods=ROWS // 2).repeat(2).strftime("%Y-%m-%d"),
        }
    )
    frame["y"] = np.where(frame["a"] + rng.normal(size=ROWS) > 0, "yes", "no")
    frame["z"] = frame["a"] + rng.normal(size=ROWS)
    frame = frame.sample(frac=1, random_state=0)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.drop(columns=["w", "g"]).to_csv(tmp_path / "new.csv", index=False)
    return frame.reset_index(drop=True)


def fitted(*options, target="y"):
    code, output = thinnet_command("fit", "t.csv", "--target", target, "--out", "m.thinnet",
                                   *FAST, *options)  # fmt: skip
    assert code == 0, output
    return output, load("m.thinnet")


def score(model, name):
    (found,) = [each for each in model.card_["scores"] if each["name"] == name]
    return found


def test_scores_of_classes_are_weighed_as_training_is(rows):
    there = rows[rows["w"] > 0]
    output, model = fitted("--weight", "w", "--leave-out", "z", "--test", "t.csv")
    p, w = model.predict_proba(there), there["w"]
    expected = accuracy_score(there["y"], model.predict(there), sample_weight=w)
    assert score(model, "accuracy")["model"] == pytest.approx(expected)
    expected = log_loss(there["y"], proper(p), sample_weight=w)
    assert score(model, "log loss")["model"] == pytest.approx(expected)
    frequency = np.average(there["y"] == "no", weights=w)
    assert model.card_["plain"] == pytest.approx([frequency, 1 - frequency])
    assert f"{2 * (rows['w'] == 0).sum()} left out: their weight is 0" in output
    assert "weighed by 'w'" in output
    assert "w" not in model.feature_names_in_
    found = evaluating.scores(model, evaluating.evaluate(model, "t.csv"))
    assert [each.model for each in found] == [each["model"] for each in model.card_["scores"]]
    code, output = thinnet_command("evaluate", "m.thinnet", "t.csv", "--uncertainty")
    assert code == 0
    assert f"y: t.csv, {len(there)} rows, weighed by 'w'" in output
    assert "rows are weighed by 'w'" in thinnet_command("show", "m.thinnet")[1]


def test_figures_of_each_class_are_weighed_in_the_command_and_on_the_page(rows):
    there = rows[rows["w"] > 0]
    output, model = fitted("--weight", "w", "--leave-out", "z", "--test", "t.csv", "--report", "r")
    found, w = model.predict(there), there["w"]
    expected = precision_recall_fscore_support(there["y"], found, sample_weight=w)
    counts = precision_recall_fscore_support(there["y"], found)[3]
    card = model.card_["classes"]
    for name, figures in zip(("precision", "recall", "f1"), expected, strict=False):
        assert [of[name] for of in card] == pytest.approx(figures.tolist())
    assert [of["rows"] for of in card] == counts.tolist()
    code, again = thinnet_command("evaluate", "m.thinnet", "t.csv", "--report", "r2")
    assert code == 0
    for of in card:
        row = f"{of['label']} {of['rows']} {of['precision']:.3f} {of['recall']:.3f}"
        for text in (output, again):
            assert row in " ".join(re.sub("[│┃]", " ", text).split())
    for folder in ("r", "r2"):
        page = Path(folder, "report.html").read_text("utf-8")
        assert "weighed by &#x27;w&#x27;" in page
        assert "rows are weighed by &#x27;w&#x27;" in page
        assert f"{card[0]['precision']:.3f}" in page


def test_the_page_says_how_rows_were_parted_and_what_ended_training(rows):
    fitted("--time", "t", "--leave-out", "w", "--leave-out", "g", "--eval-metric", "roc_auc",
           "--report", "r")  # fmt: skip
    page = Path("r", "report.html").read_text("utf-8")
    assert "folds go forward in time by &#x27;t&#x27;" in page
    assert "for training" in page
    assert "split: " in page


def test_scores_of_numbers_are_weighed_too(rows):
    there = rows[rows["w"] > 0]
    _, model = fitted("--weight", "w", "--leave-out", "y", "--test", "t.csv", target="z")
    predicted = model.predict(there)
    expected = mean_absolute_error(there["z"], predicted, sample_weight=there["w"])
    assert score(model, "mean absolute error")["model"] == pytest.approx(expected)
    mean = np.average(there["z"], weights=there["w"])
    assert model.card_["plain"] == pytest.approx([mean])
    residual = np.average((there["z"] - predicted) ** 2, weights=there["w"])
    spread = np.average((there["z"] - mean) ** 2, weights=there["w"])
    assert score(model, "R^2")["model"] == pytest.approx(1 - residual / spread)


def test_a_table_without_the_weights_is_predicted_and_measured_with_a_note(rows):
    fitted("--weight", "w", "--group", "g", "--leave-out", "z")
    assert thinnet_command("predict", "m.thinnet", "new.csv", "--out", "p.csv")[0] == 0
    assert thinnet_command("predict", "m.thinnet", "t.csv", "--out", "p.csv")[0] == 0
    code, output = thinnet_command("evaluate", "m.thinnet", "new.csv")
    assert code == 0
    assert "these scores are not weighed, since the table has no column 'w'" in output
    rows.assign(w=0).to_csv("zero.csv", index=False)
    code, output = thinnet_command("evaluate", "m.thinnet", "zero.csv")
    assert code == 1
    assert (
        "zero.csv must hold rows of a weight above 0 in column 'w', got 240 of weight 0" in output
    )
    rows.assign(w=["x" if i == 7 else "1" for i in range(ROWS)]).to_csv("bad.csv", index=False)
    code, output = thinnet_command("evaluate", "m.thinnet", "bad.csv")
    assert code == 1
    assert "weight column 'w' must hold numbers >= 0, got 'x' in row 7" in output


def test_the_rows_to_measure_on_are_the_last(rows):
    output, model = fitted("--time", "t")
    split = "split: 192 rows until 2024-04-05 for training, 48 rows from 2024-04-06 on for the test"
    assert split in output
    shown = thinnet_command("show", "m.thinnet")[1]
    assert split in shown
    assert "folds go forward in time by 't'" in shown
    assert "t" in model.feature_names_in_
    assert model.card_["rows"] == (rows["t"] <= "2024-04-05").sum()
    _, model = fitted("--time", "t", "--leave-out", "t", "--conformal")
    assert "t" not in model.feature_names_in_


def test_the_rows_to_measure_on_are_of_other_groups(rows):
    output, model = fitted("--group", "g", "--leave-out", "z")
    (line,) = [line for line in output.splitlines() if line.startswith("split: ")]
    shown = thinnet_command("show", "m.thinnet")[1]
    assert line in shown
    assert "no fold parts a group of 'g'" in shown
    kept, held = (int(part.split()[0]) for part in line.removeprefix("split: ").split("training, "))
    assert kept + held == rows["g"].nunique()
    assert list(model.feature_names_in_) == ["a", "w", "t"]


REFUSED = {
    "the target": (("--weight", "y"), "--weight must be the name of another column"),
    "no column": (("--group", "G"), r"--group must name a column .*\(did you mean 'g'\?\)"),
    "both": (("--group", "g", "--time", "t"), "--group must be left out with --time, got both"),
    "no weights": (("--weight", "g"), "weight column 'g' must hold numbers >= 0, got 'p"),
    "no times": (("--time", "g"), "time column 'g' must hold dates or numbers, got 'p"),
    "one group": (("--group", "one"), "--group must be of two different ones at least"),
    "one time": (("--time", "one"), "--time must be of two different times at least"),
    "more networks": (
        ("--group", "few", "--networks", "3"),
        "--networks must be at most the number of groups, 2, got 3",
    ),
    "a class of the future": (("--time", "late"), "--time must leave rows of each class to learn"),
    "a class kept apart": (
        ("--time", "late", "--conformal", "--test", "t.csv"),
        "--time must leave rows of each class to learn from, .* leave --conformal out",
    ),
    "test rows without weights": (
        ("--weight", "w", "--test", "new.csv"),
        "--test new.csv: --weight must name a column of the table, one of 'a', 't', 'y', 'z'",
    ),
    "test rows that weigh nothing": (
        ("--weight", "w", "--test", "zero.csv"),
        "--test zero.csv: weight column 'w' must be above 0 somewhere, got zeros only",
    ),
    "a kind": (("--group", "g", "--kind", "g=number"), "--kind must be of a column that is not"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_columns_that_cannot_be_are_refused_in_a_sentence(options, message, rows):
    more = {"one": 1, "few": np.arange(ROWS) % 3, "late": (rows["y"] == "yes") * 1}
    rows.assign(w=0).to_csv("zero.csv", index=False)
    rows.assign(**more).to_csv("t.csv", index=False)
    code, output = thinnet_command("fit", "t.csv", "--target", "y", *FAST, *options)
    assert code in (1, 2)
    (line,) = [line for line in output.splitlines() if line.startswith("thinnet: ")]
    assert re.search(message, line), line
