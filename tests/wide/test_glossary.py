"""The code uses the words of docs/glossary.md."""

import ast

import pytest
from paths import ROOT

import thinnet

PACKAGE = ROOT / "src" / "thinnet"
RETIRED = {"said", "told", "tell", "tells", "taught", "lesson", "lessons", "pupil", "pupils"}
ROOMS = sorted({path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")})
PLACES = [
    *(PACKAGE / room for room in ROOMS),
    *(ROOT / f for f in ("benchmarks", "examples", "tests")),
]


def named(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.arg):
        return node.arg
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("place", PLACES, ids=[place.name for place in PLACES])
def test_no_name_has_a_retired_word(place):
    files = [place] if place.is_file() else place.rglob("*.py")
    names = {named(node) for file in files for node in ast.walk(ast.parse(file.read_text()))}
    assert len(names) > 1
    assert {name for name in names if RETIRED & set(name.lower().split("_"))} == set()


def test_the_glossary_gives_each_term_once():
    lines = (ROOT / "docs" / "glossary.md").read_text().splitlines()
    terms = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    terms = [term for term in terms if term not in ("term", "---")]
    assert len(terms) > 70
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize("name", ["draws", "learns"])
def test_what_the_glossary_says_of_a_run_is_a_field_of_it(name):
    assert name in thinnet.Run.__annotations__
    assert f"`Run.{name}`" in (ROOT / "docs" / "glossary.md").read_text()
