"""Mangled tables and mangled models at the command line: one sentence, or it works."""

import numpy as np
import pytest
from commanding import FAST, command
from mangling import mangled, people, written


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    table = folder / "people.csv"
    table.write_bytes(written(people(np.random.default_rng(0))))
    path = folder / "people.thinnet"
    assert command("fit", table, "--target", "buys", "--out", path, *FAST) == 0
    return path


def check_table(seed, model, folder):
    table, out, new = folder / "t.csv", folder / "out.csv", folder / "new.thinnet"
    table.write_bytes(mangled(seed))
    out.write_text("before")
    worked = command("predict", model, table, "--out", out, "--proba") == 0
    assert (out.read_text() == "before") != worked
    worked = command("fit", table, "--target", "buys", "--out", new, *FAST) == 0
    assert new.exists() == worked
    command("evaluate", model, table)
    page = folder / "row.html"
    assert (command("trace", model, table, "--row", 3, "--out", page) == 0) == page.exists()
    page.unlink(missing_ok=True)
    assert {path.name for path in folder.iterdir()} <= {"t.csv", "out.csv", "new.thinnet"}
    new.unlink(missing_ok=True)


def check_model(seed, model, folder):
    rng, content = np.random.default_rng(seed), bytearray(model.read_bytes())
    if seed % 3 == 0:
        content = content[: rng.integers(len(content))]
    else:
        high = len(content) if seed % 3 == 1 else 4000  # the JSON stands first
        for _ in range(rng.integers(1, 20)):
            content[rng.integers(high)] = rng.integers(256)
    path = folder / "bad.thinnet"
    path.write_bytes(bytes(content))
    if bytes(content) != model.read_bytes():
        assert command("show", path) != 0


@pytest.mark.parametrize(
    "seeds",
    [
        range(4),
        *(
            pytest.param(range(first, first + 12), marks=pytest.mark.slow)
            for first in range(4, 100, 12)
        ),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore")
def test_mangled_tables_work_or_are_refused_in_one_sentence(seeds, model, tmp_path):
    for seed in seeds:
        check_table(seed, model, tmp_path)


def test_mangled_models_are_refused_in_one_sentence(model, tmp_path):
    for seed in range(40):
        check_model(seed, model, tmp_path)
