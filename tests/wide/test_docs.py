"""What the documentation shows is what the code does."""

import doctest
import importlib
import pkgutil
import re

import numpy as np
import pytest
from oracles import unchecked_types
from paths import ROOT

import thinnet

PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = [m.name for m in pkgutil.walk_packages(thinnet.__path__, "thinnet.")]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def assert_prints_what_it_shows(test):
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    with unchecked_types():  # as a reader runs it
        failed, _ = runner.run(test, out=said.append)
    assert not failed, "".join(said)


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
