"""Compiled code writes nothing outside its memory, and what stands behind it changes no result."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from random_networks import Problem, problems, thin_chains, trained
from trying import given_few_or_many

from thinnet import Dense, Dropout, ReLU, SoftmaxCrossEntropy
from thinnet.engine import lowering
from thinnet.engine.tables import Work
from thinnet.optimizers import SGD

# The engine's own; the others belong to the network, its optimiser, the data or the caller.
OWN = {
    "operations", "votes", "maps", "widths", "seen", "activations", "slopes", "statistics",
    "row_loss", "ones", "every", "present", "index", "count", "chance", "scratch", "drawn",
    "samples", "bits", "stages", "instructions", "tasks", "squares", "shared",
}  # fmt: skip
AROUND = 4096  # bytes


class Guards:
    """Memory with bytes around it that nobody may change."""

    def __init__(self, fill):
        self.fill, self.rooms = fill, []

    def copied(self, name, values):
        room = np.full(values.nbytes + 2 * AROUND, self.fill, np.uint8)
        inside = room[AROUND : AROUND + values.nbytes].view(values.dtype).reshape(values.shape)
        inside[...] = values
        self.rooms.append((name, room))
        return inside

    def assert_untouched(self):
        for name, room in self.rooms:
            around = np.concatenate([room[:AROUND], room[-AROUND:]])
            assert (around == self.fill).all(), name


def guarded(function, fill):
    """The result of a function whose compiled code works in guarded memory."""
    guards, put = Guards(fill), Work.put

    def surrounded(work, arrays):
        own = {
            name: guards.copied(name, values) if name in OWN and values is not None else values
            for name, values in arrays.items()
        }
        put(work, own)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Work, "put", surrounded)
        found = function()
    assert guards.rooms
    guards.assert_untouched()
    return found


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
        patch.setattr(lowering, "WORTH_THINNING", 1)
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
