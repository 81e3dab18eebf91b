"""The passes of a network: what they give, what they may change, what they take."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_networks import small

from thinnet import (
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianNoise,
    LayerNorm,
    ReLU,
    Run,
    StaleCacheError,
    Tanh,
)


def learned(network, x, batches=3):
    """Run a few learning passes, so that running statistics are not what they started as."""
    for _ in range(batches):
        network.forward(x, Run.train(0))
    return network


def test_outputs_are_those_of_the_formula(rng):
    network = small([Dense(8), Tanh(), Dense(3)])
    (W, b), _, (V, c) = (site.p for site in network.sites)
    x = rng.normal(size=(5, 4))
    assert_allclose(network.outputs(x), np.tanh(x @ W.T + b) @ V.T + c, rtol=1e-13)


PASSES = {
    "predict": Run.predict(),
    "sample": Run.sample(3),
    "sample shared": Run.sample(3, share="batch"),
}


@pytest.mark.parametrize("run", PASSES.values(), ids=PASSES)
def test_a_pass_that_does_not_learn_writes_no_state(run, rng):
    x = rng.normal(size=(6, 4))
    network = learned(small(), x)
    theta, state = network.theta.copy(), network.state.copy()
    for _ in range(3):
        y, cache = network.forward(x + 5, run)
        network.backward(cache, y)
    assert_array_equal(network.state, state)
    assert_array_equal(network.theta, theta)


@pytest.mark.parametrize("share", ["batch", None])
def test_outputs_and_samples_leave_a_network_bit_identical(share, rng):
    x = rng.normal(size=(6, 4))
    network = learned(small(), x)
    before = [part.copy() for part in network.vectors]
    network.outputs(x + 5)
    network.sample(x + 5, 4, share=share)
    for old, new in zip(before, network.vectors, strict=True):
        assert_array_equal(new, old)
    assert (network.clock.step, network.clock.epoch) == (0, 0)


def test_a_learning_pass_writes_state_and_no_parameter(rng):
    network = small()
    theta, state = network.theta.copy(), network.state.copy()
    network.forward(rng.normal(size=(6, 4)), Run.train(0))
    assert_array_equal(network.theta, theta)
    assert (network.state != state).all()


@pytest.mark.parametrize("run", [Run.train(2), *PASSES.values()], ids=["train", *PASSES])
def test_backward_writes_and_never_adds(run, rng):
    layers = [Dense(8), BatchNorm(), LayerNorm(), ReLU(), DropConnect(Dense(6), 0.3), Dense(3)]
    network, x, dy = small(layers), rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
    _, cache = network.forward(x, run)
    network.backward(cache, dy)
    once = network.gradient.copy()
    network.gradient[:] = 1e9
    network.backward(cache, dy)
    assert_array_equal(network.gradient, once)


def test_backward_changes_neither_parameters_nor_its_arguments(rng):
    network, x, dy = small(), rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
    before = x.copy(), dy.copy(), network.theta.copy()
    _, cache = network.forward(x, Run.train(0))
    network.backward(cache, dy)
    for old, new in zip(before, (x, dy, network.theta), strict=True):
        assert_array_equal(new, old)


@pytest.mark.parametrize("in_between", ["forward", "outputs", "sample"])
def test_the_cache_of_an_older_pass_is_refused(in_between, rng):
    network, x = small(executor="reference"), rng.normal(size=(6, 4))
    y, cache = network.forward(x, Run.train(0))
    {
        "forward": lambda: network.forward(x, Run.predict()),
        "outputs": lambda: network.outputs(x),
        "sample": lambda: network.sample(x, 1),
    }[in_between]()
    with pytest.raises(
        StaleCacheError, match=r"latest forward pass, number \d+, got .* number \d+"
    ):
        network.backward(cache, y)


def test_the_cache_of_another_network_is_refused(rng):
    one, other, x = small(seed=1), small(seed=2), rng.normal(size=(6, 4))
    y, cache = one.forward(x, Run.train(0))
    other.forward(x, Run.train(0))
    with pytest.raises(StaleCacheError):
        other.backward(cache, y)


def test_outputs_are_copies_that_nothing_else_sees(rng):
    network, x = small(), rng.normal(size=(6, 4))
    first = network.outputs(x)
    kept = first.copy()
    collected = [network.outputs(x + i) for i in range(3)]
    first[:] = 99
    assert_array_equal(network.outputs(x), kept)
    assert_array_equal(collected[0], kept)
    assert len({part.tobytes() for part in collected}) == 3


def test_outputs_of_layers_that_pass_rows_through_are_no_view_of_the_input(rng):
    x = rng.normal(size=(6, 4))
    for layers in ([Dropout(0.5)], [Flatten()], [GaussianNoise(0.1)]):
        y = small(layers).outputs(x)
        assert_array_equal(y, x)
        assert not np.shares_memory(x, y)


def test_masks_are_copies_that_can_be_written_to():
    network = small([Dropout(0.5, share="batch"), Dense(1)], 16)
    masks = network.masks(step=0, samples=range(3))[0]
    before = masks.copy()
    masks[0] = False
    assert_array_equal(masks[1:], before[1:])
    assert_array_equal(network.masks(step=0, samples=range(3))[0], before)


@pytest.mark.parametrize("ids", [[1], [1, 2, 3, 4], []])
def test_a_pass_needs_an_id_for_each_row(ids):
    with pytest.raises(
        ValueError, match=rf"^samples must name each of the 3 rows, got {len(ids)} ids"
    ):
        small().forward(np.zeros((3, 4)), Run.train(0, ids))


def test_a_gradient_of_the_wrong_shape_is_refused(untyped):
    network = small()
    _, cache = network.forward(np.ones((5, 4)) * np.arange(5)[:, None], Run.train(0))
    with pytest.raises(ValueError, match=r"\(5, 3\).*got \(5, 1\)"):
        network.backward(cache, np.ones((5, 1)))
