"""The benchmark of published splits: any set in the same form, and a run that goes on."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

UCI = Path(__file__).parent.parent / "benchmarks" / "uci.py"


@pytest.fixture
def sets(tmp_path):
    """One set as the folders of 2015 have it, one as the repository of 2018 has."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    for folder in (tmp_path / "sets" / "hills", tmp_path / "sets" / "lakes" / "data"):
        folder.mkdir(parents=True)
        order = rng.permutation(40)
        files = {
            "data": np.column_stack([X, 3 * X[:, 0] + rng.normal(size=40)]),
            "index_features": np.arange(3), "index_target": [3], "n_splits": [2], "n_hidden": [5],
            "tau_values": [0.5, 1.0], "dropout_rates": [0.01, 0.05],
        }  # fmt: skip
        for number in range(2):
            files |= {f"index_train_{number}": order[:30], f"index_test_{number}": order[30:]}
        for name, values in files.items():
            np.savetxt(folder / f"{name}.txt", values)
    return tmp_path / "sets"


def run(sets, out, *options):
    command = [sys.executable, UCI, "--data-dir", sets, "--out", out, "--jobs", "1", *options]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_set_runs_by_one_command_and_a_run_goes_on(sets, tmp_path):
    quick = ("--epochs", 20, "--draws", 20)
    told = run(sets, tmp_path / "out", *quick)
    assert "hills" in told
    assert "lakes" in told
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 4
    first = json.loads(files[0].read_text())
    assert first["rate"] in (0.01, 0.05)
    assert first["tau"] in (0.5, 1.0)
    assert 0 < first["rmse"] < 10
    files[0].write_text(json.dumps(first | {"rmse": 7.0}))
    files[1].unlink()
    run(sets, tmp_path / "out", *quick)
    assert json.loads(files[0].read_text())["rmse"] == 7.0  # was not done again
    assert files[1].exists()


def test_a_split_is_the_same_again(sets, tmp_path):
    for out in ("one", "other"):
        run(sets, tmp_path / out, "--sets", "hills", "--epochs", 10, "--draws", 10)
    found = [
        [json.loads(path.read_text()) | {"seconds": 0} for path in sorted(folder.iterdir())]
        for folder in (tmp_path / "one", tmp_path / "other")
    ]
    assert found[0] == found[1]
