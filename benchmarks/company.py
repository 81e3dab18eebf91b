"""A fit right after another library has worked in the same process, whose threads may still spin.

    python benchmarks/company.py [--only TEXT] [--rounds N] [--json FILE]

Each place where a fit may find itself has a process, and so has the same fit by itself; they are
woken in turn while the others sleep.  What the other library does is not timed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from amounts import ratio_text
from json_file import JsonFile, save
from machine import record
from peers.ours import network, settings
from problems import Training
from rich.console import Console
from rich.table import Table

import thinnet

WORKED = 0.1  # seconds, at least, that the other library works before a fit
WARM_UP = 2
REST = 0.2  # seconds before each fit, in which whoever worked before it comes to an end
Timer = Callable[[], float]  # seconds of a fit


class Fit(NamedTuple):
    problem: Training
    epochs: int

    def run(self) -> float:
        """Seconds that it takes, data and network apart."""
        X, y = self.problem.data()
        made = network(self.problem.sizes, self.problem.weights(), self.problem.rates)
        start = time.perf_counter()
        thinnet.train(made, X, y, epochs=self.epochs, **settings(self.problem))
        return time.perf_counter() - start


TABLE = Training((13, 50, 1), (0.05, 0.05), 128, "adam", 0.001, batches=80)
IMAGES = Training((784, 256, 256, 10), (0.2, 0.5))
FITS = {
    "13-50-1, 25 epochs of 80 steps": Fit(TABLE, 25),
    "784-256-256-10, 1 epoch of 40 steps": Fit(IMAGES, 1),
    "784-256-256-10, 6 epochs of 40 steps": Fit(IMAGES, 6),
}


def torch_steps() -> None:
    import torch

    X, y = torch.randn(2000, 300), torch.randint(10, (2000,))
    model = torch.nn.Sequential(
        torch.nn.Linear(300, 300), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(300, 10)
    )
    torch.nn.functional.cross_entropy(model(X), y).backward()


def boosting() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 20)), rng.integers(2, size=4000)
    HistGradientBoostingClassifier(max_iter=20).fit(X, y)


def numpy_products() -> None:
    a = np.ones((1000, 1000))
    a @ a


def jax_products() -> None:
    import jax

    a = jax.numpy.ones((1000, 1000))
    jax.numpy.tanh(a @ a).block_until_ready()


def after(work: Callable[[], None]) -> Callable[[Fit], Timer]:
    """A fit that begins as soon as the other library's call has ended."""

    def made(fit: Fit) -> Timer:
        def timed() -> float:
            end = time.perf_counter() + WORKED
            while time.perf_counter() < end:
                work()
            return fit.run()

        return timed

    return made


def alone(fit: Fit) -> Timer:
    return fit.run


def beside_an_event_loop(fit: Fit) -> Timer:
    """In a thread of its own, as in a notebook's kernel, while the main thread serves a loop."""

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        task = loop.run_in_executor(None, fit.run)
        while not task.done():
            await asyncio.sleep(0.005)
        return await task

    return lambda: asyncio.run(timed())


def in_a_kernel(fit: Fit) -> Timer:
    """In a cell of a notebook's kernel that has just worked with NumPy."""
    from jupyter_client.manager import start_new_kernel

    _, client = start_new_kernel(kernel_name="python3")
    folder, title = str(Path(__file__).parent), next(t for t in FITS if FITS[t] is fit)
    start = f"import sys; sys.path.insert(0, {folder!r}); import company; fit = company.FITS"
    client.execute_interactive(f"{start}[{title!r}]", timeout=60)

    def timed() -> float:
        printed: list[str] = []
        cell = "company.numpy_products(); print(fit.run())"
        client.execute_interactive(
            cell, output_hook=lambda m: printed.append(m["content"].get("text", "")), timeout=60
        )
        return float("".join(printed))

    return timed


def workers(kind: str) -> Callable[[Fit], Timer]:
    """A fit in each of as many joblib workers as there are cores."""

    def made(fit: Fit) -> Timer:
        from joblib import Parallel, cpu_count, delayed

        n = cpu_count()
        pool = Parallel(n_jobs=n, prefer=kind)
        return lambda: max(pool(delayed(fit.run)() for _ in range(n)))

    return made


class Place(NamedTuple):
    package: str
    make: Callable[[Fit], Timer]
    beside: str = "alone"  # what it is compared with: "alone", or "alone, one thread"


PLACES = {
    "after PyTorch": Place("torch", after(torch_steps)),
    "after scikit-learn's gradient boosting (OpenMP)": Place("sklearn", after(boosting)),
    "after a product of NumPy's (OpenBLAS)": Place("numpy", after(numpy_products)),
    "after JAX": Place("jax", after(jax_products)),
    "in a thread beside an event loop": Place("asyncio", beside_an_event_loop),
    "in a notebook's kernel": Place("ipykernel", in_a_kernel),
    "in each of joblib's processes": Place("joblib", workers("processes"), "alone, one thread"),
    "in each of joblib's threads": Place("joblib", workers("threads"), "alone, one thread"),
}
ALONE = {"alone": {}, "alone, one thread": {"THINNET_NUM_THREADS": "1"}}


@contextmanager
def process(name: str, title: str) -> Iterator[Timer]:
    """One that does a fit when it is asked to."""
    command = [sys.executable, __file__, "--serve", name, "--only", title]
    server = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | ALONE.get(name, {}),
    )
    assert server.stdin
    assert server.stdout

    def ask() -> float:
        server.stdin.write("\n")
        server.stdin.flush()
        return float(server.stdout.readline())

    try:
        yield ask
    finally:
        server.communicate()


def serve(name: str, title: str) -> None:
    timed = PLACES[name].make(FITS[title]) if name in PLACES else alone(FITS[title])
    for _ in range(WARM_UP):
        timed()
    for _ in sys.stdin:
        print(timed(), flush=True)


def compare(title: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of a fit in every place, and alone, in each round."""
    names = [*ALONE, *(name for name, place in PLACES.items() if find_spec(place.package))]
    with ExitStack() as stack:
        asked = {name: stack.enter_context(process(name, title)) for name in names}
        for ask in asked.values():
            ask()
        rows = [{name: rested(ask) for name, ask in asked.items()} for _ in range(rounds)]
    return {name: [row[name] for row in rows] for name in names}


def rested(ask: Timer) -> float:
    time.sleep(REST)
    return ask()


def report(title: str, seconds: dict[str, list[float]]) -> list[dict[str, Any]]:
    """For each place: seconds alone and there, and the quartiles of the rounds' ratios."""
    found = []
    for name in (name for name in PLACES if name in seconds):
        alone = seconds[PLACES[name].beside]
        quartiles = np.quantile(np.divide(seconds[name], alone), (0.25, 0.5, 0.75))
        low, ratio, high = map(float, quartiles)
        times = {"alone": median(alone), "there": median(seconds[name])}
        ratios = {"low": low, "high": high}
        found.append({"title": name, "fit": title, **times, "ratio": ratio, "ratios": ratios})
    return found


def show(found: list[dict[str, Any]]) -> None:
    table = Table(title=found[0]["fit"], title_justify="left")
    for column in ("where", "alone, ms", "there, ms", "ratio"):
        table.add_column(column, justify="left" if column == "where" else "right")
    for it in found:
        times = (f"{1e3 * it[where]:.1f}" for where in ("alone", "there"))
        table.add_row(it["title"], *times, ratio_text(it))
    Console(width=110).print(table)


def main(
    only: Annotated[str, typer.Option(help="Fits whose title holds this.")] = "",
    rounds: Annotated[int, typer.Option(help="Fits in each place.")] = 15,
    json_file: JsonFile = None,
    serving: Annotated[str, typer.Option("--serve", hidden=True)] = "",
) -> None:
    """Measure fits beside other libraries."""
    if serving:
        serve(serving, only)
        return
    machine, found = record({}, {}), list[dict[str, Any]]()
    for title in (title for title in FITS if only in title):
        found += report(title, compare(title, rounds))
        show([each for each in found if each["fit"] == title])
        save(json_file, machine, places=found)


if __name__ == "__main__":
    typer.run(main)
