"""With a mask shared by the batch, what is absent from a step stays as it was, to the bit."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import (
    GELU,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AlphaDropout,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    Identity,
    LayerNorm,
    Network,
    ReLU,
    RMSprop,
    Run,
    Sigmoid,
    Softmax,
    SquaredError,
    Tanh,
    keep_mask,
    train,
)
from thinnet.layers import Shapes
from thinnet.optimizers import update

OPTIMIZERS = [
    SGD(0.1),
    SGD(0.1, momentum=0.9),
    SGD(0.1, momentum=0.9, nesterov=True),
    Adagrad(0.1),
    RMSprop(0.1),
    Adam(0.1),
    AdamW(0.1, weight_decay=0.3),
]
SEED = 12
upstream_is_meant = pytest.mark.filterwarnings("ignore:dropout stands upstream")


def shared(rate, **settings):
    return Dropout(rate, share="batch", **settings)


def kept(ordinal, step, units, rate):
    """The shared mask, from the public function."""
    drawn = keep_mask(seed=SEED, layer=ordinal, step=step, share="batch", units=units, rate=rate)
    return drawn[0]


def q(rate):
    return 1 - round(rate * 65536) / 65536


def pieces(network, flat):
    """A flat vector as one list of arrays per layer, in the shapes of its parameters."""
    start, out = 0, []
    for site in network.sites:
        out.append([])
        for w in site.p:
            out[-1].append(flat[start : start + w.size].reshape(w.shape))
            start += w.size
    assert start == flat.size
    return out


def build(layers, features, **settings):
    return Network(layers, features, seed=SEED, dtype=np.float64, **settings)


def presence_of(layers, features, step=0):
    """Per layer, which entries are kept and how probable that is."""
    network = build(layers, features)
    found = network.presence(Run.train(step))
    return pieces(network, found.kept), pieces(network, found.probability)


def chain(**dense):
    return [
        shared(0.3),
        Dense(8, **dense),
        BatchNorm(),
        ReLU(),
        shared(0.5),
        Dense(7, **dense),
        Tanh(),
        shared(0.4),
        Dense(3, **dense),
    ]


def chain_presence(step):
    """What `chain` keeps on 5 features, written out by hand: flat, and that of BatchNorm."""
    x, h, g = kept(0, step, 5, 0.3), kept(1, step, 8, 0.5), kept(2, step, 7, 0.4)
    out = np.ones(3, bool)
    parts = [np.outer(h, x), h, h, h, np.outer(g, h), g, np.outer(out, g), out]
    return np.concatenate([part.ravel() for part in parts]), h


class Film:
    """Remembers everything that a step may change."""

    def __init__(self, network):
        self.frames, self.network = [], network

    def on_step_end(self, training):
        norms = [s.s for s in self.network.sites if s.s]
        self.frames.append(
            (
                self.network.theta.copy(),
                [part.copy() for part in training.optimizer_state],
                [part.copy() for state in norms for part in state],
            )
        )


def filmed(network, optimizer, epochs, rng):
    """One frame for each of `epochs` steps, all rows in each."""
    film, x, y = Film(network), rng.normal(size=(20, 5)), rng.normal(size=(20, 3))
    train(
        network,
        x,
        y,
        loss=SquaredError(),
        optimizer=optimizer,
        epochs=epochs,
        batch_size=None,
        clean_rows=0,
        callbacks=[film],
        progress=False,
    )
    return film.frames


@upstream_is_meant
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_what_is_absent_from_a_step_is_bit_identical_after_it(optimizer, rng):
    network = build(chain(l1=0.01, l2=0.02, bias_l1=0.01, bias_l2=0.03), 5)
    frames = filmed(network, optimizer, 6, rng)
    for step in range(1, 6):
        (theta, state, norm), (new_theta, new_state, new_norm) = frames[step - 1 : step + 1]
        here, units = chain_presence(step)
        assert not here.all()
        assert not units.all()
        assert_array_equal(new_theta[~here], theta[~here])
        for old, new in zip(state, new_state, strict=True):
            assert_array_equal(new[~here], old[~here])
        for old, new in zip(norm, new_norm, strict=True):
            assert_array_equal(new[~units], old[~units])
            assert (new[units] != old[units]).all()
        assert (new_theta[here] != theta[here]).mean() > 0.8


@upstream_is_meant
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_the_max_norm_of_a_step_leaves_absent_units_bit_identical(optimizer, rng):
    network = build(chain(max_norm=0.3), 5)  # the first weights are longer than that
    before = network.theta.copy()
    for step, (theta, _, _) in enumerate(filmed(network, optimizer, 6, rng)):
        h, g = kept(1, step, 8, 0.5), kept(2, step, 7, 0.4)
        old, new = pieces(network, before), pieces(network, theta)
        for layer, units in ((1, h), (5, g)):
            assert_array_equal(new[layer][0][~units], old[layer][0][~units])
            assert_array_equal(new[layer][1][~units], old[layer][1][~units])
        before = theta


@upstream_is_meant
def test_max_norm_takes_the_whole_row_of_a_kept_unit(rng):
    network = build(chain(max_norm=0.3), 5)
    filmed(network, SGD(0.1), 1, rng)
    lengths = np.linalg.norm(network.sites[5].p.W, axis=1)
    assert (lengths[kept(2, 0, 7, 0.4)] <= 0.3 * (1 + 1e-12)).all()


@upstream_is_meant
@pytest.mark.parametrize("step", [0, 1, 7, 2**32 - 1])
def test_a_weight_is_present_where_its_unit_and_its_input_are_kept(step):
    found = build(chain(), 5).presence(Run.train(step))
    assert_array_equal(found.kept, chain_presence(step)[0])


@upstream_is_meant
def test_the_probability_of_a_weight_is_that_of_its_input_times_that_of_its_unit():
    _, probability = presence_of(chain(), 5)
    x, h, g = q(0.3), q(0.5), q(0.4)
    expected = {1: [h * x, h], 2: [h, h], 5: [g * h, g], 8: [g, 1]}
    for layer, values in expected.items():
        for found, value in zip(probability[layer], values, strict=True):
            assert_allclose(found, value, rtol=1e-15)


@pytest.mark.parametrize(
    "layers",
    [[Dense(2)], [Dropout(0.5), Dense(2)], [Dense(4), Dropout(0.5), Dense(2)]],
    ids=str,
)
def test_everything_is_present_where_no_mask_is_shared(layers):
    assert build(layers, 3).presence(Run.train(0)) is None


@pytest.mark.parametrize("between", [ReLU(), Tanh(), GELU(), Identity(), Dropout(0.5)], ids=str)
def test_a_dropped_unit_stays_absent_through_what_maps_zero_to_zero(between):
    (_, _, _, (W, b)), _ = presence_of([Dense(16), shared(0.5), between, Dense(4)], 3)
    assert_array_equal(W, np.broadcast_to(kept(0, 0, 16, 0.5), (4, 16)))
    assert b.all()


@pytest.mark.parametrize("between", [Sigmoid(), Softmax(), LayerNorm(), AlphaDropout(0.5)], ids=str)
def test_an_input_that_leaves_its_layer_above_zero_is_present(between):
    found, _ = presence_of([Dense(16), shared(0.5), between, Dense(4)], 3)
    assert found[3][0].all()
    units = kept(0, 0, 16, 0.5)
    assert_array_equal(found[0][0], np.broadcast_to(units[:, None], (16, 3)))


@pytest.mark.parametrize("between", [BatchNorm(), Sigmoid(), ReLU(), GaussianDropout(0.2)], ids=str)
@upstream_is_meant
def test_a_unit_dropped_behind_a_unitwise_layer_is_absent(between):
    found, _ = presence_of([Dense(16), between, shared(0.5), Dense(4)], 3)
    units = kept(1 if isinstance(between, GaussianDropout) else 0, 0, 16, 0.5)
    assert_array_equal(found[0][0], np.broadcast_to(units[:, None], (16, 3)))
    assert_array_equal(found[0][1], units)
    for part in found[1]:
        assert_array_equal(part, units)


@pytest.mark.parametrize("between", [LayerNorm(), Softmax()], ids=str)
def test_a_unit_that_others_are_normalised_with_is_present(between):
    found, _ = presence_of([Dense(16), between, shared(0.5), Dense(4)], 3)
    assert all(part.all() for part in found[0])
    units = kept(0, 0, 16, 0.5)
    for part in found[1]:
        assert_array_equal(part, units)
    assert_array_equal(found[3][0], np.broadcast_to(units, (4, 16)))


def test_a_unit_under_two_shared_dropouts_is_present_where_both_keep_it():
    found, probability = presence_of([Dense(32), shared(0.5), ReLU(), shared(0.25), Dense(4)], 3)
    both = kept(0, 0, 32, 0.5) & kept(1, 0, 32, 0.25)
    assert_array_equal(found[0][1], both)
    assert_array_equal(found[4][0], np.broadcast_to(both, (4, 32)))
    assert_allclose(probability[0][1], 0.5 * 0.75, rtol=1e-15)


def test_channels_dropped_before_flatten_are_absent_inputs_behind_it():
    found, probability = presence_of([shared(0.5, share_axes=(0,)), Flatten(), Dense(2)], (3, 8))
    channels = np.broadcast_to(kept(0, 0, 8, 0.5), (2, 3, 8)).reshape(2, 24)
    assert_array_equal(found[2][0], channels)
    assert_allclose(probability[2][0], 0.5)


def test_the_weights_of_drop_connect_are_present_as_those_of_dense_are():
    found, _ = presence_of([shared(0.4), DropConnect(Dense(8), 0.5), shared(0.5), Dense(2)], 6)
    x, h = kept(0, 0, 6, 0.4), kept(2, 0, 8, 0.5)
    assert_array_equal(found[1][0], np.outer(h, x))
    assert_array_equal(found[1][1], h)


def test_at_rate_one_no_unit_is_present_and_at_rate_zero_all_are():
    for rate, expected in ((0.0, True), (1.0, False)):
        found, probability = presence_of([Dense(8), shared(rate), Dense(4)], 3)
        assert (found[0][0] == expected).all()
        assert (probability[0][0] == expected).all()


@dataclass(frozen=True, slots=True)
class Times:
    """``y = factor * x``, a user's layer."""

    factor: float
    unitwise: ClassVar[bool] = True

    def shapes(self, features):
        return Shapes(features)

    def forward(self, site, x, run):
        return self.factor * x, None

    def backward(self, site, cache, dy):
        return self.factor * dy


def take_first_step(network, x, y, optimizer, clip_norm):
    train(
        network,
        x,
        y,
        loss=SquaredError(),
        optimizer=optimizer,
        epochs=1,
        batch_size=None,
        clean_rows=0,
        clip_norm=clip_norm,
        progress=False,
    )


@upstream_is_meant
@pytest.mark.parametrize("clip_norm", [None, 0.05])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_first_step_is_that_of_the_smaller_network_of_kept_units(optimizer, clip_norm, rng):
    penalties = {"l1": 0.01, "l2": 0.02, "bias_l2": 0.03, "max_norm": 50.0}
    big = build(chain(**penalties), 5)
    big.theta[:] = rng.normal(size=big.theta.size)
    here, units = chain_presence(0)
    inputs, hidden = kept(0, 0, 5, 0.3), kept(2, 0, 7, 0.4)
    small = build(
        [
            Times(1 / q(0.3)),
            Dense(int(units.sum()), **penalties),
            BatchNorm(),
            ReLU(),
            Times(1 / q(0.5)),
            Dense(int(hidden.sum()), **penalties),
            Tanh(),
            Times(1 / q(0.4)),
            Dense(3, **penalties),
        ],
        int(inputs.sum()),
    )
    small.theta[:] = big.theta[here]
    x, y = rng.normal(size=(20, 5)), rng.normal(size=(20, 3))
    before = big.theta.copy()
    take_first_step(big, x, y, optimizer, clip_norm)
    take_first_step(small, x[:, inputs], y, optimizer, clip_norm)
    # Dense's bias before BatchNorm has no gradient but rounding's and the penalty's.
    assert_allclose(big.theta[here], small.theta, rtol=1e-9, atol=1e-11)
    assert_array_equal(big.theta[~here], before[~here])
    for large, little in zip(big.sites[2].s, small.sites[2].s, strict=True):
        assert_allclose(large[units], little, rtol=1e-12)


def test_adam_corrects_by_the_expected_number_of_steps_that_an_entry_was_present():
    layers = [shared(0.3), Dense(8), shared(0.5), Dense(2)]
    network, step = build(layers, 5), 9
    presence = network.presence(Run.train(step))
    optimizer, theta = Adam(0.1), network.theta.copy()
    gradient, state = np.full_like(theta, 3.0), optimizer.start(theta)
    update(optimizer, theta, gradient, state, step, 0.1, presence)
    (_, (W, _), _, _), (_, (W_kept, _), _, _) = (
        pieces(network, theta - network.theta),
        pieces(network, presence.kept),
    )
    t = 1 + step * q(0.3) * q(0.5)
    first, second = 0.1 * 3 / (1 - 0.9**t), 0.001 * 9 / (1 - 0.999**t)
    assert_allclose(W[W_kept], -0.1 * first / (math.sqrt(second) + 1e-8), rtol=1e-9)
    assert (W[~W_kept] == 0).all()


@pytest.mark.parametrize("optimizer", [Adam(0.1), AdamW(0.1, weight_decay=0.0)], ids=str)
def test_the_first_step_of_a_present_entry_is_one_learning_rate_long(optimizer, rng):
    network = build([Dense(8), shared(0.5), Dense(2)], 5)
    presence = network.presence(Run.train(0))
    theta, gradient = network.theta.copy(), rng.normal(size=network.theta.size)
    update(optimizer, theta, gradient, optimizer.start(theta), 0, 0.1, presence)
    assert_allclose(np.abs(theta - network.theta), 0.1 * presence.kept, atol=1e-7)


def test_a_batch_norm_over_many_axes_is_as_probable_as_any_of_its_units(untyped):
    layers = [LayerNorm(), BatchNorm(axis=-1), shared(0.5), Flatten(), Dense(2)]
    network, n_steps, hits = build(layers, (3, 4)), 400, np.zeros(4)
    for step in range(n_steps):
        gamma, _ = pieces(network, network.presence(Run.train(step)).kept)[1]
        hits += gamma
    gamma, _ = pieces(network, network.presence(Run.train(0)).probability)[1]
    # 1600 draws: a wrong probability of 1/2 for 7/8 stands 30 standard deviations away.
    spread = math.sqrt(7 / 8 * 1 / 8 / (4 * n_steps))
    assert abs(hits.mean() / n_steps - gamma.mean()) < 5 * spread


def test_a_unit_that_shares_its_batch_norm_with_kept_units_is_present():
    layers = [LayerNorm(), BatchNorm(axis=-1), shared(0.5), Flatten(), Dense(2)]
    found, _ = presence_of(layers, (3, 4))
    assert all(part.all() for part in found[0])  # its value moves the others' mean


def test_a_first_step_depends_on_no_absent_unit(rng):
    """Whatever absent parameters hold, the present ones take the same step."""
    x, y = rng.normal(size=(20, 5)), rng.normal(size=(20, 3))
    ends = []
    for filling in (0.0, 100.0):
        network = build([Dense(8), BatchNorm(), ReLU(), shared(0.5), Dense(3)], 5)
        here = network.presence(Run.train(0)).kept
        network.theta[~here] = filling
        take_first_step(network, x, y, Adam(0.1), None)
        ends.append(network.theta[here])
    assert_array_equal(*ends)
