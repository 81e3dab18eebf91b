"""Where the command begins: who gets Ctrl-C, and the sentence where memory is short."""

import errno
import os
import signal

import pytest
from pyarrow.lib import ArrowException

import thinnet_command
from thinnet_command import space

resource = pytest.importorskip("resource")
GIB = 2**30
NO_LIMIT = (resource.RLIM_INFINITY,) * 2


class Left(BaseException):
    """In place of the end of this process."""


@pytest.fixture
def ends(monkeypatch):
    """Ends of the process that were asked for, by their codes."""

    def end(code):
        raise Left(code)

    monkeypatch.setattr(os, "_exit", end)


@pytest.fixture
def limit(monkeypatch):
    """Sets what the system says of the limit, which itself stays."""

    def set_to(*limits):
        monkeypatch.setattr(resource, "getrlimit", lambda _: limits)

    return set_to


def test_the_limit_is_that_of_the_process(limit):
    limit(*NO_LIMIT)
    assert (space.limit(), space.shortage_text()) == (None, "")
    limit(3 * GIB, resource.RLIM_INFINITY)
    assert space.limit() == 3 * GIB
    assert space.shortage_text() == "; the limit is 3.0 GiB (ulimit -v)"


ANYWAY = [MemoryError(), OSError(errno.ENOMEM, "x"), RuntimeError("can't start new thread")]
UNDER_A_LIMIT = [
    OSError("a library can't be loaded"),
    ImportError("failed to map segment"),
    SystemError("error return without exception set"),
    ArrowException("Unknown error: Wrapping 6.5 failed"),
]
NEVER = [OSError(errno.ENOSPC, "x"), RuntimeError("x"), ValueError("x"), KeyboardInterrupt()]


@pytest.mark.parametrize("error", [*ANYWAY, *UNDER_A_LIMIT, *NEVER], ids=repr)
def test_a_shortage_of_memory_differs_from_other_errors(error, limit):
    limit(*NO_LIMIT)
    assert space.is_short(error) == (error in ANYWAY)
    limit(GIB, GIB)
    assert space.is_short(error) == (error not in NEVER)


def test_a_command_that_cannot_start_for_want_of_memory_ends_in_a_sentence(
    limit, ends, monkeypatch, capfd
):
    def app():
        raise MemoryError

    limit(GIB, GIB)
    monkeypatch.setattr("thinnet.cli.app", app)
    with pytest.raises(Left, match="1"):
        thinnet_command.run()
    message = "thinnet: there is not enough memory to start; the limit is 1.0 GiB (ulimit -v)\n"
    assert capfd.readouterr() == ("", message)


def test_any_other_error_of_a_command_is_its_own(limit, ends, monkeypatch, capfd):
    def app():
        raise PermissionError(errno.EACCES, "not yours")

    limit(GIB, GIB)
    monkeypatch.setattr("thinnet.cli.app", app)
    with pytest.raises(PermissionError):
        thinnet_command.run()
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_before_and_after_the_work_ends_the_process_with_a_word(
    limit, ends, monkeypatch, capfd, ctrl_c
):
    heard = signal.getsignal(signal.SIGINT)
    limit(*NO_LIMIT)
    monkeypatch.setattr("thinnet.cli.app", lambda: signal.raise_signal(signal.SIGINT))
    try:
        with pytest.raises(Left, match="130"):
            thinnet_command.main()
    finally:
        signal.signal(signal.SIGINT, heard)
    assert capfd.readouterr().err == "thinnet: stopped\n"


def test_whoever_ignores_ctrl_c_goes_on_to(limit, ends, monkeypatch):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    seen = []
    limit(*NO_LIMIT)
    monkeypatch.setattr("thinnet.cli.app", lambda: seen.append(signal.getsignal(signal.SIGINT)))
    try:
        thinnet_command.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.SIG_IGN]


def test_of_a_librarys_words_the_last_are_kept(monkeypatch):
    monkeypatch.setattr(space, "MOST", 20)
    heard, words = os.pipe()
    os.write(words, b"x" * 1000 + b"bad_alloc")
    os.close(words)
    assert space._listen(heard) == b"x" * 11 + b"bad_alloc"
    os.close(heard)
