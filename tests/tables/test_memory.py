"""A fit that takes more memory than there is says so before it reads everything."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from thinnet import TableRegressor
from thinnet.commands.fitting import FitJob, fit
from thinnet.tables import memory
from thinnet.tables.reading import glimpse


@pytest.fixture
def path(tmp_path):
    """110,000 rows of 20 numbers, of which half are looked at."""
    path = tmp_path / "t.csv"
    lines = [",".join(f"{(i * j) % 97}.5" for j in range(1, 21)) for i in range(110)]
    path.write_text(",".join(f"c{j}" for j in range(20)) + "\n" + "\n".join(lines * 1000) + "\n")
    return path


def test_the_number_of_rows_is_estimated_from_some(path):
    assert glimpse(path).rows == pytest.approx(110_000, rel=0.2)


def test_a_fit_that_needs_more_than_there_is_says_both_numbers_at_once(path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1e7)
    message = r"fit needs about \d+\.\d GB for 1\d\d,\d{3} rows .* there are 0\.0 GB"
    monkeypatch.setattr("thinnet.commands.holding_out.read_table", None)
    with pytest.raises(MemoryError, match=message):
        fit(FitJob(path, "c0"))
    monkeypatch.setattr("thinnet.tables.targeting.read_table", None)
    with pytest.raises(MemoryError, match=message):
        TableRegressor().fit(path, "c0")


def test_a_frame_too_is_looked_at_before_it_is_encoded(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1e7)
    X = np.random.default_rng(0).normal(size=(110_000, 10))
    for table in (X, pd.DataFrame(X)):
        with pytest.raises(MemoryError, match="fit needs about"):
            TableRegressor().fit(table, X[:, 0])


def test_who_knows_better_may_go_on(path, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 0.0)
    monkeypatch.setenv(memory.ANYWAY, "1")
    TableRegressor().check_memory(path, "c0")


def test_limits_of_the_process_and_of_its_group_count(tmp_path):
    code = (
        "import resource; from thinnet.tables import memory;"
        "resource.setrlimit(resource.RLIMIT_AS, (8 * 10**9, -1));"
        "assert 0 < memory.available() < 8e9"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    own, group = tmp_path / "cgroup", tmp_path / "jobs" / "mine"
    group.mkdir(parents=True)
    own.write_text("0::/jobs/mine\n")
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("300\n")
    (group.parent / "memory.max").write_text("1000\n")
    (group.parent / "memory.current").write_text("400\n")
    (group.parent / "memory.stat").write_text("anon 1\ninactive_file 100\n")
    assert memory._of_group(tmp_path, own) == 700


@pytest.mark.slow
def test_the_estimate_is_about_what_a_fit_takes(tmp_path):
    code = """
import resource
import numpy as np
from thinnet import TableRegressor
from thinnet.tables import memory
from thinnet.tables.reading.frames import frame_of
X = np.random.default_rng(0).normal(size=(60_000, 30))
y, model = X[:, 0], TableRegressor(max_iter=1, random_state=0, hidden_layer_sizes=(8,))
model.fit(X[:2000], y[:2000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sizes = memory.encoded_sizes(model._new_encoder(), frame_of(X[:2000]), 60_000)
needed = memory.bytes_of_fit(model, 60_000, *sizes)
model.fit(X, y)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / needed)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 0.6 < float(done.stdout) < 1.6


def test_groups_of_the_first_version_count_by_their_memory_alone(tmp_path):
    own, group = tmp_path / "cgroup", tmp_path / "memory" / "mine"
    group.mkdir(parents=True)
    own.write_text("2:cpu:/mine\n1:cpuacct,memory:/mine\nno line of a group\n")
    (group / "memory.limit_in_bytes").write_text("1000\n")
    (group / "memory.usage_in_bytes").write_text("400\n")
    assert memory._of_group(tmp_path, own) == 600


def test_where_no_group_is_known_none_limits(tmp_path):
    assert memory._of_group(tmp_path, tmp_path / "nothing") == np.inf


def test_rows_that_cannot_be_encoded_are_left_to_the_fit_to_name():
    nested = pd.DataFrame({"a": [[1], [2]]})
    assert memory.encoded_sizes(TableRegressor()._new_encoder(), nested, 2) == (0, 0)
