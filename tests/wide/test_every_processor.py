"""The same bits on every processor, from the rows to a table's predictions; `.ci/arm` asks ARM."""

import json
import os
import subprocess
import sys

import pytest
from every_processor import BATCH, NAMES, NETWORKS, ROWS, STEPS, found, known
from paths import TESTS
from targets import AVX2, PLAIN_NUMPY

from thinnet.engine.features import architecture

on_x86 = pytest.mark.skipif(architecture() != "x86", reason="of x86-64")
HELD = {"AVX2": AVX2, "plain NumPy": PLAIN_NUMPY, "both": AVX2 | PLAIN_NUMPY}
ALL = "import json; from every_processor import *; print(json.dumps({n: found(n) for n in NAMES}))"


def test_ten_steps_of_five_networks_are_known():
    assert list(known()) == NAMES
    assert len(NETWORKS) == 5 * 2
    assert STEPS == 10 <= ROWS // BATCH
    kinds = {type(part) for case in NETWORKS.values() for part in (case.loss, case.optimizer)}
    assert len(kinds) == 2 * 5


@pytest.mark.parametrize("name", NAMES)
def test_ten_steps_and_tables_have_the_known_bits(name):
    assert found(name) == known()[name]


@on_x86
@pytest.mark.slow
@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_held_to_less_ten_steps_and_tables_have_the_known_bits(held):
    paths = os.pathsep.join([str(TESTS / "support"), *sys.path])
    surroundings = os.environ | {"PYTHONPATH": paths} | held
    done = subprocess.run(
        [sys.executable, "-c", ALL], env=surroundings, check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == known()
