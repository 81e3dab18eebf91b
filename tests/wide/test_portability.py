"""No system's own names without asking, and all that thinnet does without them."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from paths import TESTS
from portability import unguarded, uses
from small_fits import saved_and_loaded

SOURCES = {
    path.as_posix(): path.read_text("utf-8")
    for package in ("thinnet", "thinnet_command")
    for path in Path(find_spec(package).origin).parent.rglob("*.py")
}


def test_nothing_that_a_system_lacks_is_used_without_asking():
    found = uses(SOURCES)
    assert [use for use, asked in found.items() if not asked] == []
    assert len(found) > 15


ASKED = {
    "import": "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None",
    "module": "if fcntl is not None:\n    import pwd",
    "has": "if hasattr(os, 'fork'):\n    os.fork()",
    "else": "if not hasattr(os, 'fork'):\n    pass\nelse:\n    os.fork()",
    "early": "def f():\n    if fcntl is None:\n        return\n    os.geteuid()",
    "and": "x = hasattr(os, 'geteuid') and os.geteuid() == 0",
    "or": "x = fcntl is None or os.geteuid() == 0",
    "inline": "x = os.fork() if hasattr(os, 'fork') else 0",
    "constant": "HAS: Final = hasattr(os, 'fork') and other\nif HAS:\n    os.getuid()",
    "caught": "with suppress(OSError, AttributeError):\n    os.sysconf('SC_PAGE_SIZE')",
    "called": "def _f():\n    os.fork()\nif hasattr(os, 'fork'):\n    _f()",
    "in turn": "def _f():\n    _g()\ndef _g():\n    _g()\n    os.fork()\nx = fcntl and _f()",
    "default": "x = getattr(os, 'O_NOFOLLOW', 0)",
}
UNASKED = {
    "import": "import fcntl",
    "from": "from os import fork",
    "within": "def f():\n    import resource",
    "name": "os.fork()",
    "signal": "signal.signal(signal.SIGALRM, f)",
    "else": "if hasattr(os, 'fork'):\n    pass\nelse:\n    os.fork()",
    "either": "if hasattr(os, 'fork') or other:\n    os.fork()",
    "late": "def f():\n    if fcntl is None:\n        print()\n    os.geteuid()",
    "one of two": "def _f():\n    os.fork()\nif hasattr(os, 'fork'):\n    _f()\n_f()",
    "macOS": "if hasattr(os, 'fork'):\n    os.sched_getaffinity(0)",
    "OSError": "with suppress(OSError):\n    os.sysconf('SC_PAGE_SIZE')",
    "nobody": "def f():\n    os.fork()",
    "new": "if hasattr(os, 'fchmod'):\n    os.fchown(0, 0)",
    "itself": "def f():\n    f()\n    os.fork()",
}


@pytest.mark.parametrize("text", ASKED.values(), ids=ASKED)
def test_what_is_asked_for_is_let_through(text):
    assert unguarded({"a.py": text}) == []


@pytest.mark.parametrize("text", UNASKED.values(), ids=UNASKED)
def test_what_is_not_asked_for_is_found(text):
    assert len(unguarded({"a.py": text})) == 1


WITHOUT = """
import os, signal, sys
from portability import MODULES, WINDOWS

# What others need was imported before; only thinnet is without.
import joblib, matplotlib.pyplot, multiprocessing.util, numba, pandas, platformdirs.unix, pooch
import rich.console, safetensors, sklearn, subprocess, tempfile

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Missing())
for name in MODULES - {"posix"}:
    sys.modules.pop(name, None)
for each in WINDOWS - {"os.sysconf_names", "os.fwalk", "os.register_at_fork"}:
    module, name = each.split(".")
    if module in ("os", "signal") and not name.startswith("RTLD"):
        vars(sys.modules[module]).pop(name, None)
os.supports_dir_fd = os.supports_fd = set()
assert not hasattr(os, "fork") and not hasattr(os, "geteuid") and not hasattr(signal, "SIGKILL")

from small_fits import saved_and_loaded
from thinnet.engine.caching import kept
from thinnet_command import main

print(saved_and_loaded())
assert kept().folder is not None, kept()
with kept().folder.locked():
    pass
left = [name for name in os.listdir(".") if name.endswith(".part")]
assert left == [], left
sys.argv = ["thinnet", "info"]
main()
"""


def test_where_the_system_has_none_of_it_networks_are_trained_saved_and_loaded(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    wanted = saved_and_loaded()
    paths = os.pathsep.join([str(TESTS / "support"), *sys.path])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(wanted + "\n")
    assert "compiled by" in done.stdout
