"""A folder for machine code on systems without owners or open folders, as Windows is."""

import os
import threading
import time
from types import SimpleNamespace

import pytest

from thinnet.engine import keeping
from thinnet.engine.keeping import Folder

fcntl = pytest.importorskip("fcntl")


class Msvcrt(SimpleNamespace):
    """Windows's locks of bytes, by those of files."""

    LK_LOCK, LK_UNLCK = fcntl.LOCK_EX, fcntl.LOCK_UN

    @staticmethod
    def locking(handle, how, n_bytes):
        assert n_bytes == 1
        fcntl.flock(handle, how)


@pytest.fixture(params=["its own locks", "no locks"])
def system(request, monkeypatch):
    monkeypatch.setattr(keeping, "HAS_OWNERS", False)
    monkeypatch.setattr(keeping, "fcntl", None)
    monkeypatch.setattr(keeping, "msvcrt", Msvcrt if request.param == "its own locks" else None)
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outer" / "kernels"


def test_what_was_written_is_read(system, path):
    folder = Folder(path)
    folder.write("one", b"code")
    assert (folder.read("one"), folder.read("two")) == (b"code", None)
    assert folder.has("one")
    folder.remove("one")
    assert not folder.has("one")
    assert Folder(path).read("writable") == b""


def test_damaged_files_are_not_read(system, path):
    folder = Folder(path)
    folder.write("one", b"code")
    (path / "one").write_bytes((path / "one").read_bytes()[:-1])
    assert folder.read("one") is None


def test_the_folder_is_for_its_user_alone_where_a_mode_says_so(system, path):
    """Windows too makes a folder of mode 700 one of this user, in new versions of Python."""
    assert Folder(path).path.stat().st_mode & 0o777 == 0o700


def test_what_killed_writers_have_left_is_removed_where_there_are_locks(system, path):
    Folder(path)
    left = path / f"one.{16 * '0'}.part"
    left.write_bytes(b"half")
    with Folder(path).locked():
        assert left.exists() == (system == "no locks")


def test_one_process_at_a_time_is_within_a_lock(system, path):
    if system == "no locks":
        pytest.skip("nothing to wait for")
    inside, seen = [], []

    def work():
        with Folder(path).locked():
            inside.append(1)
            seen.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 5


def test_a_lock_that_cannot_be_had_stops_nobody(system, path, monkeypatch):
    def refuse(*_):
        raise OSError(36, "Resource deadlock avoided")

    monkeypatch.setattr(Msvcrt, "locking", refuse)
    folder = Folder(path)
    with folder.locked():
        folder.write("one", b"code")
    assert folder.read("one") == b"code"


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(system, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        Folder(tmp_path / "file" / "kernels")


def test_no_handle_is_left_open(system, path):
    folder, before = Folder(path), os.dup(0)
    os.close(before)
    for i in range(5):
        with folder.locked():
            folder.write(f"{i}", b"code")
    after = os.dup(0)  # the lowest number that is free
    os.close(after)
    assert after == before
