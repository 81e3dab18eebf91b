"""Dropout of an array, forward alone and with backward, against every peer that is installed.

    python benchmarks/dropout.py [--json FILE]

"copy" is a copy into warm memory that is there already, by NumPy on one thread and by thinnet's
team on all; nothing that reads and writes an array can be faster.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from harness import System, Timing, Work, compare
from rich.console import Console
from rich.table import Table

RATE = 0.5
CASES = [{"rows": 256, "width": 1024}, {"rows": 4096, "width": 4096}]


def array(rows: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, width)).astype(np.float32)


def thinnet(rows: int, width: int, backward: bool) -> Work:
    from thinnet import dropout

    x = array(rows, width)
    y, dx = np.empty_like(x), np.empty_like(x)

    def work() -> None:
        dropout(x, RATE, seed=1, training=True, out=y)
        if backward:
            dropout(y, RATE, seed=1, training=True, out=dx)

    work()
    assert abs((y == 0).mean() - RATE) < 0.01
    return work


def torch(rows: int, width: int, backward: bool) -> Work:
    import torch

    x = torch.from_numpy(array(rows, width)).requires_grad_(backward)
    dy = torch.ones_like(x)

    def work() -> None:
        y = torch.nn.functional.dropout(x, RATE, training=True)
        if backward:
            y.backward(dy)
            x.grad = None

    return work


def jax(rows: int, width: int, backward: bool) -> Work:
    import jax

    x = jax.numpy.asarray(array(rows, width))

    def forward(x: Any, key: Any) -> Any:
        keep = jax.random.bernoulli(key, 1 - RATE, x.shape)
        return jax.numpy.where(keep, x / (1 - RATE), 0)

    def both(x: Any, key: Any) -> Any:
        y, pull = jax.vjp(lambda x: forward(x, key), x)
        return y, pull(y)

    step, key = jax.jit(both if backward else forward), jax.random.key(0)
    return lambda: jax.block_until_ready(step(x, key))


def copy(rows: int, width: int, backward: bool) -> Work:
    x = array(rows, width)
    out = x.copy()
    return lambda: np.copyto(out, x)


def copy_on_all_threads(rows: int, width: int, backward: bool) -> Work:
    from thinnet.engine.threads import n_threads, run_team

    x = array(rows, width)
    out, size = x.copy(), n_threads()

    def part(me: int, size: int) -> None:
        rows_of_mine = slice(me * len(x) // size, (me + 1) * len(x) // size)
        np.copyto(out[rows_of_mine], x[rows_of_mine])

    return lambda: run_team(size, part)


SYSTEMS: dict[str, System] = {
    "thinnet": thinnet,
    **{name: make for name, make in (("torch", torch), ("jax", jax)) if find_spec(name)},
    "copy": copy,
    "copy, all threads": copy_on_all_threads,
}


def measured(rounds: int) -> list[dict[str, Any]]:
    rows = []
    for case in CASES:
        for backward in (False, True):
            timings = compare(SYSTEMS, {**case, "backward": backward}, rounds)
            elements = case["rows"] * case["width"]
            rows.append({**case, "backward": backward, "elements": elements, "timings": timings})
    return rows


def table(rows: list[dict[str, Any]]) -> Table:
    shown = Table(title=f"dropout, float32, rate {RATE}: ns per element (times thinnet's)")
    for column in ("rows x width", "", *SYSTEMS):
        shown.add_column(column, justify="right")
    for row in rows:
        ours: Timing = row["timings"]["thinnet"]
        cells = [
            f"{t.median / row['elements'] * 1e9:.2f} ({t.median / ours.median:.1f})"
            for t in row["timings"].values()
        ]
        what = "forward + backward" if row["backward"] else "forward"
        shown.add_row(f"{row['rows']} x {row['width']}", what, *cells)
    return shown


def machine() -> dict[str, str]:
    from thinnet.engine.info import info

    names = ("thinnet", "numpy", "numba", "torch", "jax")
    versions = {name: version(name) for name in names if find_spec(name)}
    return {"python": platform.python_version(), **versions, **info()}


def main(
    rounds: Annotated[int, typer.Option(min=7, help="Of which medians are taken.")] = 9,
    json_file: Annotated[Path | None, typer.Option("--json", help="Numbers and machine.")] = None,
) -> None:
    """Time dropout of arrays in thinnet and its peers."""
    rows = measured(rounds)
    Console(width=120).print(table(rows))
    if json_file is not None:
        json_file.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
