"""Files are complete or not there, whoever else writes, links or is killed beside them."""

import os
import signal
import stat
import subprocess
import sys
import threading

import pytest
from full_disks import FAILURES, files_of_at_most

from thinnet import atomic
from thinnet.atomic import check_place, replacing, write_atomically

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
LEFT = ".data.0123456789abcdef.part"  # as a killed writer leaves it


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data"


def beside(path):
    """What lies in the folder but the file itself."""
    return sorted(each.name for each in path.parent.iterdir() if each != path)


def test_two_writers_of_one_file_leave_the_whole_of_the_later_one(path):
    with replacing(path) as first:
        first.write(b"one " * 10_000)
        with replacing(path) as second:
            second.write(b"two " * 10_000)
            first.write(b"one " * 10_000)
        assert path.read_bytes() == b"two " * 10_000
    assert path.read_bytes() == b"one " * 20_000
    assert beside(path) == []


def test_a_file_is_never_seen_half_while_threads_write_it(path):
    contents = [bytes([letter]) * 50_000 for letter in b"abcd"]
    write_atomically(path, contents[0])
    writers = [
        threading.Thread(target=lambda c=c: [write_atomically(path, c) for _ in range(10)])
        for c in contents
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_bytes() in contents
    assert beside(path) == []


def test_a_link_planted_at_the_temporary_name_is_not_followed(path, monkeypatch):
    """Even if the name were guessed."""
    victim = path.with_name("victim")
    victim.write_text("precious")
    names = iter(["0" * 16])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(names))
    path.with_name(f".data.{'0' * 16}.part").symlink_to(victim)
    with pytest.raises(OSError, match=f"exists: '{path}'"):
        write_atomically(path, b"new")
    assert victim.read_text() == "precious"
    assert not path.exists()


def test_temporary_names_cannot_be_foreseen(path):
    seen = set()
    for _ in range(20):
        with replacing(path) as file:
            seen |= set(beside(path))
            file.write(b"x")
    assert len(seen) == 20


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_the_mode_of_a_file_that_is_replaced_is_kept(path, mode):
    path.write_text("old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


def test_a_private_file_is_private_while_it_is_written(path):
    path.write_text("old")
    path.chmod(0o600)
    with replacing(path):
        (name,) = beside(path)
        assert stat.S_IMODE(path.with_name(name).stat().st_mode) == 0o600


def test_a_new_file_has_the_mode_that_the_users_mask_leaves(path):
    before = os.umask(0o027)
    try:
        write_atomically(path, b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@AS_ROOT
def test_what_root_replaces_stays_its_owners(path):
    path.write_text("old")
    os.chown(path, 12_345, 23_456)
    path.chmod(0o640)
    write_atomically(path, b"new")
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12_345, 23_456, 0o640)


def test_where_the_group_cannot_be_kept_another_gets_no_more_than_everybody(path, monkeypatch):
    path.write_text("old")
    path.chmod(0o664)
    others, refused = os.stat_result, []

    def refuse(*_):
        refused.append(1)
        raise PermissionError

    def of_another_group(handle):
        found = list(fstat(handle))
        found[5] += 1
        return others(found)

    fstat = os.fstat
    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(atomic.os, "fstat", of_another_group)
    write_atomically(path, b"new")
    assert refused
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


WRITER = """
import os, signal, sys
from thinnet.atomic import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(path):
    """A process in the midst of writing."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"writing\n"
    yield process
    process.kill()
    process.communicate()


def test_what_a_killed_writer_left_is_gone_after_a_later_success(path, writer):
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(beside(path)) == 1
    write_atomically(path, b"new")
    assert beside(path) == []


def test_what_a_living_writer_writes_is_left_alone(path, writer):
    write_atomically(path, b"new")
    assert len(beside(path)) == 1
    writer.communicate(timeout=30)
    assert writer.returncode == 0
    assert path.read_bytes() == b"half"
    assert beside(path) == []


def test_a_failure_sweeps_nothing(path):
    path.with_name(LEFT).write_text("left")
    with pytest.raises(ZeroDivisionError), replacing(path):
        raise ZeroDivisionError
    assert beside(path) == [LEFT]


def a_link(place, victim):
    place.symlink_to(victim)


def a_second_name(place, victim):
    os.link(victim, place)


def a_pipe(place, victim):
    os.mkfifo(place)


def a_folder(place, victim):
    place.mkdir()


def a_strangers(place, victim):
    place.write_text("not ours")
    os.chown(place, 12_345, -1)


@pytest.mark.parametrize(
    "plant",
    [a_link, a_second_name, a_pipe, a_folder, pytest.param(a_strangers, marks=AS_ROOT)],
)
def test_only_plain_files_of_this_user_are_swept(path, plant):
    victim = path.with_name("victim")
    victim.write_text("precious")
    plant(path.with_name(LEFT), victim)
    write_atomically(path, b"new")
    assert beside(path) == [LEFT, "victim"]
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("name", [".data.part", ".data.0123.part", ".other.0123456789abcdef.part"])
def test_files_of_other_names_are_not_swept(path, name):
    path.with_name(name).write_text("somebody's")
    write_atomically(path, b"new")
    assert beside(path) == [name]


def test_a_link_stays_and_what_it_points_to_is_replaced(path, tmp_path):
    (tmp_path / "far").mkdir()
    real = tmp_path / "far" / "real"
    real.write_text("old")
    path.symlink_to(real)
    write_atomically(path, b"new")
    assert path.is_symlink()
    assert real.read_bytes() == b"new"
    assert list(real.parent.iterdir()) == [real]


def test_a_link_to_nothing_yet_gets_its_file(path):
    path.symlink_to("elsewhere")
    write_atomically(path, b"new")
    assert path.with_name("elsewhere").read_bytes() == b"new"


@pytest.mark.parametrize("special", ["/dev/null", "/dev/full"])
def test_a_device_is_never_replaced(special):
    with pytest.raises(ValueError, match=f"must be a file, not a device or a pipe, got '{special}"):
        write_atomically(special, b"new")
    assert stat.S_ISCHR(os.stat(special).st_mode)  # noqa: PTH116


def test_a_pipe_is_never_replaced(path):
    os.mkfifo(path)
    with pytest.raises(ValueError, match="OUT must be a file, not a device or a pipe"):
        check_place("OUT", path)


@pytest.mark.parametrize("length", [1, 100, 250])
def test_names_may_be_as_long_as_the_system_allows(tmp_path, length):
    path = tmp_path / ("ä" * (length // 2) + "n" * (length % 2) + "n")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert beside(path) == []


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_the_message_of_a_full_disk_names_the_file_that_was_asked_for(path, failure, monkeypatch):
    path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(*failure)
        with pytest.raises(OSError, match=rf"No space left on device: '{path}'$"):
            write_atomically(path, b"new" * 100_000)
    assert path.read_text() == "old"
    assert beside(path) == []


def test_what_finds_no_room_leaves_nothing(path):
    with files_of_at_most(1000), pytest.raises(OSError, match=rf"File too large: '{path}'$"):
        write_atomically(path, b"new" * 1000)
    assert not list(path.parent.iterdir())


def test_an_error_of_another_file_keeps_its_name(path):
    missing = path.with_name("missing")
    with pytest.raises(FileNotFoundError, match=str(missing)), replacing(path):
        missing.read_bytes()


@pytest.fixture
def _no_locks(monkeypatch):
    """As on Windows, where no open file can be removed or renamed."""
    monkeypatch.setattr(atomic, "fcntl", None)
    monkeypatch.delattr(os, "fchown", raising=False)


@pytest.mark.usefixtures("_no_locks")
def test_without_locks_only_what_is_old_is_taken_for_left_behind(path):
    old, young = path.with_name(LEFT), path.with_name(LEFT.replace("0", "f"))
    for each in (old, young):
        each.write_text("half")
    os.utime(old, (1e9, 1e9))
    write_atomically(path, b"new")
    assert beside(path) == [young.name]
    assert path.read_bytes() == b"new"


@pytest.mark.usefixtures("_no_locks")
def test_without_locks_a_file_is_replaced_all_the_same(path):
    path.write_text("old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert beside(path) == []


@pytest.mark.parametrize("knows", [True, False])
def test_where_the_system_has_a_stronger_flush_it_is_asked_for(path, knows, monkeypatch):
    flushed, asked = [], []

    def fcntl(handle, how):
        asked.append(how)
        if not knows:
            raise OSError(45, "Operation not supported")

    monkeypatch.setattr(atomic.fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(atomic.fcntl, "fcntl", fcntl)
    monkeypatch.setattr(os, "fsync", flushed.append)
    atomic._flush(7)
    assert asked == [51]
    assert flushed == ([] if knows else [7])
