"""Tests marked `torch` need PyTorch, the only library of tests that is not in the `test` extra.

Without it they are skipped; with `--torch` they fail then, and whenever else they are skipped.
"""

import importlib

import pytest

required = []


def pytest_addoption(parser):
    parser.addoption(
        "--torch", action="store_true", help="PyTorch must be there: no test of it may be skipped"
    )


def pytest_configure(config):
    required[:] = [config.getoption("--torch")]


def imported():
    """PyTorch for a file that needs it at its head, where a mark comes too late."""
    return importlib.import_module("torch") if any(required) else pytest.importorskip("torch")


def pytest_runtest_setup(item):
    if item.get_closest_marker("torch"):
        item.user_properties.append(("needs", "torch"))
        imported()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.skipped and item.get_closest_marker("torch") and any(required):
        report.outcome = "failed"
        report.longrepr = f"skipped, with --torch: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter):
    for outcome, reports in terminalreporter.stats.items():
        n = sum(("needs", "torch") in getattr(report, "user_properties", ()) for report in reports)
        if outcome in ("passed", "failed", "skipped") and (n or any(required)):
            terminalreporter.write_line(f"tests that need PyTorch: {n} {outcome}")
