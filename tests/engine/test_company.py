"""Compiled training beside forks, spawned processes, other threads, signals and users' limits."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from interrupts import child
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from thinnet import BatchNorm, Dense, Dropout, Network, ReLU, Tanh, train
from thinnet.engine import launch

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def problem(share=None, dtype=np.float32):
    """Large enough for a team: rows are cut into shards, and units into tasks."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 40)).astype(dtype), rng.integers(5, size=600)
    hidden = [Dense(300, max_norm=2.0), BatchNorm(), ReLU(), Dropout(0.4, share=share)]
    layers = [*hidden, Dense(200, l2=1e-3), Tanh(), Dropout(0.1, share=share), Dense(5)]
    return Network(layers, 40, seed=3, dtype=dtype), X, y


def fitted(*settings):
    """The parameters and statistics that training ends with."""
    network, X, y = problem(*settings)
    train(network, X, y, epochs=2, batch_size=300, progress=False)
    return np.concatenate([network.theta, network.state, network.outputs(X).ravel()])


@pytest.fixture(autouse=True)
def _as_many_threads_as_cores(monkeypatch):
    for name in ("THINNET_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sizes(monkeypatch):
    """The sizes of the teams that are called."""
    seen, run_team = set(), launch.run_team

    def watched(size, *arguments):
        seen.add(size)
        run_team(size, *arguments)

    monkeypatch.setattr(launch, "run_team", watched)
    return seen


@DTYPES
@pytest.mark.parametrize("share", [None, "batch"])
@pytest.mark.parametrize("n", ["2", "3", "8"])
def test_the_number_of_threads_changes_no_bit(n, share, dtype, monkeypatch, sizes):
    monkeypatch.setenv("THINNET_NUM_THREADS", "1")
    wanted = fitted(share, dtype)
    assert sizes == {1}
    monkeypatch.setenv("THINNET_NUM_THREADS", n)
    assert_array_equal(fitted(share, dtype), wanted)
    assert max(sizes) > 1


@pytest.mark.parametrize("share", [None, "batch"])
@pytest.mark.parametrize("coming", [(0,), (1,), (0, 1), (1, 0)])
def test_members_that_come_late_or_never_hold_nobody_up(coming, share, monkeypatch):
    """As one does whose core is taken by a thread of another library's that spins."""

    def run_team(size, function, *arguments):
        for me in coming if size == 2 else (0,):
            function(me, size, *arguments)

    monkeypatch.setenv("THINNET_NUM_THREADS", "2")
    wanted = fitted(share)
    monkeypatch.setattr(launch, "run_team", run_team)
    assert_array_equal(fitted(share), wanted)


def test_several_python_threads_fit_at_once(monkeypatch):
    monkeypatch.setenv("THINNET_NUM_THREADS", "2")
    wanted = fitted()
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(lambda _: fitted(), range(12)):
            assert_array_equal(found, wanted)


CHILDREN = """
import multiprocessing, sys
import numpy as np
import thinnet as tn

def fitted(_=None):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 40)), rng.integers(5, size=600)
    network = tn.Network([tn.Dense(300), tn.ReLU(), tn.Dropout(0.4), tn.Dense(5)], 40, seed=3)
    tn.train(network, X, y, epochs=2, batch_size=300, progress=False)
    return network.theta.tobytes()

if __name__ == "__main__":
    before = fitted()
    for way in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(way).Pool(int(sys.argv[1])) as pool:
            assert set(pool.map(fitted, range(4))) == {before}, way
        assert fitted() == before, way
"""


@pytest.mark.slow
@pytest.mark.parametrize("many", [1, 3])
def test_child_processes_train_as_their_parent_does_however_they_start(many, tmp_path):
    (tmp_path / "script.py").write_text(CHILDREN)
    environment = os.environ | {"THINNET_NUM_THREADS": "2"}
    script = [sys.executable, "-W", "error", tmp_path / "script.py", str(many)]
    subprocess.run(script, env=environment, check=True, timeout=60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_finds_no_helpers(monkeypatch):
    """So neither Python nor a debugger has a word to say about forks beside threads."""
    monkeypatch.setenv("THINNET_NUM_THREADS", "2")
    fitted()
    others = threading.active_count()
    child = os.fork()
    if child == 0:
        os._exit(threading.active_count())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert threading.active_count() < others


def test_nothing_spins_when_training_has_ended(monkeypatch):
    monkeypatch.setenv("THINNET_NUM_THREADS", "8")
    fitted()
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.15  # one that spins takes 0.3 s


def test_a_users_limits_are_kept_and_change_no_bit():
    wanted = fitted()
    for limit in (1, 2):
        with threadpool_limits(limit):
            before = threadpool_info()
            assert_array_equal(fitted(), wanted)
            theirs = [pool["num_threads"] for pool in before]
            assert max(theirs, default=limit) <= limit


LONG = """
import signal, threading, time
import numpy as np
import thinnet as tn

rng = np.random.default_rng(0)
X, y = rng.normal(size=(4000, 100)).astype(np.float32), rng.integers(5, size=4000)
def network():
    return tn.Network([tn.Dense(300), tn.ReLU(), tn.Dropout(0.5), tn.Dense(5)], 100, seed=1)

how = {"batch_size": 200, "epochs": 10**6, "clean_rows": 0, "progress": False}
tn.train(network(), X, y, **how | {"epochs": 1})
stopped = network()

def say():
    while stopped.clock.step == 0:
        time.sleep(0.01)
    print("training", flush=True)

threading.Thread(target=say).start()
history = tn.train(stopped, X, y, **how)
print(history.stopped, flush=True)
again = network()

class Stop:
    def on_step_end(self, training):
        if training.t == stopped.clock.step:
            signal.raise_signal(signal.SIGINT)

tn.train(again, X, y, **how, callbacks=[Stop()])
print((again.theta == stopped.theta).all(), flush=True)
"""


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_in_the_middle_of_a_compiled_call_ends_it_soon_with_whole_steps():
    with child([sys.executable, "-c", LONG]) as process:
        assert process.stdout.readline() == "training\n"
        process.send_signal(signal.SIGINT)
        start = time.perf_counter()
        assert process.stdout.readline() == "interrupted\n"
        assert time.perf_counter() - start < 30  # of hours
        assert process.stdout.readline() == "True\n"
