"""NaN and infinity in every place: NaN where the reference has it, or a sentence, never a crash."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from thinnet import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    DivergedError,
    DropConnect,
    Dropout,
    LayerNorm,
    Network,
    ReLU,
    SquaredError,
    Tanh,
    Training,
    train,
)

BAD = [np.nan, np.inf, -np.inf]
SIZE = 130
LAYERS = {
    "plain": [Dense(5), Tanh(), Dense(3)],
    "ReLU": [Dense(5), ReLU(), Dense(3)],
    "one unit": [Dense(1), Tanh(), Dense(3)],
    "dropout": [Dense(17), Tanh(), Dropout(0.5), Dense(3)],
    "thinned": [Dense(SIZE), ReLU(), Dropout(0.5, share="batch"), Dense(SIZE), ReLU(), Dense(3)],
    "DropConnect": [DropConnect(Dense(7), 0.5), Tanh(), Dense(3)],
    "BatchNorm": [Dense(5), BatchNorm(), Tanh(), Dense(3)],
    "LayerNorm": [Dense(5), LayerNorm(), Tanh(), Dense(3)],
    "penalties": [Dense(5, l1=0.1, l2=0.1, max_norm=1.0), Tanh(), Dense(3)],
}
X = np.random.default_rng(0).normal(size=(40, 6)) + 3
Y = X[:, :3] / 4
ROWS = {"dense": X, "sparse": sparse.csr_array(X * (X > 3))}
each_chain = pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
each_form = pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
each_value = pytest.mark.parametrize("value", BAD)


def network(layers, executor=None):
    return Network(layers, 6, seed=0, dtype=np.float64, executor=executor)


def places(theta):
    """The first weight, one of the last layer, and the last bias."""
    return 0, len(theta) - 5, len(theta) - 1


@each_chain
@each_value
def test_outputs_of_ruined_weights_are_not_finite_where_the_references_are(layers, value):
    for place in places(network(layers).theta):
        found = [ruined_outputs(layers, name, place, value) for name in ("compiled", "reference")]
        assert_array_equal(*map(np.isfinite, found))


def ruined_outputs(layers, executor, place, value):
    made = network(layers, executor)
    made.theta[place] = value
    with np.errstate(invalid="ignore", over="ignore"):
        return made.outputs(X)


@each_chain
@each_form
@each_value
def test_ruined_weights_end_training_with_a_sentence(layers, rows, value):
    """Whatever is dropped in the first step; what is left stays as it was."""
    made = network(layers)
    made.theta[-1] = value
    with pytest.raises(DivergedError, match=r"diverged in epoch 0, step 0: the .* is not finite"):
        train(made, rows, Y, loss=SquaredError(), batch_size=20, epochs=3, progress=False)


@each_chain
@each_form
@each_value
@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), Adam()], ids=["momentum", "adam"])
def test_ruined_moments_end_training_with_a_sentence(layers, rows, value, optimizer):
    made = network(layers)
    settings = {"loss": SquaredError(), "optimizer": optimizer, "batch_size": 20, "epochs": 50}
    training = Training(made, rows, Y, **settings)
    training.advance(1)
    training.optimizer_state[0][-1] = value
    with pytest.raises(DivergedError, match="training diverged in epoch"):
        training.finish()
    assert np.isfinite(made.theta).all()


@each_chain
@each_form
def test_draws_of_ruined_weights_come_without_a_word(layers, rows):
    made = network([*layers, Dropout(0.5)])
    made.theta[:] = np.resize([*BAD, 1.0], made.theta.shape)
    for share in (None, "batch"):
        draws = made.sample(rows, 3, share=share)
        assert draws.shape == (3, 40, 3)
        assert not np.isfinite(draws).all()


@each_value
@pytest.mark.parametrize("setting", ["learning_rate", "rate", "l2"])
def test_settings_that_are_not_finite_are_refused_on_the_way(setting, value):
    training = Training(network([Dense(5, l2=0.1), Dropout(0.5), Dense(3)]), X, Y, epochs=3)
    training.advance(1)
    with pytest.raises(ValueError, match=r"must be .*, got -?(nan|inf)"):
        training.change(setting, value)


class Ruins:
    """A callback that writes to what training works on."""

    def __init__(self, where, value):
        self.where, self.value = where, value

    def on_step_end(self, training):
        if training.t == 2:
            getattr(training.network, self.where)[-1] = self.value


@each_value
@pytest.mark.parametrize("where", ["theta", "state"])
@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_what_a_callback_ruins_ends_training_or_is_learned_away(where, value, clip_norm):
    made = network(LAYERS["BatchNorm"])
    settings = {"loss": SquaredError(), "epochs": 5, "batch_size": 20, "clip_norm": clip_norm}
    training = Training(made, X, Y, callbacks=[Ruins(where, value)], clean_rows=0, **settings)
    if where == "theta":
        with pytest.raises(DivergedError, match="training diverged in epoch 1, step 2"):
            training.finish()
    else:
        training.finish()
    assert np.isfinite(made.theta).all()
