"""How long the attack goes on, and how many inputs of each kind it has tried."""

import secrets
from collections import Counter

import pytest


def pytest_configure(config):
    """One seed for all workers, drawn where none is given."""
    given = getattr(config, "workerinput", vars(config.option)).get("attack_seed")
    config.option.attack_seed = secrets.randbelow(10**9) if given is None else given


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["attack_seed"] = node.config.option.attack_seed


def pytest_report_header(config):
    return f"attack: seed {config.option.attack_seed}, {config.getoption('--minutes'):g} minutes"


def pytest_terminal_summary(terminalreporter, config):
    """A line for each kind: inputs, groups, seconds."""
    found = {}
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, tally in report.user_properties:
            if name.startswith("attack "):
                found.setdefault(name.removeprefix("attack "), []).append(tally)
    if not found:
        return
    terminalreporter.section(f"attack, seed {config.option.attack_seed}")
    for kind, tallies in found.items():
        terminalreporter.write_line(line(kind, tallies))


def line(kind, tallies):
    groups = Counter()
    for tally in tallies:
        groups.update(tally["groups"])
    tried = sum(tally["tried"] for tally in tallies)
    failed = sum(len(numbers) for tally in tallies for numbers in tally["failures"].values())
    seconds = sum(tally["seconds"] for tally in tallies)
    parts = ", ".join(f"{group} {n:,}" for group, n in sorted(groups.items()))
    bad = f"{failed:,} FAILED, " if failed else ""
    return f"{kind}: {tried:,} tried in {seconds:.0f} s: {bad}{parts}"


@pytest.fixture
def workers(request):
    """Workers of this run that share the time."""
    return getattr(request.config, "workerinput", {}).get("workercount", 1)
