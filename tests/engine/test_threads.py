"""How many threads there are, and that a team of them ends as it should."""

import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest

from thinnet import dropout
from thinnet.engine.cores import cores
from thinnet.engine.threads import n_threads, run_team


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch):
    for name in ("THINNET_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def test_our_variable_comes_before_openmps(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert n_threads() == 3
    monkeypatch.setenv("THINNET_NUM_THREADS", "5")
    assert n_threads() == 5


def test_without_a_variable_all_cores_are_used():
    assert n_threads() == cores() >= 1


@pytest.mark.parametrize("bad", ["0", "-1", "two", ""])
def test_a_number_of_threads_that_is_none_is_refused(bad, monkeypatch):
    monkeypatch.setenv("THINNET_NUM_THREADS", bad)
    with pytest.raises(ValueError, match="THINNET_NUM_THREADS must be >= 1, got"):
        n_threads()


def test_every_member_of_a_team_runs_once():
    seen = []
    run_team(4, lambda me, size, x: seen.append((me, size, x)), "x")
    assert sorted(seen) == [(me, 4, "x") for me in range(4)]


def test_a_team_uses_the_helpers_of_the_one_before():
    run_team(4, lambda me, size: None)
    before = threading.active_count()
    for _ in range(9):
        run_team(4, lambda me, size: None)
    assert threading.active_count() == before


def test_a_helper_keeps_nothing_of_what_it_worked_on():
    class Large:
        pass

    large = Large()
    there = weakref.ref(large)
    run_team(2, lambda me, size, x: None, large)
    del large
    assert there() is None


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_in_a_team_comes_out_when_all_members_have_ended():
    ended = []

    def work(me, size):
        if me == 0:
            signal.raise_signal(signal.SIGINT)
        time.sleep(0.1)
        ended.append(me)

    with pytest.raises(KeyboardInterrupt):
        run_team(3, work)
    assert sorted(ended) == [1, 2]


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_while_a_team_is_waited_for_comes_out_when_all_have_ended():
    ended = []

    def work(me, size):
        if me == 1:
            time.sleep(0.1)
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.1)
        ended.append(me)

    with pytest.raises(KeyboardInterrupt):
        run_team(2, work)
    assert sorted(ended) == [0, 1]


@pytest.mark.parametrize("bad", [0, 2])
def test_a_members_error_is_raised_when_all_have_ended(bad):
    ended = []

    def work(me, size):
        if me == bad:
            raise KeyError("mine")
        ended.append(me)

    with pytest.raises(KeyError, match="mine"):
        run_team(3, work)
    assert len(ended) == 2


X = np.random.default_rng(0).normal(size=(2000, 600))


def digest():
    return float(dropout(X, 0.5, seed=1, training=True).sum())


def test_many_python_threads_may_drop_at_once():
    wanted, found = digest(), []
    others = [threading.Thread(target=lambda: found.append(digest())) for _ in range(6)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()
    assert found == [wanted] * 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_drops_as_its_parent_does():
    wanted = digest()
    child = os.fork()
    if child == 0:
        os._exit(0 if digest() == wanted else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
