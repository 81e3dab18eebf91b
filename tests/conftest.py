"""What all tests share: a generator, hypothesis, and with --shapes src's annotations as checks."""

import dataclasses
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from xdist.scheduler import LoadFileScheduling

# Two test workers on two cores must not wait for each other's threads.  The tests that are about
# threads ask for them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("THINNET_NUM_THREADS", "1")

SLOW_IS_FINE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# For `import oracles` under --import-mode=importlib.
sys.path.append(str(Path(__file__).parent / "support"))
import interrupts  # noqa: E402
import oracles  # noqa: E402
import shape_checks  # noqa: E402
import torch_oracle  # noqa: E402

settings.register_profile("default-without-deadline", **SLOW_IS_FINE)
settings.register_profile("ci", derandomize=True, **SLOW_IS_FINE)
unshrunk = [Phase.explicit, Phase.reuse, Phase.generate]  # where any failure will do
settings.register_profile("mutants", phases=unshrunk, **SLOW_IS_FINE)
settings.load_profile("ci" if os.environ.get("CI") else "default-without-deadline")


def pytest_addoption(parser, pluginmanager):
    pluginmanager.register(torch_oracle)
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


def pytest_configure(config):
    if not config.getoption("--shapes"):
        return
    if "thinnet" in sys.modules:
        raise pytest.UsageError("thinnet was imported before its annotations could be hooked")
    shape_checks.check_all()


def pytest_make_parametrize_id(val):
    """Layers, losses and optimisers stand in a test's name as they print."""
    return repr(val) if dataclasses.is_dataclass(val) else None


@pytest.fixture(autouse=True)
def _figures_closed():
    """A test leaves no figure of pyplot open; matplotlib warns of many."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


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
