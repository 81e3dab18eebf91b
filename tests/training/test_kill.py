"""kill -9 at random moments, and the result is the same to the last bit."""

import os
import random
import signal
import sys
import time
from contextlib import ExitStack

import pytest
from interrupts import child

from thinnet import snapshots

KILLS, EPOCHS = 10, 300

SCRIPT = """
import hashlib, sys
import numpy as np
import thinnet as tn

rng = np.random.default_rng(0)
X, y = rng.normal(size=(64, 6)).astype(np.float32), rng.integers(3, size=64)
layers = [tn.Dense(32), tn.BatchNorm(), tn.ReLU(), tn.Dropout(0.3), tn.Dense(3)]
net = tn.Network(layers, features=6, seed=1)
tn.train(tn.Network(layers, features=6), X, y, epochs=1)  # kernels are loaded before time counts

print("training", flush=True)
tn.train(net, X, y, epochs=EPOCHS, batch_size=16, clean_rows=0, progress=False,
         checkpoint=sys.argv[1], resume=True)
print(hashlib.sha256(net.theta.tobytes() + net.state.tobytes()).hexdigest())
""".replace("EPOCHS", str(EPOCHS))


def epoch_in(path):
    return snapshots.read(path).values["epoch"] if path.exists() else 0


@pytest.fixture
def start(tmp_path):
    """Start the script; returns when its training begins."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with ExitStack() as running:

        def start(*arguments):
            process = child([sys.executable, script, *arguments], env=environment)
            begun = running.enter_context(process)
            assert begun.stdout.readline() == "training\n"
            return begun

        yield start


def result(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return output.strip()


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(start, tmp_path):
    untouched = result(start(tmp_path / "untouched.ckpt"))
    path, moments, reached = tmp_path / "run.ckpt", random.Random(0), []
    while len(reached) < KILLS:
        process, goal = start(path), epoch_in(path) + moments.randint(1, EPOCHS // KILLS)
        while process.poll() is None and epoch_in(path) < goal:
            time.sleep(moments.uniform(0, 0.001))
        process.kill()
        output, _ = process.communicate()
        if output:  # it was faster than the signal: once more from the beginning
            assert output.strip() == untouched
            path.unlink()
            continue
        assert process.returncode == -signal.SIGKILL
        reached.append(epoch_in(path))
    assert result(start(path)) == untouched
    assert len(set(reached)) > KILLS / 2
