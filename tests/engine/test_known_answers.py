"""Trainings, outputs and draws have the known bits, on this processor and on one held to less."""

import json
import os
import subprocess
import sys

import pytest
from arithmetic_cases import CASES
from arithmetic_vectors import answers, known
from paths import TESTS
from targets import AVX2, PLAIN_NUMPY

from thinnet.engine.shapes import SHAPES

ALL_ANSWERS = """
import json
from arithmetic_vectors import CASES, answers
from thinnet.engine import launch
launch.WORTH_MEETING = launch.WORTH_WAKING = 0  # however small a round is
print(json.dumps({name: answers(name) for name in CASES}))
"""
WIDE_REGISTERS = """
import re
from arithmetic_vectors import answers
from thinnet.engine.driver import drive
answers("dropout")
print(len(re.findall("zmm", "".join(drive.inspect_asm().values()))))
"""


def in_another_process(code, **environment):
    paths = os.pathsep.join([str(TESTS / "support"), *sys.path])
    surroundings = os.environ | {"PYTHONPATH": paths} | environment
    done = subprocess.run(
        [sys.executable, "-c", code], env=surroundings, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_every_case_has_its_answers():
    assert list(known()) == list(CASES)
    assert len(known()) >= 60


@pytest.mark.parametrize("name", CASES)
def test_a_training_has_the_known_bits(name):
    assert answers(name) == known()[name]


@pytest.mark.slow
def test_held_to_avx2_all_bits_are_the_known_ones():
    assert json.loads(in_another_process(ALL_ANSWERS, **AVX2)) == known()


@pytest.mark.slow
def test_with_a_numpy_that_uses_no_wider_instructions_all_bits_are_the_known_ones():
    assert json.loads(in_another_process(ALL_ANSWERS, **PLAIN_NUMPY)) == known()


@pytest.mark.slow
def test_held_to_avx2_no_wide_register_is_used(tmp_path):
    fresh = {"THINNET_CACHE_DIR": str(tmp_path)}
    assert int(in_another_process(WIDE_REGISTERS, **fresh, **AVX2)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("tiles", sorted({*map(str, SHAPES.values()), "12x32", "5x48", "1x16"}))
def test_tiles_of_any_shape_give_the_known_bits(tiles, tmp_path):
    found = in_another_process(ALL_ANSWERS, THINNET_TILES=tiles, THINNET_CACHE_DIR=str(tmp_path))
    assert json.loads(found) == known()


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2", "3", "8"])
def test_any_number_of_threads_gives_the_known_bits(threads):
    found = in_another_process(ALL_ANSWERS, THINNET_NUM_THREADS=threads)
    assert json.loads(found) == known()
