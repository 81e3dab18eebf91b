"""The rows of the table: what is done, and by whom."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

import typer
from harness import Prepared, System
from problems import Elements, Sampling, Table, Training

# Each peer: the package it needs, the module of `peers`, the function.
PEERS: Mapping[str, tuple[str, str, str]] = {
    "thinnet": ("thinnet", "ours", ""),
    "thinnet without dropout": ("thinnet", "ours", "plain_"),
    "thinnet, all networks": ("thinnet", "ours", "default_"),
    "torch": ("torch", "pytorch", ""),
    "torch.compile": ("torch", "pytorch", "compiled_"),
    "torch thinned": ("torch", "pytorch", "thinned_"),
    "jax": ("jax", "jax_peer", ""),
    "jax scanned": ("jax", "jax_peer", "scanned_"),
    "jax shared masks": ("jax", "jax_peer", "shared_"),
    "keras": ("keras", "keras_on_jax", ""),
    "scikit-learn": ("sklearn", "scikit", ""),
    "copy, one thread": ("numpy", "copies", "single_"),
    "copy, all threads": ("numpy", "copies", "team_"),
}


@dataclass(frozen=True)
class Peer:
    """A function of a module that only the process imports in which the system works."""

    module: str
    function: str

    def __call__(self, problem: Any) -> Prepared:
        made: Prepared = getattr(importlib.import_module(self.module), self.function)(problem)
        return made


class Amount(NamedTuple):
    """Work as people think of it: so many units of a row, and what they are together."""

    units: float
    name: str


@dataclass(frozen=True)
class Row:
    title: str  # no two have the same
    problem: Any
    work: str  # a function of each peer's module
    peers: tuple[str, ...]  # beside thinnet
    amount: Amount
    rounds: int = 9
    unit: str = "step"

    def systems(self, without: Collection[str] = ()) -> dict[str, System]:
        """Those of the peers that are installed, and not left out."""
        found = {}
        for name in ("thinnet", *self.peers):
            package, module, prefix = PEERS[name]
            if find_spec(package) and name not in without:
                found[name] = Peer(f"peers.{module}", prefix + self.work)
        return found


def training(title: str, amount: Amount, *peers: str, **settings: Any) -> Row:
    rounds = settings.pop("rounds", 9)
    return Row(title, Training(**settings), "training", peers, amount, rounds)


def epochs(n: int, rows: int, batch: int) -> Amount:
    name = f"{f'{n:,} epochs' if n > 1 else 'an epoch'} of {rows:,} rows"
    return Amount(n * rows / batch, name)


IMAGES = {"sizes": (784, 256, 256, 10), "rates": (0.2, 0.5)}
WIDE = {"sizes": (784, 1024, 1024, 1024, 10), "rates": (0.2, 0.5), "batches": 20}
ADAM = {"optimizer": "adam", "learning_rate": 0.001}
SPIRAL = {"rates": (0.0, 0.1), "batch": 3000, "batches": 1, **ADAM}
TABLE = {"sizes": (13, 50, 1), "rates": (0.05, 0.05), "batches": 80, **ADAM}
PLAIN = "thinnet without dropout"
EVERYBODY = ("torch.compile", "jax scanned", "keras")
EPOCH = epochs(1, 60_000, batch=256)
SMALL = epochs(100, 10_000, batch=32)
THOUSAND = epochs(1000, 3000, batch=3000)

ROWS = (
    *(
        Row(
            f"dropout {rows} x {width}{', forward + backward' if both else ', forward'}",
            Elements(rows, width, both),
            "dropout",
            ("torch", "jax", "copy, one thread", "copy, all threads"),
            Amount(1, "an element"),
            unit="element",
        )
        for rows, width in ((256, 1024), (4096, 4096))
        for both in (False, True)
    ),
    training("784-256-256-10, dropout .2/.5, SGD", EPOCH, "torch", "jax", *EVERYBODY, **IMAGES),
    training("784-256-256-10, dropout .2/.5, SGD, thinned", EPOCH, "jax", "jax scanned",
             "torch thinned", thinned=True, **IMAGES),
    training("784-256-256-10, what dropout costs", EPOCH, PLAIN, rounds=31, **IMAGES),
    training(
        "784-256-256-10, no dropout, SGD", EPOCH, "torch", "jax", "scikit-learn", *EVERYBODY,
        sizes=IMAGES["sizes"],
    ),
    training("784-3x1024-10, dropout .2/.5, SGD", EPOCH, "torch", "jax", *EVERYBODY, **WIDE),
    training(
        "784-3x1024-10, no dropout, SGD", EPOCH, "jax", "torch", "jax scanned",
        sizes=WIDE["sizes"], batches=20,
    ),
    training(
        "784-3x1024-10, dropout .2/.5, SGD, thinned", EPOCH, "jax", "torch", PLAIN, "jax scanned",
        "torch thinned", thinned=True, **WIDE,
    ),
    training(
        "784-3x1024-10, dropout .2/.5, Adam, thinned", EPOCH, "jax", "torch", PLAIN,
        "jax scanned", "torch thinned", thinned=True, optimizer="adam", learning_rate=1e-4, **WIDE,
    ),
    training("spiral 2-64-3, 3,000 rows, Adam, dropout .1", THOUSAND, "torch", "jax",
             "jax scanned", sizes=(2, 64, 3), **SPIRAL),
    training("spiral 2-512-3, 3,000 rows, Adam, dropout .1", THOUSAND, "torch", "jax",
             "jax scanned", sizes=(2, 512, 3), **SPIRAL),
    training("13-50-1, dropout .05, batch 32, Adam", SMALL, "torch", "jax scanned", "jax",
             "keras", batch=32, **TABLE),
    training("13-50-1, dropout .05, batch 128, Adam", epochs(100, 10_000, batch=128), "torch",
             "jax scanned", "jax", "keras", batch=128, **TABLE),
    Row("10 draws for 2,000 rows, 784-3x1024-10, rate .5",
        Sampling((784, 1024, 1024, 1024, 10), rows=2000, draws=10),
        "sampling", ("torch", "jax", "torch thinned", "jax shared masks"),
        Amount(100, "100 draws for 2,000 rows"), 7, "draw"),
    Row("one row predicted, 784-256-256-10", Sampling(IMAGES["sizes"], rows=1), "prediction",
        ("torch",), Amount(1000, "1,000 single rows"), 31, "row"),
    Row("one row of a table, 6 numbers and 8 categories, predict_proba", Table(), "table_row",
        ("thinnet, all networks", "scikit-learn"), Amount(1000, "1,000 single rows"), 31, "row"),
)  # fmt: skip
# The five that matter: by their titles, the amounts that the picture shows.
QUICK = {
    "dropout 4096 x 4096, forward + backward": Amount(
        4096 * 4096, "Dropout of 16.8 million numbers, there and back"
    ),
    "784-256-256-10, dropout .2/.5, SGD": Amount(
        EPOCH.units, "60,000 images, two layers of 256, with dropout: one epoch"
    ),
    "784-3x1024-10, no dropout, SGD": Amount(
        EPOCH.units, "60,000 images, three layers of 1,024, no dropout: one epoch"
    ),
    "13-50-1, dropout .05, batch 32, Adam": Amount(
        SMALL.units, "10,000 rows of a table, one layer of 50, with dropout: 100 epochs"
    ),
    "one row predicted, 784-256-256-10": Amount(1000, "1,000 images predicted one by one"),
}
SLOW_TO_START = ("torch.compile", "keras")  # left out where five rows take two minutes
QUICK_ROUNDS = 5


def chosen(only: str, quick: bool) -> list[Row]:
    """Those whose title holds `only`; of the five that matter if it has to be quick."""
    rows = [row for row in ROWS if only in row.title and (not quick or row.title in QUICK)]
    if not rows:
        among = "the five of --quick" if quick else "all rows"
        raise typer.BadParameter(f"--only must be in a title of {among}, got {only!r}")
    return rows


def left_out(names: Iterable[str], quick: bool) -> list[str]:
    """Systems that do not take part: those named, and those too slow to start to be quick."""
    for name in names:
        if name not in PEERS or name == "thinnet":
            others = ", ".join(peer for peer in PEERS if peer != "thinnet")
            raise typer.BadParameter(f"--without must be among {others}, got {name!r}")
    return sorted({*names, *(SLOW_TO_START if quick else ())})
