"""Who could exchange machine code before it is read: nobody but the user and root."""

import os
import subprocess
import sys

import pytest

from thinnet.engine.keeping import HAS_OWNERS, Folder, UnsafeError

pytestmark = pytest.mark.skipif(not HAS_OWNERS, reason="no owners on this system")
AS_ROOT = pytest.mark.skipif(HAS_OWNERS and os.geteuid() != 0, reason="only root gives away")
STRANGER = 12_345


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outer" / "inner" / "kernels"


@pytest.fixture
def folder(path):
    return Folder(path)


def mode(path):
    return path.stat().st_mode & 0o7777


def test_all_that_is_made_is_private_whatever_the_users_mask(path):
    before = os.umask(0)
    try:
        Folder(path).write("name", b"code")
    finally:
        os.umask(before)
    assert [mode(each) for each in (path, path.parent, path.parent.parent)] == [0o700] * 3
    assert mode(path / "name") == 0o600


def test_what_was_written_is_read(folder):
    folder.write("one", b"code")
    folder.write("two", b"")
    assert (folder.read("one"), folder.read("two"), folder.read("three")) == (b"code", b"", None)
    assert folder.has("one")
    assert not folder.has("three")


def test_what_a_killed_writer_has_left_is_removed_by_the_next(folder, path):
    killed = "import os; from thinnet.engine import keeping; from pathlib import Path\n"
    killed += "keeping.Folder._rename = lambda *names: os.kill(os.getpid(), 9)\n"
    killed += f"keeping.Folder(Path({os.fspath(path)!r}))"
    before = set(path.iterdir())
    subprocess.run([sys.executable, "-c", killed], timeout=60)
    assert set(path.iterdir()) - before
    with folder.locked():
        folder.write("name", b"code")
    assert set(path.iterdir()) - before == {path / "name"}


def test_a_failed_write_leaves_what_was_there(folder, monkeypatch):
    folder.write("one", b"code")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            folder.write("one", b"other")
    assert folder.read("one") == b"code"
    assert {each.name for each in folder.path.iterdir()} == {"one", "writable"}


@pytest.mark.parametrize("how", [0o770, 0o702, 0o777])
@pytest.mark.parametrize("which", ["outer", "outer/inner"])
def test_a_parent_that_others_may_write_to_is_refused(
    folder, path, tmp_path, which, how, monkeypatch
):
    monkeypatch.setattr("thinnet.engine.keeping._is_own_group", lambda gid: False)
    (tmp_path / which).chmod(how)
    with pytest.raises(UnsafeError, match=f"^others may write to {tmp_path / which}$"):
        Folder(path)


def test_nothing_is_made_in_a_folder_that_others_may_write_to(tmp_path):
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer").chmod(0o777)
    with pytest.raises(UnsafeError):
        Folder(tmp_path / "outer" / "inner" / "kernels")
    assert not list((tmp_path / "outer").iterdir())


def test_a_sticky_parent_is_as_safe_as_tmp(folder, path):
    path.parent.chmod(0o1777)
    Folder(path).write("one", b"code")


def test_a_group_of_one_is_the_user(folder, path, monkeypatch):
    import grp
    import pwd

    user = pwd.getpwuid(os.geteuid())
    path.parent.chmod(0o770)
    gid = path.parent.stat().st_gid
    alone = grp.struct_group((user.pw_name, "x", gid, []))
    user = pwd.struct_passwd((*user[:3], gid, *user[4:]))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: user)
    for group, safe in [
        (alone, True),
        (grp.struct_group((user.pw_name, "x", gid, [user.pw_name])), True),
        (grp.struct_group((user.pw_name, "x", gid, ["another"])), False),
        (grp.struct_group(("users", "x", gid, [])), False),
    ]:
        monkeypatch.setattr(grp, "getgrgid", lambda _, group=group: group)
        if safe:
            Folder(path)
            continue
        with pytest.raises(UnsafeError):
            Folder(path)


@AS_ROOT
@pytest.mark.parametrize("which", ["outer", "outer/inner", "outer/inner/kernels"])
def test_a_folder_of_another_user_is_refused(folder, path, tmp_path, which):
    os.chown(tmp_path / which, STRANGER, -1)
    with pytest.raises(UnsafeError, match=f"^{tmp_path / which} belongs to another user$"):
        Folder(path)


@AS_ROOT
def test_roots_folders_are_safe_for_others_and_others_are_not_for_root(folder, path, monkeypatch):
    os.chown(path, STRANGER, -1)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    Folder(path)


@AS_ROOT
def test_a_file_of_another_user_is_not_read(folder):
    folder.write("one", b"code")
    os.chown(folder.path / "one", STRANGER, -1)
    assert folder.read("one") is None


def test_a_link_in_place_of_a_file_is_not_followed(folder, tmp_path):
    folder.write("one", b"code")
    (folder.path / "one").rename(tmp_path / "away")
    (folder.path / "one").symlink_to(tmp_path / "away")
    assert folder.read("one") is None
    folder.write("one", b"new")
    assert folder.read("one") == b"new"
    assert b"code" in (tmp_path / "away").read_bytes()


def test_a_folder_exchanged_after_the_check_is_never_met(folder, path):
    folder.write("one", b"code")
    path.rename(path.with_name("away"))
    Folder(path).write("one", b"planted")
    assert folder.read("one") == b"code"
    folder.write("two", b"more")
    assert not (path / "two").exists()


def test_a_parent_exchanged_for_a_link_during_the_check_is_refused(folder, path, monkeypatch):
    """Where the way was looked up before and is another when it is gone."""
    monkeypatch.setattr(os.path, "realpath", lambda path: os.fspath(path))
    path.parent.rename(path.parent.with_name("away"))
    path.parent.symlink_to("away")
    with pytest.raises(OSError, match=r"Not a directory|Too many"):
        Folder(path)


def test_a_way_through_a_link_is_checked_where_it_leads(folder, path, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(path.parent)
    assert Folder(link / "kernels").read("writable") == b""
    path.parent.chmod(0o707)
    with pytest.raises(UnsafeError):
        Folder(link / "kernels")


def test_the_leave_of_others_is_taken_from_what_is_thinnets_alone(folder, path):
    path.parent.chmod(0o777)
    Folder(path, ours=path.parent).write("one", b"code")
    assert mode(path.parent) == 0o755


def test_a_file_under_anothers_name_is_not_read(folder):
    folder.write("one", b"code")
    (folder.path / "one").rename(folder.path / "two")
    assert folder.read("two") is None
