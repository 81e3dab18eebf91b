"""Altered checkpoints: a run that resumes and ends, or a CheckpointError in one sentence.

Half of them have a right checksum over what was altered.  What is refused stays as it was on the
disk, and nothing appears beside it.
"""

import warnings

import numpy as np
from altering import altered, one_sentence
from forging import forged, pick

import thinnet as tn
from thinnet import snapshots
from thinnet.checks import CheckpointError, DivergedError
from thinnet.schedules.plateau import ReduceOnPlateau
from thinnet.snapshots import Snapshot

ALONE, SECONDS = False, 20
RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(12, 4)), np.arange(12) % 3
RUNS = {
    "adam": {"optimizer": tn.Adam(0.01)},
    "momentum": {"optimizer": tn.SGD(0.1, momentum=0.9)},
    "plateau": {
        "optimizer": tn.SGD(ReduceOnPlateau(0.3, factor=0.5, patience=1)),
        "validation": (X, Y),
    },
    "early stopping": {"validation": (X, Y), "early_stopping": tn.EarlyStopping(2)},
}
CHAIN = [tn.Dense(5), tn.BatchNorm(), tn.ReLU(), tn.Dropout(0.3), tn.Dense(3)]


class StopAfter:
    def __init__(self, step):
        self.step = step

    def on_step_end(self, training):
        return "stopped" if training.t == self.step else None


def run(name, path, **settings):
    network = tn.Network(CHAIN, features=4, seed=1)
    settings = {"epochs": 3, "batch_size": 5, "progress": False, **RUNS[name], **settings}
    history = tn.train(network, X, Y, checkpoint=path, **settings)
    return network, history


def prepare(folder):
    found = {}
    for name in RUNS:
        path = folder / name
        run(name, path, callbacks=[StopAfter(5)])
        found[name] = path.read_bytes(), snapshots.read(path)
    return found


def attempt(rng, made, folder):
    name = pick(rng, sorted(made))
    content, snapshot = made[name]
    path = folder / "run.ckpt"
    if rng.random() < 0.5:
        way = "right checksum"
        snapshots.write(path, Snapshot(*forged(rng, snapshot)))
    else:
        way = "damaged"
        path.write_bytes(altered(rng, content))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return f"{way}, {resumed(name, path)}"


def resumed(name, path):
    before = path.read_bytes()
    try:
        with np.errstate(all="ignore"):
            network, _ = run(name, path, resume=True)
    except CheckpointError as error:
        one_sentence(error, str(path))
        assert path.read_bytes() == before
        return "refused"
    except DivergedError as error:  # numbers that no training could have made
        one_sentence(error)
        return "diverged"
    finally:
        assert {other.name for other in path.parent.iterdir()} == {path.name}
    assert network.outputs(X).shape == (12, 3)
    return "resumed"
