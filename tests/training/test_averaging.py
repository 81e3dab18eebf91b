"""The running average of weights: what it is, and that it is what is measured and left."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    Network,
    ReLU,
    SquaredError,
    Training,
    WeightAverage,
    evaluate,
    train,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(90, 3)), RNG.normal(size=(90, 1))
HELD = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 1))


def network(executor="compiled", behind=()):
    layers = [Dense(6), *behind, ReLU(), Dropout(0.3), Dense(1)]
    return Network(layers, 3, seed=2, dtype=np.float64, executor=executor)


def settings(**more):
    how = {"loss": SquaredError(), "optimizer": SGD(0.05), "epochs": 3, "batch_size": 20}
    return how | {"progress": False} | more


class Weights:
    """The weights after each step."""

    def __init__(self):
        self.seen = []

    def on_step_end(self, training):
        self.seen.append(training.network.theta.copy())


def averaged(first, thetas, decay, every, per_epoch=5):
    """By the words of `WeightAverage`, from the first weights on."""
    mean, since = first, 0
    for t, theta in enumerate(thetas, start=1):
        since += 1
        if t % every == 0 or t % per_epoch == 0:
            left = min(decay, (1 + t) / (10 + t)) ** since
            mean, since = left * mean + (1 - left) * theta, 0
    return mean


@pytest.mark.parametrize("executor", ["compiled", "reference"])
@pytest.mark.parametrize(("decay", "every"), [(0.9, 1), (0.5, 4), (0.99, 7), (0.0, 2)])
def test_the_network_is_left_with_the_average_of_the_weights_of_its_steps(executor, decay, every):
    net, weights = network(executor), Weights()
    first = net.theta.copy()
    how = settings(callbacks=[weights], average=WeightAverage(decay, every))
    history = train(net, X, Y, validation=HELD, **how)
    assert len(weights.seen) == 15
    assert_allclose(net.theta, averaged(first, weights.seen, decay, every), rtol=1e-12, atol=1e-15)
    assert_allclose(history.last.validation_loss, evaluate(net, *HELD, loss=SquaredError())[0])


def test_steps_are_those_of_a_training_without_an_average():
    plain, ours = Weights(), Weights()
    train(network(), X, Y, **settings(callbacks=[plain]))
    train(network(), X, Y, **settings(callbacks=[ours], average=WeightAverage(0.9, 2)))
    assert_array_equal(plain.seen, ours.seen)


def test_no_step_between_changes_no_bit_whoever_watches():
    nets = network(), network()
    how = settings(average=WeightAverage(0.9, 4))
    train(nets[0], X, Y, **how)
    train(nets[1], X, Y, **how, callbacks=[Weights()])
    assert_array_equal(nets[0].theta, nets[1].theta)


def test_early_stopping_keeps_the_best_average():
    net, how = network(), settings(epochs=60, optimizer=Adam(0.05))
    rule = {"early_stopping": EarlyStopping(4), "average": WeightAverage(0.9, 2)}
    history = train(net, X, Y, validation=HELD, **how, **rule)
    best = min(history["validation_loss"])
    assert history["validation_loss"][history.best_epoch] == best
    assert_allclose(evaluate(net, *HELD, loss=SquaredError())[0], best)


def test_a_training_goes_on_from_its_own_weights(tmp_path):
    whole, parted = network(behind=[BatchNorm()]), network(behind=[BatchNorm()])
    how = settings(epochs=4, average=WeightAverage(0.8, 3)) | {"validation": HELD}
    how.pop("progress")
    Training(whole, X, Y, **how).finish(progress=False)
    path = tmp_path / "half"
    Training(parted, X, Y, **how | {"epochs": 2}, checkpoint=path).finish(progress=False)
    again = network(behind=[BatchNorm()])
    resumed = Training(again, X, Y, **how, checkpoint=path, resume=True)
    resumed.finish(progress=False)
    assert_array_equal(again.theta, whole.theta)
    assert_array_equal(again.state, whole.state)


def test_another_average_does_not_resume(tmp_path):
    path, how = tmp_path / "file", settings(epochs=1)
    train(network(), X, Y, **how, checkpoint=path, average=WeightAverage(0.9))
    from thinnet import CheckpointError

    for average in (None, WeightAverage(0.8)):
        with pytest.raises(CheckpointError, match="average"):
            train(network(), X, Y, **how, checkpoint=path, resume=True, average=average)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WeightAverage(1.0), r"decay must be a number in \[0, 1\), got 1.0"),
        (lambda: WeightAverage(-0.1), r"decay must be a number in \[0, 1\), got -0.1"),
        (lambda: WeightAverage(0.9, 0), "every must be an integer >= 1, got 0"),
        (lambda: train(network(), X, Y, average=0.9), "average must be a WeightAverage or None"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
