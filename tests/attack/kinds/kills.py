"""SIGKILL at a random moment, or at a call that writes: what is on the disk is old or new, whole.

Training that goes on from its checkpoint ends with the same bits; the cache of kernels still works;
and nothing is left behind when the same thing has been done once more to its end.
"""

import gzip
import os

import numpy as np
from attack.tables import a_model
from attack.victims import done_by_another, killed_at_a_call, killed_at_a_moment, seconds_of
from commanding import command
from forging import pick
from mangling import people, written

import thinnet as tn
from thinnet import load, save, snapshots
from thinnet.engine import caching
from thinnet.engine.compile import kernel

ALONE, SECONDS = True, 120
CALLS = ("open", "write", "fsync", "replace", "rename", "fchmod")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 6)).astype(np.float32), RNG.integers(3, size=64)
CHAIN = [tn.Dense(32), tn.BatchNorm(), tn.ReLU(), tn.Dropout(0.3), tn.Dense(3)]


def network(seed=1):
    return tn.Network(CHAIN, features=6, seed=seed)


class Training:
    """What a run to its end leaves is known; the last of several kills is followed by that run."""

    def __init__(self, shared):
        self.wanted = self.run(shared / "untouched")

    def run(self, folder):
        folder.mkdir(exist_ok=True)
        net = network()
        tn.train(net, X, Y, epochs=60, batch_size=16, clean_rows=0, progress=False,
                 checkpoint=folder / "run.ckpt", resume=True)  # fmt: skip
        return net.theta.tobytes() + net.state.tobytes()

    def check(self, folder):
        if (folder / "run.ckpt").exists():
            snapshots.read(folder / "run.ckpt")
        assert self.run(folder) == self.wanted, "other weights than without a kill"
        assert_only(folder, "run.ckpt")


class Saving:
    """One model takes the place of another, again and again."""

    def __init__(self, shared):
        self.models = [network(1), network(2)]
        self.model = tn.MLPClassifier((8,), max_iter=2).fit(X, Y)

    def run(self, folder):
        folder.mkdir(exist_ok=True)
        for i in range(12):
            save(self.models[i % 2], folder / "m.thinnet")

    def check(self, folder):
        if (folder / "m.thinnet").exists():
            found = load(folder / "m.thinnet").theta.tobytes()
            assert found in [model.theta.tobytes() for model in self.models]
        self.run(folder)
        assert_only(folder, "m.thinnet")


class Predicting:
    """Predictions of a table into a file that was there before."""

    def __init__(self, shared, suffix=".csv"):
        shared = shared / f"predicting{suffix}"
        shared.mkdir()
        self.model, self.name = a_model(shared), f"out{suffix}"
        self.table = shared / "many.csv"
        self.table.write_bytes(written(people(np.random.default_rng(5), rows=3000)))
        self.run(shared / "whole")
        self.old, self.new = b"before", content_of(shared / "whole" / self.name)

    def run(self, folder):
        if not folder.exists():
            folder.mkdir()
            (folder / self.name).write_bytes(b"before")
        assert command("predict", self.model, self.table, "--out", folder / self.name, *FORCE) == 0

    def check(self, folder):
        if folder.exists():
            assert content_of(folder / self.name) in (b"", self.old, self.new)
        self.run(folder)
        assert content_of(folder / self.name) == self.new
        assert_only(folder, self.name)


class Compiling:
    """A small kernel, compiled into a cache of its own, whose files are cut in the end."""

    def __init__(self, shared):
        pass

    def run(self, folder):
        os.environ["THINNET_CACHE_DIR"] = str(folder)
        caching.kept.cache_clear()
        assert kernel(cubes)(10) == 2025.0

    def check(self, folder):
        done_by_another(self.run, folder)
        before = code_in(folder)
        assert before, "nothing is kept"
        done_by_another(self.run, folder)
        assert code_in(folder) == before, "compiled once more"
        for path in before:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        done_by_another(self.run, folder)


def code_in(folder):
    """The files that hold something, and when they were written."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "writable"]
    return {path: path.stat().st_mtime_ns for path in files}


def cubes(n):
    total = 0.0
    for i in range(n):
        total += i**3
    return total


FORCE = ("--force",)
VICTIMS = {
    "training": Training,
    "saving": Saving,
    "predicting csv": Predicting,
    "predicting csv.gz": lambda shared: Predicting(shared, ".csv.gz"),
    "predicting parquet": lambda shared: Predicting(shared, ".parquet"),
    "compiling": Compiling,
}


def content_of(path):
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def assert_only(folder, *names):
    assert {path.name for path in folder.iterdir()} == set(names), "something was left behind"


def prepare(shared):
    made = {name: make(shared) for name, make in VICTIMS.items()}
    return {name: (it, seconds_of(it.run, shared / f"{name} timed")) for name, it in made.items()}


def attempt(rng, victims, folder):
    name = pick(rng, sorted(victims))
    victim, seconds = victims[name]
    place, killed = folder / "place", 0
    for _ in range(rng.integers(1, 4)):
        if rng.random() < 0.5:
            killed += killed_at_a_moment(rng.uniform(0, 1.1 * seconds), victim.run, place)
        else:
            number = int(2 ** rng.uniform(0, 6))
            killed += killed_at_a_call(number, CALLS, victim.run, place)
    place.mkdir(exist_ok=True) if name == "compiling" else None
    victim.check(place)
    return f"{name} {'killed' if killed else 'faster'}"
