"""Machine code is kept, never stale, and never read from where others may write."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGE = Path(find_spec("thinnet").origin).parent
PROGRAM = """
import numpy as np
from thinnet import dropout
from thinnet.engine.compile import cache_folder
from thinnet.engine.kernels.dropout import dropout_rows
y = dropout(np.ones((64, 512), np.float32), 0.5, seed=0, training=True)
hits = sum(dropout_rows.stats.cache_hits.values())
print(int((y > 0).sum()), hits, cache_folder())
"""


def run(cache, packages=PACKAGE.parent):
    """How many units are kept, how often machine code was found, and where it is kept."""
    environment = {**os.environ, "THINNET_CACHE_DIR": str(cache), "PYTHONPATH": str(packages)}
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    kept, hits, folder = finished.stdout.split()
    return int(kept), int(hits), Path(folder)


def test_a_second_process_compiles_nothing(tmp_path):
    kept, hits, folder = run(tmp_path)
    assert hits == 0
    assert run(tmp_path) == (kept, 1, folder)


def test_an_edited_kernel_is_compiled_anew(tmp_path):
    """Also where the edited function is only called by the one that is kept."""
    shutil.copytree(PACKAGE, tmp_path / "site" / "thinnet")
    before, _, folder = run(tmp_path / "cache", tmp_path / "site")
    philox = tmp_path / "site" / "thinnet" / "engine" / "kernels" / "philox.py"
    philox.write_text(philox.read_text().replace("0xD2511F53", "0xD2511F55"))
    after, hits, other = run(tmp_path / "cache", tmp_path / "site")
    assert hits == 0
    assert after != before
    assert other != folder


def test_where_nothing_can_be_written_a_folder_of_the_process_serves(tmp_path):
    (tmp_path / "file").write_text("in the way")
    _, _, folder = run(tmp_path / "file")
    assert not folder.is_relative_to(tmp_path)
    assert not folder.exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners on this system")
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path):
    _, _, folder = run(tmp_path)
    folder.chmod(0o777)
    _, hits, other = run(tmp_path)
    assert hits == 0
    assert other != folder
