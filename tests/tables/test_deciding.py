"""Weights of classes, what probabilities mean with them, and thresholds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
)
from typer.testing import CliRunner

from thinnet import TableClassifier, load, save
from thinnet.cli import app
from thinnet.commands.scoring import proper
from thinnet.tables.deciding import decision

SMALL = {"hidden_layer_sizes": (16,), "max_iter": 25, "n_networks": 2, "random_state": 0}


def table(rows=1200, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    p = 1 / (1 + np.exp(4 - 2 * x))
    return pd.DataFrame({"x": x, "z": rng.normal(size=rows)}), np.where(
        rng.random(rows) < p, "yes", "no"
    )


def test_balanced_probabilities_mean_what_they_say_and_guesses_find_the_rare_class():
    X, y = table()
    X_new, y_new = table(4000, 1)
    plain = TableClassifier(**SMALL).fit(X, y)
    balanced = TableClassifier(**SMALL, class_weight="balanced").fit(X, y)
    losses = [log_loss(y_new, proper(m.predict_proba(X_new))) for m in (plain, balanced)]
    assert losses[1] < 1.1 * losses[0]
    right = [balanced_accuracy_score(y_new, m.predict(X_new)) for m in (plain, balanced)]
    assert right[1] > right[0] + 0.05
    drawn = balanced.uncertainty(X_new, n_draws=20).probabilities
    assert abs(drawn[:, 1].mean() - (y_new == "yes").mean()) < 0.03


def test_the_best_threshold_is_as_good_as_any():
    rng = np.random.default_rng(0)
    p = rng.random(300).round(2)
    came = rng.random(300) < p**2
    f1 = [f1_score(came, p >= t) for t in np.linspace(0.005, 0.995, 100)]
    found = decision("f1", 1, p, came)
    assert found.f1 == pytest.approx(max(f1))
    assert f1_score(came, p >= found.threshold) == pytest.approx(found.f1)
    found = decision("recall=0.8", 1, p, came)
    enough = [t for t in np.linspace(0.005, 0.995, 100) if recall_score(came, p >= t) >= 0.8]
    best = max(precision_score(came, p >= t) for t in enough)
    assert found.recall >= 0.8
    assert found.precision == pytest.approx(best)
    assert precision_score(came, p >= found.threshold) == pytest.approx(best)


def test_a_threshold_decides_is_reported_and_survives_a_file(tmp_path):
    X, y = table()
    model = TableClassifier(**SMALL, threshold_for="f1").fit(X, y)
    p = model.predict_proba(X)[:, 1]
    assert (model.predict(X) == np.where(p >= model.decision_.threshold, "yes", "no")).all()
    assert any("for f1" in note for note in model.notes_)
    save(model, tmp_path / "m.thinnet")
    assert (load(tmp_path / "m.thinnet").predict(X) == model.predict(X)).all()
    for bad in ("f2", "recall", "recall=2", "recall=x", "f1=0.5"):
        with pytest.raises(ValueError, match="threshold_for must be"):
            TableClassifier(**SMALL, threshold_for=bad).fit(X, y)
    three = np.where(X["z"] > 1, "maybe", y)
    with pytest.raises(ValueError, match="None for 3 classes"):
        TableClassifier(**SMALL, threshold_for="f1").fit(X, three)


def test_the_command_takes_a_goal_and_keeps_rows_apart_for_sets(tmp_path):
    X, y = table(600)
    X.assign(buys=y).to_csv(tmp_path / "t.csv", index=False)
    m, out = str(tmp_path / "m.thinnet"), tmp_path / "p.csv"
    words = "--target buys --hidden 8 --epochs 5 --balanced --threshold-for recall=0.8 --conformal"
    run = CliRunner().invoke
    done = run(app, ["fit", str(tmp_path / "t.csv"), *words.split(), "--out", m])
    assert done.exit_code == 0, done.stderr
    assert "for recall=0.8" in done.stderr
    assert "probabilities" in done.stderr
    files = [m, str(tmp_path / "t.csv")]
    done = run(app, ["predict", *files, "--out", str(out), "--coverage", "0.8"])
    assert done.exit_code == 0, done.stderr
    sets = pd.read_csv(out)["buys_set"].fillna("")
    assert np.mean([label in shown.split("|") for label, shown in zip(y, sets, strict=True)]) > 0.7
    for more in ([], ["--uncertainty", "--draws", "3"]):
        assert "conformal sets meant to hold 90 %" in run(app, ["evaluate", *files, *more]).stdout


def test_a_positive_class_without_a_goal_is_refused():
    X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    with pytest.raises(ValueError, match=r"must be None without threshold_for or .*, got 1"):
        TableClassifier(positive_class=1).fit(X, y)
