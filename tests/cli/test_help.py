"""What --help prints."""

import itertools
import re

import pytest
from commanding import thinnet_command
from typer.testing import CliRunner

from thinnet.cli import app


def help_of(command, columns=80):
    """The help that is printed, and its words in a line."""
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(app, [command, "--help"])
    return result.output, " ".join(re.sub(r"[│╭╰─╮╯]", " ", result.output).split())


def test_nothing_is_cut_from_the_help_of_80_columns():
    shown, words = help_of("fit")
    assert "…" not in shown
    assert "number, category, date, text or drop" in " ".join(words.split())
    assert "<list[str]>" not in shown


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_paragraphs_of_the_help_are_wrapped_once(command):
    shown, _ = help_of(command)
    lines = [line.strip() for line in shown.partition("╭")[0].splitlines()]
    for line, after in itertools.pairwise(lines):
        if line and after:  # a word more would not have fitted
            assert len(f" {line} {after.split()[0]}") > 79


def test_help_groups_the_options():
    code, output = thinnet_command("fit", "--help")
    assert code == 0
    assert re.search(r"Tables.*--target.*Data sets by name.*--data-dir", output, re.DOTALL)
