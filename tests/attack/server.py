"""One process that imports thinnet once, and tries inputs in forked children of itself.

A child that crashes, hangs or eats memory is one failed input, and the next child goes on behind
it.  `python -m attack.server KIND ORDER`, with an `Order` as JSON, prints a `Tally` as JSON.
"""

import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count, islice
from pathlib import Path
from resource import RLIMIT_CORE, RUSAGE_SELF, getrusage, setrlimit
from types import ModuleType
from zlib import crc32

import numpy as np

BATCH = 100  # inputs that share a child, where they need none of their own
MEGABYTES = 400  # that one input may take


@dataclass(frozen=True)
class Order:
    """Which inputs: `first`, `first + step`, ... until `least` are tried and `seconds` are over."""

    seed: int
    first: int
    step: int
    least: int
    seconds: float


@dataclass
class Tally:
    """What became of the inputs."""

    tried: int = 0
    seconds: float = 0.0
    groups: Counter = field(default_factory=Counter)
    failures: dict[str, list[int]] = field(default_factory=dict)  # inputs by where they failed
    messages: dict[str, str] = field(default_factory=dict)  # of the first input of each place

    def note(self, number: int, group: str | None, where: str = "", output: str = "") -> None:
        self.tried += 1
        if group is not None:
            self.groups[group] += 1
            return
        self.failures.setdefault(where, []).append(number)
        self.messages.setdefault(where, output)


def generator(kind: str, seed: int, number: int) -> np.random.Generator:
    """The random numbers of one input, whatever was tried before it."""
    return np.random.default_rng([seed, crc32(kind.encode()), number])


def place(error: BaseException) -> str:
    """Where an exception comes from, innermost first: the same for failures of one cause."""
    calls = traceback.extract_tb(error.__traceback__)[-6:]
    return " < ".join(f"{Path(c.filename).name}:{c.lineno} {c.name}" for c in reversed(calls))


class Attack:
    """A kind of input, what its inputs share, and a folder to work in."""

    def __init__(self, name: str, seed: int, folder: Path) -> None:
        self.name, self.seed = name, seed
        self.module: ModuleType = import_module(f"attack.kinds.{name}")
        self.shared, self.work = folder / "shared", folder / "work"
        self.shared.mkdir()
        self.state = self.module.prepare(self.shared)

    def attempt(self, number: int) -> str:
        """Try one input in an empty folder; the group that it belongs to."""
        self.work.mkdir()
        before = getrusage(RUSAGE_SELF).ru_maxrss
        try:
            rng = generator(self.name, self.seed, number)
            group = self.module.attempt(rng, self.state, self.work)
        finally:
            shutil.rmtree(self.work)
        grown = (getrusage(RUSAGE_SELF).ru_maxrss - before) // 1024
        assert grown < MEGABYTES, f"took over {MEGABYTES} MB"
        return group

    def child(self, numbers: list[int], pipe: int) -> None:
        """Try inputs one after the other, and report each when it begins and ends."""
        setrlimit(RLIMIT_CORE, (0, 0))
        for number in numbers:
            os.write(pipe, json.dumps([number]).encode() + b"\n")
            try:
                ending = [number, self.attempt(number)]
            except BaseException as error:
                output = f"{type(error).__name__}: {str(error)[:1000]}"
                ending = [number, None, place(error), output]
            os.write(pipe, json.dumps(ending).encode() + b"\n")

    def run(self, numbers: list[int], tally: Tally) -> list[int]:
        """Try inputs in one child; those that it did not come to."""
        reading, writing = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)  # it, and whatever it starts, can be killed as one
            try:
                self.child(numbers, writing)
            finally:
                os._exit(0)
        os.close(writing)
        begun = None
        ended = set()
        for message in messages(reading, self.module.SECONDS):
            begun = message[0]
            if len(message) > 1:
                ended.add(begun)
                tally.note(*message)
        os.close(reading)
        status = stop(child)
        if begun is not None and begun not in ended:
            tally.note(begun, None, status, status)
            ended.add(begun)
            shutil.rmtree(self.work, ignore_errors=True)
        return [number for number in numbers if number not in ended]


def messages(pipe: int, seconds: float) -> Iterator[list]:
    """What a child says, until it ends or is silent for too long."""
    rest = b""
    while select.select([pipe], [], [], seconds)[0]:
        if not (got := os.read(pipe, 2**16)):
            return
        *lines, rest = (rest + got).split(b"\n")
        yield from map(json.loads, lines)


def stop(child: int) -> str:
    """How a child ended, or that it had to be ended."""
    time.sleep(0.01)  # it has closed its pipe: give it time to leave by itself
    found, status = os.waitpid(child, os.WNOHANG)
    if found == 0:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "took too long"
    code = os.waitstatus_to_exitcode(status)
    return f"process ended by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


def carry_out(name: str, order: Order, folder: Path) -> Tally:
    """All inputs of an order."""
    start = time.perf_counter()
    attack, tally = Attack(name, order.seed, folder), Tally()
    numbers = count(order.first, order.step)
    size = 1 if attack.module.ALONE else BATCH
    while tally.tried < order.least or time.perf_counter() - start < order.seconds:
        batch = list(islice(numbers, min(size, max(1, order.least - tally.tried))))
        while batch:
            batch = attack.run(batch, tally)
    tally.seconds = time.perf_counter() - start
    return tally


def main() -> None:
    name, order = sys.argv[1], Order(**json.loads(sys.argv[2]))
    with tempfile.TemporaryDirectory(prefix="thinnet-attack-") as folder:
        tally = carry_out(name, order, Path(folder))
    print(json.dumps(vars(tally)))


if __name__ == "__main__":
    main()
