"""Weights that are written between two predictions, in whatever way: the next one follows them."""

import ctypes
import gc
import pickle
import threading
from functools import partial

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from trying import given_few_or_many

from thinnet import Dense, Dropout, MLPRegressor, Network, ReLU, SquaredError, Training, train
from thinnet.engine.panel_keeping import PATIENCE, Way

ROWS = np.random.default_rng(0).normal(size=(40, 33)).astype(np.float32)
TARGETS = ROWS[:, :2]


def a_network(executor=None):
    layers = [Dense(50), ReLU(), Dropout(0.5), Dense(19), ReLU(), Dense(2)]
    return Network(layers, 33, seed=1, executor=executor)


def keeps_panels(network):
    """Predict a row until panels are kept, if they ever are."""
    for _ in range(PATIENCE + 2):
        network.outputs(ROWS[:1])
    return network.predictors["predict", False][0]._panels.way(1) is Way.KEPT


def zeros_of_bytes(view):
    view = view.cast("B") if view.format != "B" else view
    return partial(view.__setitem__, slice(None), bytes(view.nbytes))


class Subclass(np.ndarray):
    pass


# From W, what sets all of it to zero later; it holds nothing else of W.
WAYS = {
    "the view": lambda W: partial(W.fill, 0),
    "transposed": lambda W: partial(W.T.fill, 0),
    "a view of views": lambda W: partial(W[:][1:, 2:].base[...].reshape(-1).fill, 0),
    "copyto": lambda W: partial(np.copyto, W, 0),
    "out": lambda W: partial(np.multiply, W, 0, out=W),
    "put": lambda W: partial(np.put, W, np.arange(W.size), 0),
    "subclass": lambda W: partial(W.view(Subclass).fill, 0),
    "base": lambda W: partial(W.base.fill, 0),
    "strided": lambda W: partial(np.lib.stride_tricks.as_strided(W).fill, 0),
    "memoryview": lambda W: zeros_of_bytes(memoryview(W)),
    "bytes": lambda W: partial(np.frombuffer(W, np.uint8).fill, 0),
    "pickle buffer": lambda W: zeros_of_bytes(pickle.PickleBuffer(W).raw()),
    "ctypes": lambda W: partial(
        ctypes.memset, (ctypes.c_char * W.nbytes).from_buffer(W), 0, W.nbytes
    ),
    "pointer": lambda W: partial(ctypes.memset, W.ctypes.data_as(ctypes.c_void_p), 0, W.nbytes),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_view_that_was_taken_before_is_written_through_later(way):
    network = a_network()
    write = way(network.sites[3].p.W)
    assert not keeps_panels(network)
    assert network.outputs(ROWS[:1]).any()
    write()
    for rows in (1, 2, 40):
        assert not network.outputs(ROWS[:rows]).any()
    del write
    assert keeps_panels(network)
    assert not network.outputs(ROWS[:1]).any()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_view_that_is_gone_was_written_through(way):
    network = a_network()
    assert keeps_panels(network)
    assert network.outputs(ROWS[:1]).any()
    way(network.sites[3].p.W)()
    for rows in (1, 2, 40):
        assert not network.outputs(ROWS[:rows]).any()


@pytest.mark.torch
def test_a_tensor_is_written_to_later():
    torch = pytest.importorskip("torch")
    network = a_network()
    tensor = torch.from_numpy(network.theta)
    network.outputs(ROWS)
    tensor.zero_()
    assert not network.outputs(ROWS[:1]).any()


def test_another_thread_writes():
    network = a_network()
    assert keeps_panels(network)
    thread = threading.Thread(target=lambda: network.theta.fill(0))
    thread.start()
    thread.join()
    assert not network.outputs(ROWS[:1]).any()


@pytest.mark.parametrize("executor", [None, "reference"])
def test_training_goes_on_between_predictions(executor):
    ours, fresh = a_network(), a_network("reference")
    training = Training(ours if executor is None else fresh, ROWS, TARGETS, loss=SquaredError())
    network = training.network
    for _ in range(3):
        before = network.outputs(ROWS[:1])
        assert executor or keeps_panels(network)
        training.advance(1)
        found = network.outputs(ROWS[:1])
        assert (found != before).any()
        assert_array_equal(found, pickle.loads(pickle.dumps(network)).outputs(ROWS[:1]))


def nothing_collected(function):
    """The result of a function; what only a collection of garbage would free stays."""
    gc.disable()
    try:
        return function()
    finally:
        gc.enable()


@pytest.mark.parametrize("settings", [{}, {"clip_norm": 1.0, "accumulate": 2}], ids=str)
def test_a_trained_network_keeps_panels_at_once(settings):
    network = a_network()
    nothing_collected(
        lambda: train(network, ROWS, TARGETS, loss=SquaredError(), epochs=2, **settings)
    )
    assert keeps_panels(network)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_estimators_weights_may_be_written_into_and_assigned(solver):
    model = MLPRegressor(hidden_layer_sizes=(20,), solver=solver, max_iter=3, random_state=0)
    nothing_collected(lambda: model.fit(ROWS, TARGETS))
    assert keeps_panels(model.network_)
    held = model.coefs_
    model.predict(ROWS[:1])
    held[0].fill(0)
    assert_array_equal(model.predict(ROWS[:1]), model.predict(ROWS[1:2]))
    del held
    model.predict(ROWS[:1])
    assert keeps_panels(model.network_)
    model.intercepts_[0], model.intercepts_[1] = np.zeros(20), np.zeros(2)
    assert not model.predict(ROWS[:1]).any()
    assert keeps_panels(model.network_)


class Twins:
    """A network, and another that gets its weights anew for each prediction."""

    def __init__(self):
        self.network, self.other = a_network(), a_network()
        self.weights, self.held = self.network.theta.copy(), []

    def predict(self, rows):
        self.other.theta[:] = self.weights
        self.other.predictors.clear()
        assert_array_equal(self.network.outputs(ROWS[:rows]), self.other.outputs(ROWS[:rows]))

    def sample(self, rows):
        self.other.theta[:] = self.weights
        self.other.predictors.clear()
        found = self.network.sample(ROWS[:rows], 2)
        assert_array_equal(found, self.other.sample(ROWS[:rows], 2))

    def hold(self, place):
        self.held.append(self.network.theta[place:])

    def drop(self, _):
        del self.held[:1]

    def write(self, place):
        self.network.theta[place] += 1
        self.weights[place] += 1

    def write_through_what_is_held(self, place):
        for view in self.held:
            view[-place - 1] -= 0.5
            self.weights[-place - 1] -= 0.5

    def copy(self, _):
        self.network, self.held = pickle.loads(pickle.dumps(self.network)), []

    def change(self, _):
        for network in (self.network, self.other):
            network.change("rate", 0.3)


ROW_COUNTS = st.sampled_from([1, 1, 1, 2, 3, 17, 40])
STEPS = st.one_of(
    st.tuples(st.just(Twins.predict), ROW_COUNTS),
    st.tuples(st.just(Twins.predict), ROW_COUNTS),
    st.tuples(st.just(Twins.sample), ROW_COUNTS),
    st.tuples(
        st.sampled_from(
            [
                Twins.hold,
                Twins.drop,
                Twins.write,
                Twins.write_through_what_is_held,
                Twins.copy,
                Twins.change,
            ]
        ),
        st.integers(0, 700),
    ),
)


@given_few_or_many(20, 400, st.lists(STEPS, min_size=8, max_size=30))
def test_every_prediction_is_that_of_the_weights_as_they_are(steps):
    twins = Twins()
    for step, argument in steps:
        step(twins, argument)
    twins.predict(1)


def test_large_rows_are_finite_though_their_squares_are_not():
    network = a_network()
    network.theta[:] = 0
    assert not network.outputs(np.full((1, 33), 3e38, np.float32)).any()
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match=r"X must be finite, got -?(nan|inf) in row 0, column"):
            network.outputs(np.where(np.arange(33) == 5, bad, 1.0)[None].astype(np.float32))
