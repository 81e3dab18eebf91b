"""Deliberate faults that the suite must catch (faults/), and how one of them is tried.

A fault names a function and something that it does, and says what is done instead.  It is put
into a copy of the package, and the test files that should notice run on it.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from paths import TESTS

import thinnet

PACKAGE = Path(thinnet.__file__).parent


class Mutant(NamedTuple):
    """In `function` of `file`, one expression or statement and what stands there instead.

    The code is compared as Python reads it, so that moving or reformatting a line loses nothing.
    """

    why: str
    file: str
    function: str
    code: str
    instead: str
    tests: tuple[str, ...]  # files, or files::functions


def planted(mutant: Mutant, source: str) -> str:
    """The source of the mutant's file with the fault in it."""
    (node,) = places(mutant, source)
    lines = source.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    instead = f"({mutant.instead})" if isinstance(node, ast.expr) else mutant.instead
    return (source.encode()[:start] + instead.encode() + source.encode()[end:]).decode()


def places(mutant: Mutant, source: str) -> list[ast.expr | ast.stmt]:
    """Where in the mutant's function its code stands."""
    wanted, instead = (ast.parse(code).body[0] for code in (mutant.code, mutant.instead))
    is_value = isinstance(wanted, ast.Expr) and isinstance(instead, ast.Expr)
    node = wanted.value if is_value else wanted
    functions = [f for name, f in named(ast.parse(source)) if name == mutant.function]
    inside = [node for function in functions for node in ast.walk(function)]
    return [found for found in inside if ast.dump(found) == ast.dump(node)]


def named(tree: ast.AST, within: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Functions and classes with their names, as in `Class.method`."""
    for node in ast.iter_child_nodes(tree):
        name = within
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{within}.{node.name}".lstrip(".")
            yield name, node
        yield from named(node, name)


# Says which package the tests have really imported.
WITNESS = """
from pathlib import Path

def pytest_sessionfinish(session):
    import thinnet
    Path(__file__).with_suffix(".txt").write_text(thinnet.__file__)
"""


def copied(folder: Path) -> Path:
    """A copy of the package in `folder`, with what Python has made of its files."""
    return shutil.copytree(PACKAGE, folder / "thinnet")


def plant(mutant: Mutant, package: Path) -> None:
    path = package / mutant.file
    path.write_text(planted(mutant, path.read_text()))


def run_tests(
    folder: Path, tests: tuple[str, ...], *options: str, seconds: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run fast test files on the package in `folder`, up to the first failure."""
    (folder / "mutant_witness.py").write_text(WITNESS)
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-n0", "-x", "-q", "--no-header"),
            *("-p", "no:cacheprovider", "-p", "mutant_witness"),
            *("--hypothesis-profile", "mutants", *options),
            *(str(TESTS / file) for file in tests),
        ],
        cwd=TESTS.parent,
        env=os.environ
        | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    imported = (folder / "mutant_witness.txt").read_text()
    assert Path(imported).parent == folder / "thinnet"
    return finished
