"""Names of processors and features that LLVM knows; what it does not know it leaves out."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from typing import Final

ASK: Final = """
import sys
import llvmlite.binding as llvm
llvm.initialize_native_target()
llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(*sys.argv[1:])
"""


@cache
def is_recognised(processor: str, flag: str = "") -> bool:
    """Another process asks, so that LLVM's line is not seen; True where none can be started."""
    if not sys.executable or getattr(sys, "frozen", False):
        return True
    command = [sys.executable, "-c", ASK, processor, flag]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        found = subprocess.run(command, env=environment, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return True
    return found.returncode != 0 or not found.stderr
