"""How many cores a process may use: by its affinity, and by the groups that it is in."""

import os
from functools import partial

import pytest

from thinnet.engine import cores as counting
from thinnet.engine.cores import cores, quota


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """64 cores, and control groups' files in a folder."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    of_files = partial(quota.__wrapped__, tmp_path, tmp_path / "own")
    monkeypatch.setattr(counting, "quota", of_files)
    return tmp_path


def place(machine, content, file="cpu.max", own=None):
    path = machine / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    if own is not None:
        (machine / "own").write_text(own)


QUOTAS = [("50000 100000", 1), ("100000 100000", 1), ("150000 100000", 2), ("max 100000", 64)]


@pytest.mark.parametrize(("quota", "most"), QUOTAS, ids=str)
def test_a_containers_share_is_a_limit(quota, most, machine):
    assert cores() == 64
    place(machine, f"{quota}\n")
    assert cores() == most


@pytest.mark.parametrize("where", ["jobs/mine", "jobs"])
def test_the_share_of_a_group_and_of_its_parents_is_a_limit(where, machine):
    place(machine, "200000 100000", f"{where}/cpu.max", own="0::/jobs/mine\n")
    assert cores() == 2


@pytest.mark.parametrize("inside", ["/", "/docker/0123"])
def test_groups_of_the_first_version_count_by_their_time_alone(inside, machine):
    """In a container the path is the machine's, and the files lie at the top."""
    place(machine, "100000\n", "cpu/cpu.cfs_period_us")
    place(machine, "50000\n", "cpu/cpu.cfs_quota_us", own=f"4:cpu,cpuacct:{inside}\n3:memory:/x\n")
    assert cores() == 1
    place(machine, "-1\n", "cpu/cpu.cfs_quota_us")
    assert cores() == 64


@pytest.mark.parametrize("content", ["", "half 1", "1", "1 0", "\0", "1 2 3"])
def test_what_is_no_share_limits_nothing(content, machine):
    place(machine, content, own="no line of a group\n\xff\n")
    assert cores() == 64


def test_affinity_is_a_limit_where_there_is_one(machine, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert cores() == 1
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1
