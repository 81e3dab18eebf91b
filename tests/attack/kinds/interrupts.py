"""SIGINT at a random moment of a command, imports included: it stops, and says so in a sentence.

It ends with 130 in a second or two of an idle machine, or had finished with 0; no traceback; the
output is old or new, whole.
"""

import os
import signal
import subprocess
import sys
import time

import numpy as np
from attack.tables import FORCE, a_model
from forging import pick
from mangling import people, written

from thinnet import load

ALONE, SECONDS = True, 120
ROWS = 300
START = "import os; from thinnet_command import main; os.write({pipe}, b'x'); main()"


def prepare(folder):
    model, table = a_model(folder), folder / "many.csv"
    table.write_bytes(written(people(np.random.default_rng(5), rows=ROWS)))
    fit = ["fit", table, "--target", "buys", "--networks", "3", "--epochs", "10", "--hidden", "16"]
    commands = {
        "fit": [*fit, "--out", "OUT.thinnet"],
        "fit with pictures": [*fit, "--out", "OUT.thinnet", "--report", "REPORT"],
        "predict": ["predict", model, table, "--out", "OUT.csv", *FORCE],
        "evaluate": ["evaluate", model, table, "--uncertainty", "--draws", "20"],
    }
    patience = 1 + 3 * seconds_of(["--version"], folder)  # as fast as the machine is now
    return {
        name: (command, seconds_of(command, folder), patience) for name, command in commands.items()
    }


def seconds_of(command, folder):
    process, start = started(command, folder), time.perf_counter()
    output = process.communicate(timeout=SECONDS)[0]
    assert process.returncode == 0, output
    return time.perf_counter() - start


def started(command, folder):
    """A command that is about to import thinnet."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(pipe=writing), *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        pass_fds=[writing],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    return process


def attempt(rng, commands, folder):
    name = pick(rng, sorted(commands))
    command, seconds, patience = commands[name]
    out = folder / ("OUT.csv" if name == "predict" else "OUT.thinnet")
    if name == "predict":
        out.write_text("before")
    process = started(command, folder)
    time.sleep(rng.uniform(0, 1.1 * seconds))
    process.send_signal(signal.SIGINT)
    start = time.perf_counter()
    output = process.communicate(timeout=SECONDS)[0]
    took = time.perf_counter() - start
    check_end(process.returncode, output)
    assert took < patience or process.returncode == 0, f"{took:.1f} s until it stopped"
    check_output(name, out, process.returncode)
    assert_no_leavings(folder)
    return f"{name}: {'finished' if process.returncode == 0 else 'stopped'}"


def check_end(code, output):
    assert "Traceback" not in output, output[-600:]
    if code == -signal.SIGINT:
        return  # before Python had called a line of ours, or after the last one; 130 to a shell
    assert code in (0, 130), f"exit {code}: {output[-600:]}"
    if code == 130:
        lines = output.splitlines()
        assert any(line.startswith("thinnet: ") for line in lines), output[-600:]


def check_output(name, out, code):
    if name == "predict":
        content = out.read_text()
        assert content == "before" or content.count("\n") == ROWS + 1, "neither old nor new"
    elif out.exists():
        load(out)
    elif code == 0 and name.startswith("fit"):
        raise AssertionError("exit 0 without a model")


def assert_no_leavings(folder):
    left = {path.name for path in folder.iterdir()} - {"OUT.csv", "OUT.thinnet", "REPORT"}
    assert not left, f"left behind: {left}"
