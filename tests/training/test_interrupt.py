"""Ctrl-C ends training after the current step, and nothing is lost."""

import os
import signal
import subprocess
import sys
import threading

import interrupts
import numpy as np
import pytest
from interrupts import child
from numpy.testing import assert_array_equal
from paths import TESTS

from thinnet import BatchNorm, Dense, Dropout, Network, ReLU, snapshots, train
from thinnet.training.interrupt import InterruptFlag

pytestmark = pytest.mark.usefixtures("ctrl_c")
X, Y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 3
EPOCHS, STEPS = 4, 12


class PressAt:
    """Ctrl-C during the callback of some step or epoch."""

    def __init__(self, step=None, epoch=None, times=1):
        self.step, self.epoch, self.times = step, epoch, times

    def on_step_end(self, training):
        if training.t == self.step:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def on_epoch_end(self, training):
        if training.epoch == self.epoch:
            signal.raise_signal(signal.SIGINT)


def run(**settings):
    chain = [Dense(6), BatchNorm(), ReLU(), Dropout(0.3), Dense(3)]
    net = Network(chain, features=4, seed=2)
    settings = {"epochs": EPOCHS, "batch_size": 8, "progress": False} | settings
    return net, train(net, X, Y, **settings)


@pytest.fixture
def handler():
    """A SIGINT handler of the caller's own, checked to be there again afterwards."""
    pressed = []

    def own(number, frame):
        pressed.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, own)
    yield pressed
    after = signal.signal(signal.SIGINT, before)
    assert after is own


@pytest.mark.parametrize("step", [1, 2, 3, 7, 11])
@pytest.mark.usefixtures("handler")
def test_ctrl_c_ends_training_after_the_current_step(step, tmp_path):
    path = tmp_path / "run.ckpt"
    net, history = run(checkpoint=path, callbacks=[PressAt(step)])
    assert (history.stopped, net.clock.step) == ("interrupted", step)
    assert np.isfinite(net.outputs(X)).all()
    assert snapshots.read(path).values["t"] == step
    resumed, whole = run(checkpoint=path, resume=True)[0], run()[0]
    assert resumed.theta.tobytes() == whole.theta.tobytes()
    assert resumed.state.tobytes() == whole.state.tobytes()


def test_the_callers_handler_does_not_hear_the_first_ctrl_c(handler):
    run(callbacks=[PressAt(2)])
    assert handler == []


def test_a_second_ctrl_c_goes_to_the_callers_handler(handler):
    with pytest.raises(KeyboardInterrupt):
        run(callbacks=[PressAt(2, times=2)])
    assert handler == [signal.SIGINT]


def test_a_second_ctrl_c_leaves_the_last_checkpoint_to_resume_from(handler, tmp_path):
    path = tmp_path / "run.ckpt"
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=path, callbacks=[PressAt(5, times=2)])
    assert_array_equal(run(checkpoint=path, resume=True)[0].theta, run()[0].theta)


@pytest.mark.usefixtures("handler")
def test_ctrl_c_at_the_end_of_an_epoch_ends_training_there():
    net, history = run(callbacks=[PressAt(epoch=2)])
    assert (history.stopped, net.clock.step) == ("interrupted", 6)


@pytest.mark.usefixtures("handler")
def test_the_callers_handler_is_back_after_an_error():
    class Fail:
        def on_step_end(self, training):
            raise RuntimeError("own fault")

    with pytest.raises(RuntimeError):
        run(callbacks=[Fail()])


@pytest.mark.usefixtures("handler")
def test_the_callers_handler_is_back_after_an_untroubled_run():
    assert run()[1].stopped == "all epochs done"


def test_where_ctrl_c_is_ignored_it_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run(callbacks=[PressAt(2)])[1].stopped == "all epochs done"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("handler")
def test_training_works_in_another_thread():
    done = []
    thread = threading.Thread(target=lambda: done.append(run()))
    thread.start()
    thread.join()
    assert_array_equal(done[0][0].theta, run()[0].theta)


@pytest.mark.usefixtures("handler")
def test_a_flag_is_set_by_the_first_ctrl_c():
    with InterruptFlag() as flag:
        assert not flag.interrupted
        signal.raise_signal(signal.SIGINT)
        assert flag.interrupted


SCRIPT = """
import sys
import numpy as np
import thinnet as tn

X, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 3
net = tn.Network([tn.Dense(6), tn.Dropout(0.3), tn.Dense(3)], features=4, seed=2)

class Say:
    def on_step_end(self, training):
        if training.t == 5:
            print("training", flush=True)

history = tn.train(net, X, y, epochs=10**6, batch_size=8, clean_rows=0, checkpoint=sys.argv[1],
                   checkpoint_every=10**6, callbacks=[Say()], progress=False)
print(history.stopped, net.clock.step, np.isfinite(net.outputs(X)).all(), flush=True)
"""


def test_ctrl_c_at_any_moment_of_a_process_ends_it_with_a_checkpoint(tmp_path):
    path, script = tmp_path / "run.ckpt", tmp_path / "script.py"
    script.write_text(SCRIPT)
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with child([sys.executable, script, path], env=one_thread) as process:
        assert process.stdout.readline() == "training\n"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    stopped, steps, usable = output.split()
    assert (stopped, usable) == ("interrupted", "True")
    assert snapshots.read(path).values["t"] == int(steps)


IGNORING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[1:]])
"""


@pytest.mark.slow
def test_the_tests_with_ctrl_c_pass_where_it_is_ignored_from_the_start():
    files = [path for path in TESTS.rglob("test_*.py") if "SIGINT" in path.read_text()]
    assert len(files) > 4
    rules = ["-n", "0", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    script = [sys.executable, "-c", IGNORING, *rules, *map(str, files)]
    with interrupts.at_most(1800):
        done = subprocess.run(script, capture_output=True, text=True, timeout=1700, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
