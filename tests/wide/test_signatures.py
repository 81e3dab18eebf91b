"""What `help()` shows of all that thinnet exports."""

import inspect
import re

import pytest
from typer.testing import CliRunner

import thinnet
from thinnet.cli import app
from thinnet.cli.defaults import TABLES
from thinnet.cli.fit_table import SETTINGS
from thinnet.tables import members


def public(name):
    """A function, or the constructor and public methods of a class; errors are raised by us."""
    one = getattr(thinnet, name)
    if inspect.isclass(one) and issubclass(one, Exception):
        return []
    if not inspect.isclass(one):
        return [one] if callable(one) else []
    names = [each for each in dir(one) if each == "__init__" or not each.startswith("_")]
    found = [getattr(one, each) for each in names]
    return [each for each in found if getattr(each, "__module__", "").startswith("thinnet")]


@pytest.mark.parametrize("name", sorted(thinnet.__all__))
def test_signatures_carry_types(name):
    for one in filter(callable, public(name)):
        signature = inspect.signature(one)
        shown = [*signature.parameters.values(), signature]
        for each in shown:
            kind = getattr(each, "annotation", None) or signature.return_annotation
            assert not re.fullmatch("'?Any'?", str(kind)), f"{one.__qualname__}: {each}"


def test_the_help_of_fit_shows_the_defaults_that_estimators_have():
    for kind in (thinnet.TableRegressor, thinnet.TableClassifier):
        defaults = kind().get_params()
        for option in ("dropout", "input_dropout", "epochs", "networks", "weight_decay"):
            name = SETTINGS[option]
            assert TABLES[option] == str(defaults[name])
        assert TABLES["learning_rate"] == str(defaults["learning_rate_init"])
        assert TABLES["hidden"] == str(members.WIDTH)
    said = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["fit", "--help"]).output
    for option in ("hidden", "dropout", "epochs", "networks", "seed", "l1", "max_norm", "task"):
        (line,) = re.findall(rf"--{option.replace('_', '-')} .*?(?=\n.*? --|╰)", said, re.DOTALL)
        assert "default:" in line, option


def test_the_help_tells_the_exit_codes():
    assert "130 Ctrl-C" in CliRunner(env={"COLUMNS": "200"}).invoke(app, ["--help"]).output
