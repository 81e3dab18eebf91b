"""A training from its start to its end."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from small_trainings import FEATURES, network, problem, trained

from thinnet import SGD, Dense, Network, train


def test_the_same_seed_gives_the_same_run_bit_for_bit():
    assert_array_equal(trained().theta, trained().theta)


def test_another_seed_gives_another_run():
    assert (trained(seed=1).theta != trained(seed=2).theta).all()


def test_steps_and_epochs_are_counted_over_the_whole_life_of_a_network():
    once, twice = trained(optimizer=SGD(0.1), epochs=4), network()
    for _ in range(2):
        train(twice, *problem(), optimizer=SGD(0.1), epochs=2, batch_size=8, progress=False)
    assert_array_equal(twice.theta, once.theta)
    assert (twice.clock.step, twice.clock.epoch) == (12, 4)


def test_training_leaves_the_callers_arrays_alone():
    X, y = problem()
    before = X.copy(), y.copy()
    trained(data=(X, y))
    assert_array_equal(X, before[0])
    assert_array_equal(y, before[1])


def test_integer_labels_are_classified_and_other_targets_fitted():
    X, y = problem()
    assert train(network(), X, y, epochs=1, progress=False).score_name == "accuracy"
    line = Network([Dense(1)], features=FEATURES, seed=0)
    assert train(line, X, X[:, 0], epochs=1, progress=False).score_name == "R^2"


def test_a_line_is_learned():
    X, _ = problem(200)
    net = Network([Dense(1)], features=FEATURES, seed=0, dtype=np.float64)
    train(net, X, X @ np.arange(5.0) + 3, optimizer=SGD(0.1), epochs=60, batch_size=20)
    assert_allclose(net.theta, [0, 1, 2, 3, 4, 3], atol=1e-6)
