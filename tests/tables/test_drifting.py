"""Tables that are not as those a model has learned from."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from thinnet import DriftWarning, TableEncoder, TableRegressor, load, save
from thinnet.cli import app
from thinnet.tables import drifting


def table(rows, seed=0):
    rng = np.random.default_rng(seed)
    x, city = rng.normal(size=rows), rng.choice(["Ulm", "Bonn", "Kiel"], rows)
    return pd.DataFrame({"x": x, "city": city, "y": 2 * x + rng.normal(size=rows)})


@pytest.fixture(scope="module")
def model():
    return TableRegressor((8,), max_iter=3, random_state=0).fit(table(300), "y")


def test_rows_like_those_of_training_do_not_drift(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(table(300, 1).drop(columns="y"))
    assert not model.drift(table(300, 1)).drifts.any()


@pytest.mark.parametrize(
    ("column", "cell", "fault"),
    [
        ("x", 99.0, "out of range"),
        ("x", "many", "unreadable"),
        ("x", None, "missing"),
        ("city", "Rom", "unseen"),
    ],
)
def test_strange_cells_are_reported_by_column_and_kind(model, column, cell, fault):
    other = table(100, 2).astype(object)
    other.loc[:29, column] = cell
    before = set(vars(model))
    with pytest.warns(DriftWarning, match=f"{column!r}: 30.00% of the cells {fault}"):
        model.predict(other)
    found = model.drift(other)
    row = found[found.drifts].iloc[0]
    assert (row.column, row.fault, row.fraction) == (column, fault, 0.3)
    assert found.drifts.sum() == 1
    assert set(vars(model)) == before


def test_what_only_a_held_out_row_has_is_strange_among_held_out_rows():
    frame = pd.DataFrame({"x": [3.0, 1, 2, 9, 5, 4], "city": [*"aabbac"]})
    encoder = TableEncoder().fit(frame)
    folds = [(np.arange(6) % 3 != i, np.flatnonzero(np.arange(6) % 3 == i)) for i in range(3)]
    folds = [(np.flatnonzero(kept), held) for kept, held in folds]
    x, city = drifting.learned(frame, encoder, folds)
    assert (x.rows, x.unusual, x.low, x.high) == (6, 2, 1, 9)  # 1 and 9
    assert (city.rows, city.unusual, city.labels) == (6, 1, ("a", "b", "c"))  # c


def test_numbers_that_mean_a_missing_cell_are_missing():
    rows = table(200).assign(x=lambda t: t.x.where(t.index % 4 > 0, -9))
    model = TableRegressor((4,), max_iter=1, missing=("-9",)).fit(rows, "y")
    without = rows[rows.index % 4 == 0]
    for some in (without, without[:5]):
        found = model.drift(some).set_index(["column", "fault"]).fraction
        assert found["x", "missing"] == 1
        assert found["x", "unreadable"] == found["x", "out of range"] == 0


def test_one_strange_cell_among_few_rows_is_no_drift(model):
    other = table(20, 3)
    other.loc[0, "city"] = "Rom"
    assert not model.drift(other).drifts.any()


def test_blocks_are_judged_together(model):
    total = drifting.Total()
    other = table(200, 4)
    other.loc[other.index % 25 == 0, "city"] = "Rom"
    with drifting.reported_to(total):
        for start in range(0, 200, 25):
            part = other.iloc[start : start + 25]
            assert not model.drift(part).drifts.any()
            model.predict(part)
    assert "'city'" in total.message(model)


def test_a_model_from_before_is_silent_and_says_why(model, tmp_path):
    save(model, tmp_path / "m.thinnet")
    old = load(tmp_path / "m.thinnet")
    pd.testing.assert_frame_equal(old.drift(table(50, 5)), model.drift(table(50, 5)))
    del old.drift_
    old.predict(table(50).assign(x=1e9))
    with pytest.raises(ValueError, match="fit it again"):
        old.drift(table(50))


def test_the_command_reports_drift_and_fails_when_strict(tmp_path):
    table(200).to_csv(tmp_path / "t.csv", index=False)
    table(200).assign(x=50.0).to_csv(tmp_path / "other.csv", index=False)
    m, out = str(tmp_path / "m.thinnet"), tmp_path / "p.csv"
    run = CliRunner().invoke
    fit = ["--target", "y", "--task", "regression", "--hidden", "8", "--epochs", "2"]
    assert run(app, ["fit", str(tmp_path / "t.csv"), *fit, "--out", m]).exit_code == 0
    arguments = ["predict", m, str(tmp_path / "other.csv"), "--out", str(out)]
    strict = run(app, [*arguments, "--strict"])
    assert strict.exit_code == 1
    assert "'x': 100.00% of the cells out of range" in strict.stderr
    assert not out.exists()
    done = run(app, arguments)
    assert done.exit_code == 0
    assert "out of range" in done.stderr
    assert out.exists()
    measured = ["evaluate", m, str(tmp_path / "other.csv")]
    assert run(app, [*measured, "--strict"]).exit_code == 1
    found = run(app, measured)
    assert "out of range" in found.stderr
    assert "intervals meant to hold" in found.stdout
    assert "held out in training" in run(app, ["show", m]).stdout
