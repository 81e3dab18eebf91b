"""What `help()` shows of all that thinnet exports."""

import importlib
import inspect
import pkgutil
import re

import pytest
from typer.testing import CliRunner

import thinnet
from thinnet.cli import app
from thinnet.cli.defaults import TABLES
from thinnet.cli.fit_table import SETTINGS
from thinnet.tables.efforts import EFFORTS
from thinnet.uncertainty.draws.drawing import Given, How


def public(one):
    """A function, or the constructor and public methods of a class; errors are raised by us."""
    if inspect.isclass(one) and issubclass(one, Exception):
        return []
    if not inspect.isclass(one):
        return [one] if callable(one) else []
    names = [each for each in dir(one) if each == "__init__" or not each.startswith("_")]
    found = [getattr(one, each, None) for each in names]  # None: it has another name now
    return [each for each in found if getattr(each, "__module__", "").startswith("thinnet")]


@pytest.mark.parametrize("name", sorted(thinnet.__all__))
def test_signatures_carry_types(name):
    for one in filter(callable, public(getattr(thinnet, name))):
        signature = inspect.signature(one)
        shown = [*signature.parameters.values(), signature]
        for each in shown:
            kind = getattr(each, "annotation", None) or signature.return_annotation
            assert not re.fullmatch("'?Any'?", str(kind)), f"{one.__qualname__}: {each}"


def groups():
    """The root, and the packages that show names of their own."""
    packages = [m.name for m in pkgutil.walk_packages(thinnet.__path__, "thinnet.") if m.ispkg]
    modules = map(importlib.import_module, ["thinnet", *packages])
    return [module for module in modules if getattr(module, "__all__", ())]


@pytest.mark.parametrize("group", groups(), ids=lambda group: group.__name__)
def test_every_keyword_of_what_is_public_is_spelled_out(group):
    everything = [each for name in group.__all__ for each in public(getattr(group, name))]
    hidden = [
        f"{one.__qualname__}(**{parameter.name})"
        for one in filter(callable, everything)
        for parameter in inspect.signature(one).parameters.values()
        if parameter.kind is parameter.VAR_KEYWORD
    ]
    assert hidden == []


def test_methods_that_draw_take_the_same_settings_by_the_same_defaults():
    def settings(method):
        kinds = inspect.signature(method).parameters
        return {name: kinds[name].default for name in kinds if name in How._fields}

    classes, numbers = thinnet.MLPClassifier, thinnet.MLPRegressor
    methods = [classes.uncertainty, classes.log_likelihood]
    methods += [numbers.uncertainty, numbers.log_likelihood]
    methods += [numbers.predict_interval, numbers.predict_quantiles, numbers.distribution]
    assert [settings(each) for each in methods] == [How._field_defaults] * len(methods)
    kinds = [classes, numbers, thinnet.EnsembleClassifier, thinnet.EnsembleRegressor]
    kinds += [thinnet.TableClassifier, thinnet.TableRegressor]
    assert [settings(kind.predict) for kind in kinds] == [Given._field_defaults] * len(kinds)
    assert Given().how() == How()


def test_the_help_of_fit_shows_the_defaults_that_estimators_have():
    of_numbers, of_classes = (
        kind().get_params() for kind in (thinnet.TableRegressor, thinnet.TableClassifier)
    )
    for option in ("dropout", "input_dropout"):
        rates = f"{of_classes[option]:g}, for numbers {of_numbers[option]:g}"
        assert TABLES[option] == rates
    for defaults in (of_numbers, of_classes):
        for option in ("epochs", "networks", "weight_decay", "effort"):
            name = SETTINGS[option]
            assert TABLES[option] == str(defaults[name])
        assert TABLES["learning_rate"] == str(defaults["learning_rate_init"])
        assert TABLES["hidden"] == str(EFFORTS[defaults["effort"]].width)
    message = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["fit", "--help"]).output
    for option in ("hidden", "dropout", "epochs", "networks", "seed", "l1", "max_norm", "task"):
        (line,) = re.findall(rf"--{option.replace('_', '-')} .*?(?=\n.*? --|╰)", message, re.DOTALL)
        assert "default:" in line, option


def test_the_help_names_the_exit_codes():
    assert "130 Ctrl-C" in CliRunner(env={"COLUMNS": "200"}).invoke(app, ["--help"]).output
