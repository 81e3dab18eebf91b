"""Compiled code rounds to nearest and keeps subnormal numbers, whatever its thread does."""

import platform

import numpy as np
import pytest
from arithmetic_vectors import answers, known

from thinnet import SGD, Dense, Network, Training, losses
from thinnet.engine import rounding_mode

FLUSHES = 1 << 24 if rounding_mode.IS_ARM else 1 << 15 | 1 << 6


@pytest.fixture
def flushing():
    """This thread takes subnormal numbers for zero."""
    before = rounding_mode._read()
    rounding_mode._write(before | FLUSHES)
    yield before | FLUSHES
    rounding_mode._write(before)


pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"),
    reason="the mode of other processors is not known",
)


def test_the_fixture_flushes(flushing):
    assert (np.full(8, 1e-310) * 1.0 == 0).all()


def test_within_the_standard_mode_subnormal_numbers_are_kept(flushing):
    with rounding_mode.standard_mode():
        kept = np.full(8, 1e-310) * 1.0
        within = rounding_mode._read()
    assert not within & rounding_mode.NOT_STANDARD
    assert rounding_mode._read() == flushing
    assert (kept.view(np.int64) != 0).all()


def test_a_flushing_thread_gets_the_known_bits_and_its_mode_back(flushing):
    assert answers("dropout") == known()["dropout"]
    assert rounding_mode._read() == flushing


def test_subnormal_weights_are_learned_by_a_flushing_thread(flushing):
    network = Network([Dense(1)], features=2, seed=0, dtype=np.float64)
    network.theta[:] = 0
    X, y = np.ones((4, 2)), np.full((4, 1), 1e-309)
    training = Training(network, X, y, loss=losses.SquaredError(), optimizer=SGD(0.1), epochs=1)
    training.advance(1)
    assert (network.theta.view(np.int64) != 0).all()
