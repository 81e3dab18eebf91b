"""What the documentation shows is what the code does."""

import ast
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
from oracles import unchecked_types
from paths import ROOT

import thinnet

PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = {m.name for m in pkgutil.walk_packages(thinnet.__path__, "thinnet.")}
OF_TORCH = {"thinnet.export.torch_columns"}  # which import it
MODULES = sorted(NAMES - OF_TORCH) + [pytest.param(n, marks=pytest.mark.torch) for n in OF_TORCH]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def assert_prints_what_it_shows(test):
    failures: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    with unchecked_types():  # as a reader runs it
        failed, _ = runner.run(test, out=failures.append)
    assert not failed, "".join(failures)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_on_a_page_prints_what_it_shows(page):
    text = "".join(BLOCK.findall(page.read_text("utf-8")))
    name = page.name
    assert_prints_what_it_shows(doctest.DocTestParser().get_doctest(text, {}, name, name, 0))


@pytest.mark.parametrize("name", MODULES)
def test_every_docstring_example_prints_what_it_shows(name):
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder().find(module, globs={"np": np, **vars(module)}):
        assert_prints_what_it_shows(test)


def test_both_readmes_hold_the_same_code_and_output():
    english, chinese = (
        re.findall(r"```.*?```", p.read_text("utf-8"), re.DOTALL) for p in PAGES[:2]
    )
    assert english == chinese
    assert len(english) > 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_local_link_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_public_name_has_a_docstring_and_stands_in_all():
    for name in thinnet.__all__:
        assert getattr(thinnet, name).__doc__, name


def defined(tree, name):
    """Does a module, or a class in it, define a name?"""
    first, _, rest = name.partition(".")
    for node in tree.body:
        targets = [*getattr(node, "targets", []), getattr(node, "target", None)]
        names = {getattr(t, "id", None) for t in targets} | {getattr(node, "name", None)}
        if first in names:
            return not rest or defined(node, rest)
    return False


WHERE = re.findall(
    r"^\| (.+) \| `(\S+)` \| `(\S+)` \|$", (ROOT / "docs/where.md").read_text(), re.M
)


def test_there_are_twenty_places_and_their_twins():
    assert len(WHERE) >= 27


@pytest.mark.parametrize(("what", "file", "name"), WHERE)
def test_what_is_to_be_changed_stands_where_the_page_says(what, file, name):
    tree = ast.parse((Path(thinnet.__file__).parent / file).read_text("utf-8"))
    assert defined(tree, name), what
