"""Whatever goes wrong in a command is one sentence, with the code that says whose fault it was."""

import errno

import pytest
import typer

from thinnet import DataFileError
from thinnet.cli.common import one_sentence
from thinnet_command import space

ERRORS = {
    "a file": (DataFileError("t.csv must hold rows"), 1, "t.csv must hold rows"),
    "a setting": (ValueError("x must be above 0"), 2, "x must be above 0"),
    "the system, of a file": (
        PermissionError(errno.EACCES, "Permission denied", "p.csv"), 1, "Permission denied: p.csv"),
    "the system": (OSError(errno.EIO, "Input/output error"), 1, "Input/output error"),
    "memory": (MemoryError(), 1, "not enough memory for the table (no more can be had)"),
    "memory of the system": (
        OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "not enough memory for the table ("),
    "threads": (RuntimeError("can't start new thread"), 1, "not enough memory for the table ("),
    "Ctrl-C": (KeyboardInterrupt(), 130, "stopped"),
}  # fmt: skip


@pytest.mark.parametrize(("error", "code", "message"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_sentence_with_its_code(error, code, message, capsys, monkeypatch):
    monkeypatch.setattr(space, "limit", lambda: None)
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(typer.Exit) as left, one_sentence("the table"):
        raise error
    assert left.value.exit_code == code
    printed = capsys.readouterr()
    assert printed.err.startswith("thinnet: ")
    assert message in printed.err.replace("\n", " ")
    assert not printed.out


def test_a_fault_of_the_program_is_not_hidden():
    with pytest.raises(RuntimeError, match="a fault"), one_sentence():
        raise RuntimeError("a fault")
