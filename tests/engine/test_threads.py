"""How many threads there are, and that a team of them ends as it should."""

import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest

from thinnet import dropout
from thinnet.engine import threads
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


def test_a_member_that_comes_late_is_not_waited_for():
    """Its thread may share a core with one of another library that spins."""
    run_team(2, lambda me, size: None)
    helper, begun, ending, done = threads._idle[-1], threading.Event(), threading.Event(), []
    helper.orders.put(lambda: (begun.set(), ending.wait(10)))
    assert begun.wait(10)
    run_team(2, lambda me, size: done.append((me, ending.is_set())))
    ending.set()
    assert helper.ended.acquire(timeout=10)
    assert done == [(0, False), (1, False)]


def test_a_late_member_does_no_work_twice():
    """What was taken back from one that woke too late is not there for it any more."""
    for _ in range(300):
        seen = []
        run_team(3, lambda me, size, seen=seen: seen.append(me))
        assert sorted(seen) == [0, 1, 2]


def test_teams_of_several_threads_share_the_cores(monkeypatch):
    monkeypatch.setenv("THINNET_NUM_THREADS", "4")
    sizes, begun, ending = {}, threading.Semaphore(0), threading.Event()

    def work(me, size, asked):
        sizes[asked] = size
        if me == 0:
            begun.release()
            ending.wait(10)

    others = [threading.Thread(target=run_team, args=(n, work, n)) for n in (2, 3, 4)]
    for other in others:
        other.start()
        assert begun.acquire(timeout=10)
    ending.set()
    for other in others:
        other.join()
    assert sizes == {2: 2, 3: 2, 4: 1}
    run_team(4, work, "alone")
    assert sizes["alone"] == 4


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
    ended, begun = [], threading.Event()

    def work(me, size):
        if me == 0:
            begun.wait(10)  # or the caller does the work of the other
        if me == 1:
            begun.set()
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
