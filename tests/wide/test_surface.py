"""What `thinnet.<TAB>` shows, and that each name means one thing."""

import ast
import importlib
import pkgutil
from importlib.util import find_spec
from pathlib import Path

import pytest

import thinnet

GROUPS = {
    "datasets", "displays", "estimators", "initializers", "layers", "losses", "optimizers",
    "schedules", "tables", "training", "uncertainty",
}  # fmt: skip
LATER = {"trace", "play", "watch", "train"}  # functions of the root, now or one day
PACKAGES = ["thinnet"] + [
    found.name for found in pkgutil.walk_packages(thinnet.__path__, "thinnet.") if found.ispkg
]
FILES = {name: Path(find_spec(name).origin) for name in PACKAGES}
LAZY = [name for name, file in FILES.items() if file.with_suffix(".pyi").exists()]


def named(package):
    """Names in a package's first file: where each is from, None for a module of the package."""
    file = FILES[package].with_suffix(".pyi" if package in LAZY else ".py")
    found = {}
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = package
        elif isinstance(node, ast.ImportFrom):
            within = f"{package}.{node.module or ''}".rstrip(".")
            module = within if node.level else node.module
            home = None if module == package else module
            found |= {alias.asname or alias.name: home for alias in node.names}
    return found


def test_the_root_shows_the_groups_and_only_what_is_public():
    assert set(dir(thinnet)) >= GROUPS
    assert dir(thinnet) == sorted(thinnet.__all__)
    assert not {"Any", "lazy_loader", "moved", "new_name", "engine", "checks"} & set(dir(thinnet))


@pytest.mark.parametrize("package", LAZY)
def test_type_checkers_imports_and_dir_have_the_same_names(package):
    module = importlib.import_module(package)
    assert dir(module) == sorted(named(package)) == sorted(module.__all__)
    for name, home in named(package).items():
        if home is None:
            assert getattr(module, name) is importlib.import_module(f"{package}.{name}")
        else:
            assert getattr(module, name) is getattr(importlib.import_module(home), name)


def test_a_name_that_is_not_there_is_refused_as_everywhere():
    for package in LAZY:
        with pytest.raises(AttributeError, match="nowhere"):
            importlib.import_module(package).nowhere  # noqa: B018


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_has_the_name_of_a_function_of_its_package(package):
    """Importing the module would put it where the function stood."""
    modules = {found.name for found in pkgutil.iter_modules([str(FILES[package].parent)])}
    named_otherwise = {name for name, home in named(package).items() if home is not None}
    assert modules & (named_otherwise | LATER) == set()


def test_the_names_that_are_compared_with_modules_are_found():
    assert named("thinnet")["train"] == "thinnet.training"
    assert named("thinnet")["layers"] is None
    assert named("thinnet.losses")["loss_for"] == "thinnet.losses"
    assert named("thinnet.uncertainty")["reliability"] == "thinnet.uncertainty.binning"
    assert {"thinnet", "thinnet.uncertainty", "thinnet.displays", "thinnet.tables"} == set(LAZY)
