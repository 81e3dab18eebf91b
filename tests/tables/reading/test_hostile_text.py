"""Texts that are long on purpose: every step of reading takes time and memory in proportion."""

import gzip
import importlib
import itertools
import pkgutil
import re
import subprocess
import sys

import pytest
from promises import done_within

from thinnet import DataFileError, TableEncoder
from thinnet.tables.reading import read_table

LENGTH = 10**6
HOSTILE = ("1", "9.", ",", ".", " ", "\t", "1e", "-", "\\", "[", "{", "<", "a", "M8[", "m8[9", "U1",
           "1,234", "2020-01-01 ", "2020-01-01 10:00:00.1", "0", "inf", "\n")  # fmt: skip
TAILS = ("x", "]", "")


def patterns_in(value):
    """The patterns that a value of a module is or holds."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for part in (*value, *value.values()):
            yield from patterns_in(part)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from patterns_in(part)


def patterns():
    """Each pattern that a module which meets files keeps, by name."""
    for package in ("tables", "persistence", "commands"):
        home = importlib.import_module(f"thinnet.{package}")
        for module in pkgutil.walk_packages(home.__path__, f"{home.__name__}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if name == "__builtins__":  # with what a doctest may have left there
                    continue
                for pattern in patterns_in(value):
                    yield f"{module.name}.{name}", pattern


def test_every_pattern_takes_time_in_proportion_to_a_text():
    found = dict.fromkeys(pattern for _, pattern in patterns())
    assert len(found) > 10
    for pattern in found:
        for unit, tail in itertools.product(HOSTILE, TAILS):
            text = (unit * (LENGTH // len(unit))) + tail
            text = text if isinstance(pattern.pattern, str) else text.encode()
            with done_within(10, pattern):
                pattern.match(text)
                pattern.fullmatch(text)


CELLS = {
    "digits and a letter": "1" * 100_000 + "x",
    "a number and a letter": "1." + "1" * 100_000 + "x",
    "a date and digits": "2020-01-01 10:00:00." + "1" * 100_000 + "x",
    "blanks in a cell": "1" + " " * 100_000 + "x",
    "commas": ",".join(["1"] * 50_000),
    "points": ".".join(["1"] * 50_000),
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_long_cell_is_read_in_a_moment(cell, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b\n" + f"{cell};1\n2;2\n" * 3)
    with done_within(20):
        frame, _ = read_table(path)
        TableEncoder().fit(frame)


def test_a_cell_may_have_131072_characters_and_no_more(tmp_path):
    path = tmp_path / "t.csv"
    rows = ["a,b", *["1," + "z" * 60_000] * 10]
    path.write_text("\n".join([*rows, f"1,{'x' * 131_072}", '2,"' + "y" * 131_072 + '"']))
    assert read_table(path)[0]["b"].str.len().iloc[-2:].tolist() == [131_072] * 2
    path.write_text("\n".join([*rows, f"1,{'x' * 131_073}", *rows[1:]]))
    with pytest.raises(DataFileError, match=r"line 12 must have cells of at most 131072 char"):
        read_table(path)


def test_a_lone_quote_in_a_cell_does_not_make_the_rest_one_cell(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + '5" pipe,1\n' + ("x" * 60_000 + ",2\n") * 10)
    assert len(read_table(path)[0]) == 11


BOMB = """
import resource, sys
from thinnet import DataFileError
from thinnet.tables.reading import {reader} as read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    list(read(sys.argv[1]))
except DataFileError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""
INSIDES = {
    "an open quote": ('"', b"x", r"line 40002 must have cells of at most 131072 characters"),
    "a bare cell": ("", b"x", r"line 40002 must have (cells of at most 131072|less than)"),
    "a line of cells": ("", b"1,", r"line 40002 must have (less than 4194304 characters|2 cells)"),
    "a quote over lines": ('"', b"x\n", r"line 40002 must have cells of at most 131072"),
}


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["read_table", "blocks"])
@pytest.mark.parametrize(("mark", "unit", "message"), INSIDES.values(), ids=INSIDES)
def test_a_small_file_that_unpacks_to_one_endless_cell_takes_little_memory(
    mark, unit, message, reader, tmp_path
):
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"a,b\n" + b"1,some text to be long\n" * 40_000 + f"1,{mark}".encode())
        for _ in range(512):
            file.write(unit * (2**20 // len(unit)))
    code = BOMB.format(reader=reader)
    done = subprocess.run(
        [sys.executable, "-c", code, path], check=True, capture_output=True, text=True
    )
    megabytes, words = done.stdout.split(maxsplit=1)
    assert int(megabytes) < 250
    assert re.search(message, words)
