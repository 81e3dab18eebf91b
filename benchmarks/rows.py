"""The rows of the table: what is done, and by whom."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from harness import System
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
class Row:
    title: str
    problem: Any
    work: str  # a function of each peer's module
    peers: tuple[str, ...]  # beside thinnet
    rounds: int = 9
    unit: str = "step"

    def systems(self) -> dict[str, System]:
        """Those of the peers that are installed."""
        found = {}
        for name in ("thinnet", *self.peers):
            package, module, prefix = PEERS[name]
            if find_spec(package):
                found[name] = getattr(
                    importlib.import_module(f"peers.{module}"), prefix + self.work
                )
        return found


def training(title: str, *peers: str, **settings: Any) -> Row:
    rounds = settings.pop("rounds", 9)
    return Row(title, Training(**settings), "training", peers, rounds)


IMAGES = {"sizes": (784, 256, 256, 10), "rates": (0.2, 0.5)}
WIDE = {"sizes": (784, 1024, 1024, 1024, 10), "rates": (0.2, 0.5), "batches": 20}
ADAM = {"optimizer": "adam", "learning_rate": 0.001}
SPIRAL = {"rates": (0.0, 0.1), "batch": 3000, "batches": 1, **ADAM}
TABLE = {"sizes": (13, 50, 1), "rates": (0.05, 0.05), "batches": 80, **ADAM}
PLAIN = "thinnet without dropout"
EVERYBODY = ("torch.compile", "jax scanned", "keras")

ROWS = (
    *(
        Row(
            f"dropout {rows} x {width}{', forward + backward' if both else ', forward'}",
            Elements(rows, width, both),
            "dropout",
            ("torch", "jax", "copy, one thread", "copy, all threads"),
            unit="element",
        )
        for rows, width in ((256, 1024), (4096, 4096))
        for both in (False, True)
    ),
    training("784-256-256-10, dropout .2/.5, SGD", "torch", "jax", *EVERYBODY, **IMAGES),
    training("the same, thinned", "jax", "jax scanned", "torch thinned", thinned=True, **IMAGES),
    training("the same, what dropout costs", PLAIN, rounds=31, **IMAGES),
    training(
        "784-256-256-10, no dropout, SGD", "torch", "jax", "scikit-learn", *EVERYBODY,
        sizes=IMAGES["sizes"],
    ),
    training("784-3x1024-10, dropout .2/.5, SGD", "torch", "jax", *EVERYBODY, **WIDE),
    training(
        "the same without dropout", "jax", "torch", "jax scanned", sizes=WIDE["sizes"], batches=20
    ),
    training(
        "the same, thinned", "jax", "torch", PLAIN, "jax scanned", "torch thinned", thinned=True,
        **WIDE,
    ),
    training(
        "784-3x1024-10, dropout .2/.5, Adam, thinned", "jax", "torch", PLAIN, "jax scanned",
        "torch thinned", thinned=True, optimizer="adam", learning_rate=1e-4, **WIDE,
    ),
    training("spiral 2-64-3, 3,000 rows, Adam, dropout .1", "torch", "jax", "jax scanned",
             sizes=(2, 64, 3), **SPIRAL),
    training("spiral 2-512-3, 3,000 rows, Adam, dropout .1", "torch", "jax", "jax scanned",
             sizes=(2, 512, 3), **SPIRAL),
    training("13-50-1, dropout .05, batch 32, Adam", "torch", "jax scanned", "jax", "keras",
             batch=32, **TABLE),
    training("13-50-1, dropout .05, batch 128, Adam", "torch", "jax scanned", "jax", "keras",
             batch=128, **TABLE),
    Row("10 draws for 2,000 rows, 784-3x1024-10, rate .5",
        Sampling((784, 1024, 1024, 1024, 10), rows=2000, draws=10),
        "sampling", ("torch", "jax", "torch thinned", "jax shared masks"), 7, "draw"),
    Row("one row predicted, 784-256-256-10", Sampling(IMAGES["sizes"], rows=1), "prediction",
        ("torch",), 31, "row"),
    Row("one row of a table, 6 numbers and 8 categories, predict_proba", Table(), "table_row",
        ("thinnet, all networks", "scikit-learn"), 31, "row"),
)  # fmt: skip
