"""Machine code is kept, never stale, never damaged, and never read from where others may write."""

import ast
import importlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from full_disks import refuse
from targets import AVX2

from thinnet.engine import caching
from thinnet.engine.features import architecture
from thinnet.engine.keeping import Folder

on_x86 = pytest.mark.skipif(architecture() != "x86", reason="AVX2")
PACKAGE = Path(find_spec("thinnet").origin).parent
KERNELS = PACKAGE / "engine" / "kernels"
PROGRAM = """
import numpy as np
from thinnet import dropout
from thinnet.engine.caching import kept
from thinnet.engine.kernels.dropout import dropout_rows
y = dropout(np.ones((64, 512), np.float32), 0.5, seed=0, training=True)
hits = sum(dropout_rows.stats.cache_hits.values())
print(int((y > 0).sum()), hits, kept().folder and kept().folder.path, sep="\\t")
"""


def start(cache, packages=PACKAGE.parent, umask=0o022, **held):
    paths = {"THINNET_CACHE_DIR": str(cache), "PYTHONPATH": str(packages)}
    environment = os.environ | paths | held
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        umask=umask,
    )


def end(process):
    """How many units are kept, how often machine code was found, its folder; what is printed."""
    out, output = process.communicate(timeout=300)
    assert process.returncode == 0, output
    kept, hits, folder = out.strip().split("\t")
    return int(kept), int(hits), None if folder == "None" else Path(folder), output


def run(*arguments, **settings):
    return end(start(*arguments, **settings))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder with the code of a first process, and how many units it kept."""
    cache = tmp_path_factory.mktemp("cache")
    kept, hits, folder, output = run(cache, umask=0o002)
    assert hits == 0
    assert output == ""
    return cache, folder, kept


@pytest.fixture
def copied(filled, tmp_path):
    cache, folder, kept = filled
    shutil.copytree(cache, tmp_path / "cache")
    return tmp_path / "cache", tmp_path / "cache" / folder.name, kept


def test_a_second_process_compiles_nothing_whatever_the_users_mask(filled):
    cache, folder, kept = filled
    assert run(cache, umask=0o002) == (kept, 1, folder, "")


def test_what_is_kept_is_the_users_alone(filled):
    _, folder, _ = filled
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.iterdir())) >= 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def emptied(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def altered(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def exchanged(path):
    """Whole files, each under another's name."""
    other = next(o for o in path.parent.iterdir() if o.suffix != path.suffix and o != path)
    path.write_bytes(other.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("damage", [emptied, altered])
def test_damaged_files_are_compiled_anew_without_a_word(copied, damage):
    cache, folder, kept = copied
    for path in folder.iterdir():
        damage(path)
    assert run(cache) == (kept, 0, folder, "")
    assert run(cache) == (kept, 1, folder, "")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """What one function's code is kept in, without compiling."""
    folder = Folder(tmp_path / "kernels")
    monkeypatch.setattr(caching, "kept", lambda: caching.Kept(folder))
    return caching._Files("function")


@pytest.mark.parametrize("damage", [emptied, cut, altered, exchanged, Path.unlink])
@pytest.mark.parametrize("which", range(4))
def test_damaged_code_is_never_loaded(files, tmp_path, damage, which):
    files.save("one signature", "code " * 100)
    files.save("another", "other code " * 100)
    paths = sorted((tmp_path / "kernels").iterdir())
    assert len(paths) == 4
    damage(paths[which])
    found = [files.load("one signature"), files.load("another")]
    assert set(found) <= {"code " * 100, "other code " * 100, None}
    assert (None in found) == (paths[which].name != "writable")
    assert found[0] != "other code " * 100
    files.save("one signature", "code " * 100)
    assert files.load("one signature") == "code " * 100


def test_two_that_save_at_once_never_take_each_others_code(files):
    """Each has read the index before the other wrote it."""
    other, index = caching._Files("function"), dict(files._names(caching.kept().folder))
    files.save("mine", "my code")
    other._names = lambda folder: dict(index)
    other.save("yours", "your code")
    assert files.load("mine") in ("my code", None)
    assert files.load("yours") == "your code"


def test_a_disk_that_is_full_keeps_nothing_and_says_nothing(files, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        files.save("mine", "my code")
    assert files.load("mine") is None
    assert capfd.readouterr() == ("", "")


def test_a_looser_folder_of_ours_is_made_private(copied):
    cache, folder, kept = copied
    folder.chmod(0o777)
    assert run(cache) == (kept, 1, folder, "")
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_files_that_others_could_write_to_are_not_read(copied):
    cache, folder, kept = copied
    for path in folder.iterdir():
        path.chmod(0o666)
    assert run(cache)[:2] == (kept, 0)
    assert run(cache)[:2] == (kept, 1)


@on_x86
@pytest.mark.slow
def test_processors_that_share_a_folder_never_meet_each_others_code(copied):
    cache, folder, kept = copied
    _, hits, other, output = run(cache, **AVX2)
    assert (hits, output) == (0, "")
    assert other != folder
    assert run(cache, **AVX2) == (kept, 1, other, "")
    assert run(cache) == (kept, 1, folder, "")


@on_x86
@pytest.mark.slow
def test_code_of_another_processor_under_this_ones_name_is_compiled_anew(copied):
    cache, folder, kept = copied
    _, _, other, _ = run(cache, **AVX2)
    shutil.rmtree(folder)
    other.rename(folder)
    assert run(cache) == (kept, 0, folder, "")
    assert run(cache) == (kept, 1, folder, "")


@pytest.mark.slow
@pytest.mark.parametrize("many", [2, 5])
def test_several_processes_that_compile_at_once_are_all_right(many, tmp_path):
    found = [end(process) for process in [start(tmp_path) for _ in range(many)]]
    assert len({(kept, folder) for kept, _, folder, _ in found}) == 1
    assert run(tmp_path)[:2] == (found[0][0], 1)


@pytest.mark.slow
def test_an_edited_kernel_is_compiled_anew(filled, tmp_path):
    """Also where the edited function is only called by the one that is kept."""
    cache, folder, before = filled
    shutil.copytree(PACKAGE, tmp_path / "site" / "thinnet")
    philox = tmp_path / "site" / "thinnet" / "engine" / "kernels" / "philox.py"
    philox.write_text(philox.read_text().replace("0xD2511F53", "0xD2511F55"))
    after, hits, other, _ = run(cache, tmp_path / "site")
    assert hits == 0
    assert after != before
    assert other != folder


def test_where_nothing_can_be_written_nothing_is_kept_with_one_message(tmp_path):
    (tmp_path / "file").write_text("in the way")
    _, hits, folder, output = run(tmp_path / "file")
    assert (hits, folder) == (0, None)
    assert output.count("\n") == output.count("compiled kernels are not kept") == 1
    assert f"{tmp_path / 'file'}: Not a directory" in output


def constants_of_kernels():
    """The files that kernels take their constants from."""
    names = [f"thinnet.engine.kernels.{path.stem}" for path in KERNELS.glob("*.py")]
    for kernels in map(importlib.import_module, names):
        for line in ast.parse(Path(kernels.__file__).read_text()).body:
            if isinstance(line, ast.ImportFrom) and line.module.startswith("thinnet"):
                origin = importlib.import_module(line.module)
                found = {each.name: getattr(origin, each.name) for each in line.names}
                whole = [each.__file__ for each in found.values() if hasattr(each, "__file__")]
                constants = [
                    n for n, it in found.items() if n.isupper() and not isinstance(it, type)
                ]
                yield from whole or [origin.__file__] * bool(constants)


def test_every_file_that_kernels_take_constants_from_is_part_of_the_folders_name():
    sources = [PACKAGE / each for each in caching.SOURCES]
    files = {Path(file) for file in constants_of_kernels()}
    assert {file.parent.name for file in files} >= {"arithmetic", "thinnet", "layers"}
    assert not [file for file in files if not any(map(file.is_relative_to, sources))]
