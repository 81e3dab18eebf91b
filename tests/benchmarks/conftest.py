import pytest
from paths import ROOT


@pytest.fixture
def benchmarks(monkeypatch):
    """The folder, from which its modules can be imported."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return ROOT / "benchmarks"
