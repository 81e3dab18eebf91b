"""Compiled code rounds to nearest and keeps subnormal numbers, whatever its thread does."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest
from arithmetic_vectors import answers, known
from sklearn.exceptions import ConvergenceWarning

from thinnet import (
    SGD,
    Dense,
    Dropout,
    MLPClassifier,
    Network,
    SquaredError,
    Training,
    dropout,
    evaluate,
)
from thinnet.engine import control_word, launch
from thinnet.engine.features import architecture
from thinnet.engine.rounding_mode import is_standard, standard_mode
from thinnet.engine.target import obstacle
from thinnet.engine.threads import run_team

pytestmark = pytest.mark.skipif(bool(obstacle()), reason="nothing is compiled here")
ON_ARM = architecture() == "arm"
FLUSHES = 1 << 24 if ON_ARM else 1 << 15 | 1 << 6
MODES = {
    "results": FLUSHES if ON_ARM else 1 << 15,
    "operands": FLUSHES if ON_ARM else 1 << 6,
    "down": 2 << 22 if ON_ARM else 1 << 13,
    "up": 1 << 22 if ON_ARM else 2 << 13,
    "to zero": 3 << 22 if ON_ARM else 3 << 13,
}


@contextmanager
def mode(bits):
    before = control_word.read()
    control_word.write(before | bits)
    try:
        yield before | bits
    finally:
        control_word.write(before)


@pytest.fixture
def flushing():
    """This thread takes subnormal numbers for zero."""
    with mode(FLUSHES) as word:
        yield word


def test_the_fixture_flushes(flushing):
    assert (np.full(8, 1e-310) * 1.0 == 0).all()


@pytest.mark.parametrize("bits", MODES.values(), ids=MODES)
def test_every_other_mode_is_noticed_and_comes_back(bits):
    assert is_standard()
    with mode(bits) as word:
        noticed = not is_standard()
        with standard_mode():
            within = is_standard(), control_word.read()
        after = control_word.read() & control_word.NOT_STANDARD
    assert noticed
    assert within[0]
    assert not within[1] & control_word.NOT_STANDARD
    assert after == word & control_word.NOT_STANDARD


def test_within_the_standard_mode_subnormal_numbers_are_kept(flushing):
    with standard_mode():
        kept = np.full(8, 1e-310) * 1.0
    assert (kept.view(np.int64) != 0).all()


def test_a_flushing_thread_gets_the_known_bits_and_its_mode_back(flushing):
    assert answers("dropout") == known()["dropout"]
    assert control_word.read() & FLUSHES == FLUSHES


def test_every_thread_of_a_team_is_in_the_standard_mode(flushing):
    words = {}
    run_team(3, lambda me, size: words.update({me: control_word.read()}))
    assert len(words) == 3
    assert not any(word & control_word.NOT_STANDARD for word in words.values())


TINY = np.random.default_rng(0).normal(size=(64, 6)) * 1e-309
SMALL = np.random.default_rng(0).normal(size=(64, 6)) * 1e-40  # subnormal as float32
SIGNS = np.sign(TINY)
LARGE = np.tile(TINY, (64, 6))
LABELS = np.arange(64) % 2


def network(size=1.0, dtype=np.float64):
    made = Network([Dense(8), Dropout(0.3), Dense(2)], 6, seed=0, dtype=dtype)
    made.theta[:] *= size
    return made


def trained():
    """The weights and what was measured, of a training whose weights stay subnormal."""
    net = Network([Dense(1)], 6, seed=0, dtype=np.float64)
    net.theta[:] = TINY.ravel()[: net.theta.size]
    X, y = np.ones((64, 6)), np.full((64, 1), 1e-309)
    training = Training(net, X, y, loss=SquaredError(), optimizer=SGD(0.01), epochs=2)
    training.finish()
    return net.theta


def classified():
    """Probabilities that are subnormal."""
    estimator = MLPClassifier((4,), max_iter=1, batch_size=64, random_state=0)
    with pytest.warns(ConvergenceWarning):
        estimator.fit(SIGNS, LABELS)
    estimator.network_.theta[:] = 0
    estimator.network_.theta[-1] = -709
    return estimator.predict_proba(SIGNS)


WORK = {
    "outputs": lambda: network().outputs(TINY),
    "outputs of one row": lambda: network().outputs(TINY[:1]),
    "outputs of converted rows": lambda: network(dtype=np.float32).outputs(SMALL),
    "draws": lambda: network().sample(TINY, 3),
    "draws of rows": lambda: network().sample(TINY, 3, share=None),
    "training": trained,
    "a measured loss": lambda: np.array(
        evaluate(network(1e-77), SIGNS, TINY[:, :2], loss=SquaredError())
    ),
    "dropout of few": lambda: dropout(TINY, 0.3, seed=0, training=True),
    "dropout of many": lambda: dropout(LARGE, 0.3, seed=0, training=True),
    "probabilities": classified,
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_a_flushing_thread_gets_the_bits_of_others(work, monkeypatch):
    for worth in ("WORTH_MEETING", "WORTH_WAKING"):
        monkeypatch.setattr(launch, worth, 0)
    monkeypatch.setenv("THINNET_NUM_THREADS", "2")
    wanted, smallest = np.asarray(work()), {4: 1.2e-38, 8: 2.3e-308}
    with mode(FLUSHES):
        found = np.asarray(work())
    assert found.tobytes() == wanted.tobytes()
    positive = np.abs(wanted[wanted != 0])
    assert positive.min() < smallest[wanted.itemsize]  # so there was something to flush


def test_a_thread_that_a_flushing_one_has_started_gets_the_bits_of_others(flushing):
    found = []
    thread = threading.Thread(target=lambda: found.append(answers("16 units")))
    thread.start()
    thread.join()
    assert found == [known()["16 units"]]
