"""The three products of a Dense layer alone, on one thread, beside PyTorch's and OpenBLAS's.

    python benchmarks/products.py

Weights are laid down as panels beforehand, as in a training, where whoever updates them does it.
OpenBLAS is NumPy's, with the kernels of each type of core in turn.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median

import numpy as np
from harness import Prepared, compare
from llvmlite.binding import get_host_cpu_name
from numba import njit
from rich.console import Console
from rich.table import Table

from thinnet.arithmetic import ROWS_OF_A_LEAF
from thinnet.engine.kernels.presence import TERMS_OF_A_BLOCK
from thinnet.engine.kernels.tiles import (
    ADD,
    ADD_TO_ZERO,
    SHAPE,
    STORE,
    VECTOR_BYTES,
    Panel,
    Strided,
    panel_product,
)
from thinnet.engine.workspace import aligned

SHAPES = ((256, 784, 256), (256, 1024, 1024), (128, 256, 256))  # rows, inputs, units
CORES = ("Haswell", "Zen", "SkylakeX", "Cooperlake")
ROUNDS = 15
REPEATS = 20  # of one product, so that a call is long enough to be timed
SIZE = 4  # bytes of float32
LANES = VECTOR_BYTES // SIZE
FREE = 16  # numbers between rows


@dataclass(frozen=True)
class Product:
    """``a @ b`` of (rows, terms) and (terms, columns), as forward and back, or ``a.T @ b``."""

    rows: int
    terms: int
    columns: int
    over_rows: bool = False

    def operands(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        a = (self.terms, self.rows) if self.over_rows else (self.rows, self.terms)
        made = rng.standard_normal(a), rng.standard_normal((self.terms, self.columns))
        return made[0].astype(np.float32), made[1].astype(np.float32)

    def prepared(self, work, found: np.ndarray) -> Prepared:
        check = float(np.abs(found).mean())
        return Prepared(lambda: [work() for _ in range(REPEATS)], REPEATS, check)


def products(rows: int, inputs: int, units: int) -> dict[str, Product]:
    return {
        "forward": Product(rows, inputs, units),
        "inputs' gradient": Product(rows, units, inputs),
        "weights' gradient": Product(units, rows, inputs, over_rows=True),
    }


@njit
def by_blocks(a, b, c, sizes, block, mode):
    """Panel after panel, block after block of terms.

    `b` has the bytes from one column to the next where panels are, and from row to row, 0 if these
    lie one behind the other.
    """
    rows, columns, terms = sizes
    width = SHAPE.vectors * LANES
    for first in range(0, columns, width):
        vectors = min(SHAPE.vectors, (columns - first + LANES - 1) // LANES)
        step = b.term if b.term else vectors * VECTOR_BYTES
        for start in range(0, terms, block):
            x = Strided(a.start + start * a.term, a.row, a.term)
            n = min(block, terms - start)
            place = b.start + first * b.row + start * step
            then = place + n * step if start + n < terms else b.start + (first + width) * b.row
            panel, out = Panel(place, step, then), Strided(c.start + first * SIZE, c.row, SIZE)
            how = mode if start == 0 else ADD
            panel_product(x, panel, out, rows, vectors, n, how, np.float32(0))


def spaced(matrix: np.ndarray) -> np.ndarray:
    """The same with rows that lie as those of activations do."""
    width = -(-matrix.shape[1] // LANES) * LANES + FREE
    out = aligned(matrix.shape[0] * width, np.dtype(np.float32)).reshape(-1, width)
    out[:, : matrix.shape[1]] = matrix
    return out


def panels_of(b: np.ndarray) -> np.ndarray:
    together, parts = SHAPE.vectors * LANES, []
    for first in range(0, b.shape[1], together):
        block = b[:, first : first + together]
        parts.append(np.pad(block, ((0, 0), (0, -block.shape[1] % LANES))).ravel())
    out = aligned(sum(map(len, parts)), np.dtype(np.float32))
    out[:] = np.concatenate(parts)
    return out


def ours(problem: Product) -> Prepared:
    a, b = problem.operands()
    a, c = spaced(a), spaced(np.zeros((problem.rows, problem.columns), np.float32))
    line = SIZE * a.shape[1]
    if problem.over_rows:
        b = spaced(b)
        left, right = (SIZE, line), (SIZE, b.shape[1] * SIZE)
        block, mode = ROWS_OF_A_LEAF, STORE
    else:
        b = panels_of(b)
        left, right = (line, SIZE), (problem.terms * SIZE, 0)
        block, mode = TERMS_OF_A_BLOCK, ADD_TO_ZERO
    places = Strided(a.ctypes.data, *left), Strided(b.ctypes.data, *right)
    out = Strided(c.ctypes.data, c.shape[1] * SIZE, SIZE)
    sizes = problem.rows, problem.columns, problem.terms

    def work(keep=(a, b, c)) -> None:
        by_blocks(*places, out, sizes, block, mode)

    work()
    return problem.prepared(work, c[:, : problem.columns])


def with_numpy(problem: Product) -> Prepared:
    a, b = problem.operands()
    c = np.empty((problem.rows, problem.columns), np.float32)
    left = a.T if problem.over_rows else a
    right = b if problem.over_rows else np.ascontiguousarray(b.T).T  # W as it is stored
    np.matmul(left, right, out=c)
    return problem.prepared(lambda: np.matmul(left, right, out=c), c)


def with_torch(problem: Product) -> Prepared:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    a, b = map(torch.from_numpy, problem.operands())
    c = torch.empty(problem.rows, problem.columns)
    left = a.T if problem.over_rows else a
    right = b if problem.over_rows else b.T.contiguous().T
    torch.mm(left, right, out=c)
    return problem.prepared(lambda: torch.mm(left, right, out=c), c.numpy())


def beside(problem: Product, core: str | None = None) -> tuple[float, float]:
    """Our seconds, and how many times as fast that is as PyTorch, or OpenBLAS for such cores."""
    if core is None:
        found = compare({"thinnet": ours, "torch": with_torch}, problem, rounds=ROUNDS)
        return found.timing("thinnet").median, found.ratio("torch")
    os.environ["OPENBLAS_CORETYPE"] = core
    found = compare({"thinnet": ours, "numpy": with_numpy}, problem, rounds=ROUNDS)
    del os.environ["OPENBLAS_CORETYPE"]
    return found.timing("thinnet").median, found.ratio("numpy")


def main() -> None:
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    others = {"torch": None} if find_spec("torch") else {}
    others |= {f"OpenBLAS, {core}": core for core in CORES}
    table = Table("rows x inputs x units", "product", "GFLOP/s", *others, title=get_host_cpu_name())
    for shape in SHAPES:
        for name, problem in products(*shape).items():
            found = [beside(problem, core) for core in others.values()]
            operations = 2 * problem.rows * problem.terms * problem.columns
            speed = operations / median(seconds for seconds, _ in found) / 1e9
            ratios = [f"{ratio:.2f}" for _, ratio in found]
            table.add_row(" x ".join(map(str, shape)), name, f"{speed:.0f}", *ratios)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
