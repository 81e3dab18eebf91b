"""Machines with less than one expects: the same bits, a sentence where something is lost, no hang.

A share of a core, one core for many threads, a processor exchanged between two runs, no home.
"""

import json
import os
import subprocess
import sys

import pytest
from arithmetic_vectors import known
from paths import TESTS
from targets import AVX2

from thinnet.engine.features import architecture

on_x86 = pytest.mark.skipif(architecture() != "x86", reason="AVX2")
CASES = ["dropout", "700 rows", "thinned adam"]
ANSWERS = f"""
import json
from arithmetic_vectors import answers
from thinnet.engine import cores, launch, threads
from thinnet.engine.caching import kept
launch.WORTH_MEETING = launch.WORTH_WAKING = 0  # however small a round is
print(json.dumps({{name: answers(name) for name in {CASES}}}))
print(threads.n_threads(), kept())
"""
NO_SCHEDULER = not hasattr(os, "sched_setaffinity")


def run(code, folder=None, **environment):
    """The lines that a process prints, and its errors; None takes a variable away."""
    paths = {"PYTHONPATH": os.pathsep.join([str(TESTS / "support"), *sys.path])}
    asked = {"THINNET_NUM_THREADS": None, "OMP_NUM_THREADS": None} | environment
    surroundings = {k: v for k, v in (os.environ | paths | asked).items() if v is not None}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def assert_known(line):
    assert json.loads(line) == {name: known()[name] for name in CASES}


@pytest.mark.skipif(NO_SCHEDULER, reason="no affinity on this system")
@pytest.mark.parametrize("threads", [None, "8"], ids=str)
def test_on_one_core_many_threads_have_the_known_bits_and_soon(threads):
    held = "import os; os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})\n"
    (found, counted), errors = run(held + ANSWERS, THINNET_NUM_THREADS=threads)
    assert_known(found)
    assert counted.startswith(threads or "1 ")
    assert errors == ""


def test_with_half_a_core_there_is_one_thread_and_the_known_bits(tmp_path):
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    group = f"""
from pathlib import Path
from thinnet.engine import control_groups
control_groups.ROOT = Path({os.fspath(tmp_path)!r})
"""
    (found, counted), errors = run(group + ANSWERS)
    assert_known(found)
    assert counted.startswith("1 ")
    assert errors == ""


THROTTLED = """
import os, signal, subprocess, sys, time
work = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
while work.poll() is None:  # 20 ms of 40, as a quota of half a core gives them
    os.kill(work.pid, signal.SIGSTOP)
    time.sleep(0.02)
    os.kill(work.pid, signal.SIGCONT)
    time.sleep(0.02)
sys.exit(work.returncode)
"""


@pytest.mark.skipif(NO_SCHEDULER, reason="needs signals that stop a process")
def test_many_threads_that_get_half_of_the_time_have_the_known_bits():
    code = THROTTLED.replace("sys.argv[1]", repr(ANSWERS))
    (found, counted), errors = run(code, THINNET_NUM_THREADS="8")
    assert_known(found)
    assert counted.startswith("8 ")
    assert errors == ""


RESUMED = """
import numpy as np
from thinnet import Adam, Dense, Dropout, Network, ReLU, load, save, train
X = np.random.default_rng(0).normal(size=(200, 20)).astype(np.float32)
network = Network([Dense(40), ReLU(), Dropout(0.5), Dense(1)], 20, seed=0)
file = "whole.checkpoint" if EPOCHS == 8 and not RESUME else "run.checkpoint"
train(network, X, X[:, :1], epochs=EPOCHS, optimizer=Adam(0.01), checkpoint=file, resume=RESUME,
      progress=False)
print(network.theta.tobytes().hex())
"""


@on_x86
@pytest.mark.slow
def test_a_training_goes_on_with_the_same_bits_on_another_processor(tmp_path):
    """And the two, which share a home, share no machine code."""

    def trained(epochs, resume, **held):
        code = RESUMED.replace("EPOCHS", str(epochs)).replace("RESUME", str(resume))
        return run(code, tmp_path, THINNET_CACHE_DIR=str(tmp_path / "cache"), **held)[0]

    whole = trained(8, False)
    trained(3, False)
    assert trained(8, True, **AVX2) == whole
    assert len(list((tmp_path / "cache").glob("kernels-*"))) == 2


NO_HOME = """
import os, pwd, sys
def nobody(*_):
    raise KeyError("no such user")
pwd.getpwuid = nobody
"""
NOWHERE = ["XDG_CACHE_HOME", "THINNET_CACHE_DIR", "MPLCONFIGDIR"]
DROPPED = """
import numpy as np
from thinnet import dropout
from thinnet.engine.caching import kept
print(int((dropout(np.ones((64, 512), np.float32), 0.5, seed=0, training=True) > 0).sum()))
print(kept())
"""


def test_without_a_home_nothing_is_kept_with_one_sentence(tmp_path):
    nowhere = dict.fromkeys([*NOWHERE, "HOME"])
    (number, where), errors = run(NO_HOME + DROPPED, tmp_path, **nowhere)
    assert number == run(DROPPED)[0][0]
    assert where == "none (this user has no home folder)"
    assert errors.count("\n") == errors.count("are not kept, and each process compiles") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_is_not_downloaded_where_there_is_no_home(tmp_path):
    asked = """
from thinnet import DataFileError
from thinnet.datasets import mnist
try:
    mnist()
except DataFileError as error:
    print(error)
"""
    nowhere = dict.fromkeys([*NOWHERE, "HOME"])
    (sentence,), _ = run(NO_HOME + asked, tmp_path, **nowhere)
    assert sentence.startswith("this user must have a home folder")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("home", ["/proc/nobody", "/dev/null/home"])
def test_in_a_home_that_cannot_be_written_to_nothing_is_kept_with_one_sentence(home, tmp_path):
    (number, where), errors = run(DROPPED, tmp_path, **dict.fromkeys(NOWHERE), HOME=home)
    assert number == run(DROPPED)[0][0]
    assert where.startswith(f"none ({home}/.cache/thinnet: ")
    assert errors.count("\n") == errors.count("are not kept, and each process compiles") == 1


@pytest.mark.slow
def test_without_a_home_the_command_learns_a_table(tmp_path):
    rows = "\n".join(f"{i},{i % 7},{i % 3}" for i in range(120))
    (tmp_path / "t.csv").write_text(f"a,b,c\n{rows}\n")
    fit = ["fit", "t.csv", "--target", "c", "--epochs", "2"]
    code = f"import sys; sys.argv = ['thinnet', *{fit}]; from thinnet_command import main; main()"
    _, errors = run(NO_HOME + code, tmp_path, **dict.fromkeys([*NOWHERE, "HOME"]))
    assert "Traceback" not in errors
    assert (tmp_path / "t.thinnet").exists()
