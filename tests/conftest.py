"""What all tests share: shapes checked against src's annotations, a generator, hypothesis."""

import dataclasses
import os
import pkgutil
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import get_args

import jaxtyping
import numpy as np
import pytest
from beartype import BeartypeConf, beartype
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

# Two test workers on two cores must not wait for each other's threads.  The tests that are about
# threads ask for them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("THINNET_NUM_THREADS", "1")

SLOW_IS_FINE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
sys.path.append(str(Path(__file__).parent))  # for `import oracles` under --import-mode=importlib
import interrupts  # noqa: E402
import oracles  # noqa: E402

settings.register_profile("default-without-deadline", **SLOW_IS_FINE)
settings.register_profile("ci", derandomize=True, **SLOW_IS_FINE)
settings.load_profile("ci" if os.environ.get("CI") else "default-without-deadline")


def pytest_addoption(parser):
    parser.addoption(
        "--data-dir",
        type=Path,
        default=None,
        help="folder that contains fashion-mnist/ and mnist/; without it those tests are skipped",
    )
    parser.addoption(
        "--shapes",
        action="store_true",
        help="check the annotations of every thinnet function that takes or returns shapes",
    )
    parser.addoption(
        "--minutes",
        type=float,
        default=10,
        help="how long `pytest -m slow tests/attack` goes on (two workers try the least in 10)",
    )
    parser.addoption("--attack-seed", type=int, help="of its inputs, to try the same ones again")
    parser.addoption("--attack-input", type=int, help="the number of one input, to try it alone")


def pytest_xdist_make_scheduler(config, log):
    """A fast file stays with one worker, so what its tests share is made once; slow ones spread."""
    return LoadFileScheduling(config, log) if config.option.markexpr == "not slow" else None


def hooked_modules():
    """All but the kernels, which a hook would keep from being compiled."""
    root = find_spec("thinnet").submodule_search_locations[0]
    names = {module.name for module in pkgutil.iter_modules([root])} - {"engine"}
    return [
        f"thinnet.{name}" for name in (*names, "engine.dropout", "engine.info", "engine.threads")
    ]


PUBLIC_OF_ESTIMATORS = ("thinnet.estimators.", "thinnet.tables.", "thinnet.uncertainty.")


def is_of_scikit_learns_kind(one):
    """A method of an estimator that takes anything, and says itself what doesn't fit."""
    name = getattr(one, "__qualname__", "")
    in_class = "." in name and (name.endswith(".__init__") or name.split(".")[-1][0] != "_")
    return in_class and one.__module__.startswith(PUBLIC_OF_ESTIMATORS)


def resolved(annotation, names):
    """What the text of an annotation stands for; None while its names are unknown."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, names)
    except (NameError, TypeError, AttributeError):
        return None


def holds_a_shape(annotation):
    """An array type of jaxtyping, alone or in a union, a tuple or another container."""
    is_array = isinstance(annotation, type) and issubclass(annotation, jaxtyping.AbstractArray)
    return is_array or any(map(holds_a_shape, get_args(annotation)))


def has_shapes(one):
    """A function, or a class with fields, of whose annotations one at least holds a shape.

    Only running can check a shape.  The other annotations are mypy's, which proves them once;
    to check them in each call would make the tests three times as slow.
    """
    names = getattr(one, "__globals__", None) or vars(sys.modules[one.__module__])
    annotations = getattr(one, "__annotations__", {}).values()
    return any(holds_a_shape(resolved(annotation, names)) for annotation in annotations)


def pytest_configure(config):
    """Check shapes in every call; an int may stand where a float is meant."""
    if not config.getoption("--shapes"):
        return
    if "thinnet" in sys.modules:
        raise pytest.UsageError("thinnet was imported before its annotations could be hooked")
    checker = ModuleType("thinnet_typechecker")
    strict = beartype(conf=BeartypeConf(is_pep484_tower=True))
    checker.check = lambda one: one if is_of_scikit_learns_kind(one) else strict(one)
    sys.modules[checker.__name__] = checker
    jaxtyped = jaxtyping.jaxtyped
    jaxtyping.jaxtyped = lambda typechecker: (
        lambda one: jaxtyped(one, typechecker=typechecker) if has_shapes(one) else one
    )
    jaxtyping.install_import_hook(hooked_modules(), f"{checker.__name__}.check")


def pytest_make_parametrize_id(val):
    """Layers, losses and optimisers stand in a test's name as they print."""
    return repr(val) if dataclasses.is_dataclass(val) else None


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.fixture
def data_dir(request):
    folder = request.config.getoption("--data-dir")
    if folder is None:
        pytest.skip("needs --data-dir")
    return folder


@pytest.fixture
def ctrl_c():
    """For tests with SIGINT: it is heard however pytest was started, and they end in time."""
    with interrupts.heard():
        yield


@pytest.fixture
def two_threads(monkeypatch):
    """For tests of work that is cut into parts."""
    monkeypatch.setenv("THINNET_NUM_THREADS", "2")


@pytest.fixture
def untyped():
    """Lets values of a wrong type reach the library's own checks, as they do in production."""
    with oracles.unchecked_types():
        yield
