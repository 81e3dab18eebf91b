"""Where memory comes to its end, a command ends in one sentence that says what was too large."""

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from thinnet import TableRegressor, save
from thinnet.commands import fitting

resource = pytest.importorskip("resource")
MEGABYTES = 2**20
PROGRAM = "import sys; sys.argv[0] = 'thinnet'; from thinnet_command import main; main()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space")
    X = np.random.default_rng(0).normal(size=(100_000, 10))
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(10)]).assign(y=X.sum(axis=1))
    frame.to_csv(folder / "table.csv", index=False)
    frame[:100].to_csv(folder / "few.csv", index=False)
    settings = {"hidden_layer_sizes": (2,), "max_iter": 1, "n_networks": 2}
    job = fitting.FitJob(folder / "few.csv", "y", settings=settings)
    estimator = fitting.fit(job, progress=False).estimator
    assert isinstance(estimator, TableRegressor)
    save(estimator, folder / "model.thinnet")
    return folder


def limited(folder, megabytes, *arguments):
    """What a command says, and how it ends, with so many megabytes of addresses."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * MEGABYTES,) * 2)

    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        preexec_fn=limit if megabytes else None,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ,
    )
    return finished.returncode, finished.stdout, finished.stderr


SENTENCE = r"thinnet: there is not enough memory (to start|for .+); the limit is \d\.\d GiB .*\n"
PREDICT = ("predict", "model.thinnet", "table.csv", "--out", "p.csv")
COMMANDS = {
    "predict": PREDICT,
    "show": ("show", "model.thinnet"),
    "evaluate": ("evaluate", "model.thinnet", "table.csv"),
    "export": ("export", "model.thinnet", "model.onnx"),
    "fit": ("fit", "table.csv", "--target", "y", "--epochs", "1", "--out", "new.thinnet"),
}
FEW = [("predict", 300)]
MANY = [(name, size) for name in COMMANDS for size in range(100, 1100, 100)]


def in_one_sentence(folder, name, megabytes):
    before = whole_files(folder)
    code, out, message = limited(folder, megabytes, *COMMANDS[name])
    if code == 0 and megabytes > 300:  # there was enough
        for made in ("p.csv", "model.onnx", "new.thinnet"):
            (folder / made).unlink(missing_ok=True)
        return
    assert code == 1
    assert re.fullmatch(r"regression of 'y': .*\n" if name == "fit" and out else "", out)
    assert re.fullmatch(SENTENCE, message)
    assert whole_files(folder) == before


def whole_files(folder):
    """A library that ends the process leaves what was being written, for the next one to remove."""
    return {path.name for path in folder.iterdir() if path.suffix != ".part"}


@pytest.mark.parametrize(("name", "megabytes"), FEW)
def test_little_space_is_reported_in_one_sentence(folder, name, megabytes):
    in_one_sentence(folder, name, megabytes)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "megabytes"), MANY)
def test_every_command_reports_little_space_in_one_sentence(folder, name, megabytes):
    in_one_sentence(folder, name, megabytes)


@pytest.mark.slow
def test_much_space_is_as_none(folder):
    code, out, message = limited(folder, 500_000, *PREDICT)
    assert (code, out, message) == (0, "100000 predictions: p.csv\n", "")
    (folder / "p.csv").unlink()


@pytest.mark.slow
def test_wrong_use_is_reported_as_ever(folder):
    code, _, message = limited(
        folder, 500_000, "predict", "model.thinnet", "table.csv", "--out", "x"
    )
    assert code == 2
    assert message.startswith("thinnet: out must be")
