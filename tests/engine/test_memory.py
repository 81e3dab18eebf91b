"""Compiled code writes nothing outside its memory, and what stands behind it changes no result."""

import ctypes

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from random_networks import Problem, problems, thin_chains, trained
from trying import given_few_or_many

from thinnet import Dense, Dropout, Network, ReLU, SoftmaxCrossEntropy
from thinnet.engine import launch, records, thinning, workspace
from thinnet.optimizers import SGD

AROUND = 4096  # bytes


class Guards:
    """Stands between compiled code and its memory, with bytes around that nobody may change.

    Whatever the record points to is copied between guards for a call, and back after it.  All
    addresses come from one function, which is asked which arrays they are of.
    """

    def __init__(self, fill):
        self.fill, self.known, self.calls = fill, {}, 0

    def address(self, values, of=workspace.address):
        self.known[of(values)] = values  # kept alive, so that no other array comes to lie there
        return of(values)

    def run_team(self, size, function, n_rounds, record, like, run=launch.run_team):
        self.calls += 1
        rooms = {place: self._room(self.known[place]) for place in self._places(record).values()}
        guarded = self._room(record)
        for name, place in self._places(record).items():
            self._inside(guarded, record)[name] = rooms[place].ctypes.data + AROUND
        run(size, function, n_rounds, self._inside(guarded, record), like)
        for name, place in self._places(record).items():
            self._check(name, rooms[place])
        self._check("the record", guarded)
        for place, room in rooms.items():
            self._give_back(room, self.known[place])

    def _places(self, record):
        return {name: int(record[name][0]) for name in records.PLACES if record[name][0]}

    def _room(self, values):
        room = np.full(values.nbytes + 2 * AROUND, self.fill, np.uint8)
        self._inside(room, values)[...] = values
        return room

    def _inside(self, room, like):
        return room[AROUND : AROUND + like.nbytes].view(like.dtype).reshape(like.shape)

    def _check(self, name, room):
        around = np.concatenate([room[:AROUND], room[-AROUND:]])
        assert (around == self.fill).all(), name

    def _give_back(self, room, values):
        """What only reads may have been lent memory that can't be written to."""
        found = self._inside(room, values)
        if found.tobytes() != values.tobytes():
            values[...] = found


def guarded(function, fill):
    """The result of a function whose compiled code works in guarded memory."""
    guards = Guards(fill)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "address", guards.address)
        patch.setattr(launch, "run_team", guards.run_team)
        found = function()
    assert guards.calls
    return found


@pytest.mark.parametrize("name", ["theta", "activations", "shared", "outputs"])
@pytest.mark.parametrize("beyond", [False, True])
def test_a_byte_beside_any_array_of_compiled_code_is_seen(name, beyond, monkeypatch):
    def spills(me, size, n_rounds, record, like):
        end = values[name].nbytes if beyond else -1
        ctypes.memset(int(record[name][0]) + end, 0x77, 1)

    values, put = {}, workspace.Workspace.put
    monkeypatch.setattr(workspace.Workspace, "put", lambda w, a: (values.update(a), put(w, a))[1])
    monkeypatch.setattr(launch, "drive", spills)
    network = Network([Dense(3)], 5, seed=0)
    with pytest.raises(AssertionError, match=name):
        guarded(lambda: network.outputs(np.ones((40, 5), np.float32)), 0)


def assert_keeps_to_its_memory(problem):
    plain = trained(problem)
    for fill in (0x00, 0xFF):
        found = guarded(lambda: trained(problem), fill)
        assert_array_equal(found.network.theta, plain.network.theta)
        assert_array_equal(found.network.state, plain.network.state)


@given_few_or_many(12, 40, problems())
def test_training_keeps_to_its_memory(problem):
    assert_keeps_to_its_memory(problem)


@given_few_or_many(12, 40, problems(chains=thin_chains, dtype=np.float32))
def test_thinned_training_keeps_to_its_memory(problem):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thinning, "WORTH_THINNING", 1)
        assert_keeps_to_its_memory(problem)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("share", [None, "batch"])
@pytest.mark.parametrize("width", [1, 39, 40, 63, 64, 65, 257, 520])
def test_layers_around_the_widths_of_vectors_keep_to_their_memory(width, share):
    layers = [Dropout(0.2, share=share), Dense(width), ReLU(), Dropout(0.3, share=share), Dense(3)]
    problem = Problem(
        layers, width, SoftmaxCrossEntropy(), SGD(0.01), 150, 130, weighted=True, dtype=np.float32
    )
    assert_keeps_to_its_memory(problem)
    network, (X, _) = problem.network(), problem.data()
    for call in (
        lambda: network.outputs(X),
        lambda: network.outputs(X[:1]),
        lambda: network.sample(X, 2),
        lambda: network.sample(X, 2, share=None),
    ):
        network.predictors.clear()
        wanted = call()
        network.predictors.clear()
        assert_array_equal(guarded(call, 0xFF), wanted)
