"""Masks: known answers, an independent oracle, borders, and what thinnet.dropout makes of them."""

import json

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from paths import VECTORS

from thinnet import (
    AlphaDropout,
    Dense,
    DropConnect,
    Dropout,
    Network,
    ReLU,
    Run,
    dropout,
    keep_mask,
    train,
)
from thinnet.masks import keep_probability, threshold
from thinnet.schedules import Linear

VECTORS = json.loads((VECTORS / "mask_vectors.json").read_text())
PURPOSE_NAMES = {number: name for name, number in oracles.PURPOSES.items()}
SHARED = 2**32 - 1

seeds = st.integers(0, 2**64 - 1)
layers = st.integers(0, 2**24 - 1)
steps = st.integers(0, 2**32 - 1)
ids = st.integers(0, 2**32 - 2)
rates = st.one_of(st.floats(0, 1), st.sampled_from([0, 1, 0.0, 1.0, 2**-17, 1 - 2**-18, 1e-300]))


def settings_of(**changed):
    return {"seed": 1, "layer": 2, "step": 3, "samples": [4], "units": 16, "rate": 0.5} | changed


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['seed']}-{v['units']}-{v['rate']}")
def test_masks_are_the_known_answers(vector):
    shared = vector["samples"] == [SHARED]
    rows = {"share": "batch"} if shared else {"samples": vector["samples"]}
    found = keep_mask(
        seed=vector["seed"],
        purpose=PURPOSE_NAMES[vector["purpose"]],
        layer=vector["layer"],
        step=vector["step"],
        **rows,
        units=vector["units"],
        rate=vector["rate"],
    )
    assert ["".join(map(str, row)) for row in found.astype(int)] == vector["keep"]
    assert threshold(vector["rate"]) == vector["threshold"]


@given(
    seeds,
    st.sampled_from(sorted(oracles.PURPOSES)),
    layers,
    steps,
    st.lists(ids, min_size=1, max_size=4),
    st.integers(0, 30),
    rates,
)
def test_masks_are_those_of_the_plain_integer_oracle(
    seed, purpose, layer, step, samples, units, rate
):
    found = keep_mask(
        seed=seed,
        purpose=purpose,
        layer=layer,
        step=step,
        samples=samples,
        units=units,
        rate=rate,
    )
    assert_array_equal(found, oracles.keep_rows(seed, purpose, layer, step, samples, units, rate))


@given(seeds, steps, st.integers(1, 30), rates)
def test_the_shared_mask_is_that_of_the_reserved_sample(seed, step, units, rate):
    found = keep_mask(seed=seed, layer=0, step=step, share="batch", units=units, rate=rate)
    assert_array_equal(found, oracles.keep_rows(seed, "train", 0, step, [SHARED], units, rate))


def test_a_mask_far_out_in_a_wide_layer_is_that_of_the_oracle():
    found = keep_mask(**settings_of(units=200_003, samples=[9]))[0]
    for unit in (0, 7, 8, 131_071, 131_072, 200_000, 200_002):
        assert found[unit] == oracles.keep(1, "train", 2, 3, 9, unit, 0.5)


@given(st.permutations(range(8)), st.integers(0, 8))
def test_masks_are_the_same_after_permuting_and_splitting_a_batch(order, cut):
    whole = keep_mask(**settings_of(samples=range(8), units=40))
    parts = [
        keep_mask(**settings_of(samples=part, units=40))
        for part in (order[:cut], order[cut:])
        if part
    ]
    assert_array_equal(np.vstack(parts), whole[list(order)])


def test_a_sample_that_stands_twice_gets_one_mask():
    found = keep_mask(**settings_of(samples=[5, 6, 5], units=64))
    assert_array_equal(found[0], found[2])
    assert (found[0] != found[1]).any()


@given(rates, rates)
def test_what_is_kept_at_a_higher_rate_is_kept_at_a_lower_one(one, other):
    low, high = sorted((one, other))
    lower, higher = (keep_mask(**settings_of(units=500, rate=rate)) for rate in (low, high))
    assert (lower | ~higher).all()


def test_the_mask_of_fewer_units_is_the_start_of_that_of_more():
    wide = keep_mask(**settings_of(units=100))
    for units in (0, 1, 7, 8, 9, 99):
        assert_array_equal(keep_mask(**settings_of(units=units)), wide[:, :units])


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("seed", 0, 2**64 - 1),
        ("layer", 0, 2**24 - 1),
        ("step", 0, 2**32 - 1),
    ],
)
def test_a_coordinate_is_accepted_at_its_ends_and_refused_beyond_them(name, low, high):
    for good in (low, high):
        found = keep_mask(**settings_of(**{name: good}))
        where = settings_of(**{name: good})
        assert_array_equal(
            found,
            oracles.keep_rows(where["seed"], "train", where["layer"], where["step"], [4], 16, 0.5),
        )
    for bad in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"^{name} must be .*{high}, got {bad}$"):
            keep_mask(**settings_of(**{name: bad}))


def test_a_sample_is_accepted_at_its_ends_and_refused_beyond_them():
    ends = [0, 2**32 - 2]
    assert_array_equal(
        keep_mask(**settings_of(samples=ends)),
        oracles.keep_rows(1, "train", 2, 3, ends, 16, 0.5),
    )
    for bad in (-1, 2**32 - 1, 2**40):
        with pytest.raises(ValueError, match=rf"^samples must be .*renumber.*got {bad}$"):
            keep_mask(**settings_of(samples=[3, bad]))


@pytest.mark.parametrize("key", [2**63 - 1, 2**63, 2**64 - 1, 2**70])
def test_long_database_keys_are_refused_with_the_advice_to_renumber(key):
    with pytest.raises(ValueError, match=rf"^samples must be .*renumber.*got {key}$"):
        keep_mask(**settings_of(samples=[3, key]))


def test_units_may_be_as_many_as_there_are_unit_numbers():
    no_rows = settings_of(samples=np.zeros(0, int), rate=0.0)
    assert keep_mask(**no_rows | {"units": 2**32 - 1}).shape == (0, 2**32 - 1)
    for bad in (-1, 2**32):
        with pytest.raises(ValueError, match=f"^units must be .*, got {bad}$"):
            keep_mask(**no_rows | {"units": bad})


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("rows", "units"), [(0, 8), (3, 0), (0, 0)])
def test_no_rows_or_no_units_give_an_empty_mask(rows, units, rate):
    ids = np.arange(rows)
    assert keep_mask(**settings_of(samples=ids, units=units, rate=rate)).shape == (rows, units)


@pytest.mark.parametrize("rate", [-1e-9, 1 + 1e-9, 2, -0.5, np.nan, np.inf, -np.inf])
def test_a_rate_outside_the_unit_interval_is_refused(rate):
    with pytest.raises(ValueError, match=r"^rate must be a number in \[0, 1\], got "):
        keep_mask(**settings_of(rate=rate))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("seed", 1.0, "seed must be an integer"),
        ("seed", True, "seed must be an integer"),
        ("layer", "0", "layer must be an integer"),
        ("step", None, "step must be an integer"),
        ("units", 2.5, "units must be an integer"),
        ("rate", "0.5", r"rate must be a number in \[0, 1\]"),
        ("rate", True, r"rate must be a number in \[0, 1\]"),
        ("samples", "all", "samples must be a sequence of integers, got 'all'"),
        ("samples", [0.5], "samples must be a sequence of integers, got"),
        ("samples", [[0]], "samples must be a sequence of integers, got"),
        ("samples", 3, "samples must be a sequence of integers, got"),
        ("samples", ["a"], "samples must be a sequence of integers, got"),
        ("purpose", "test", "purpose must be 'train' or 'predict'"),
    ],
)
def test_a_coordinate_of_the_wrong_type_is_refused_by_name(name, value, message, untyped):
    with pytest.raises(ValueError, match=f"^{message}"):
        keep_mask(**settings_of(**{name: value}))


def test_the_threshold_rounds_half_to_even_and_stays_inside_its_borders():
    assert threshold(0.5) == 32768
    assert threshold(0.5 / 65536) == 1  # would round to 0
    assert threshold(2.5 / 65536) == 2
    assert threshold(3.5 / 65536) == 4
    assert threshold(65535.5 / 65536) == 65535
    assert (threshold(0), threshold(1)) == (0, 65536)
    assert threshold(5e-324) == 1


@given(st.floats(0, 1))
def test_the_keep_probability_is_a_whole_number_of_65536ths(rate):
    assert keep_probability(rate) * 65536 == 65536 - oracles.threshold(rate)


def test_exactly_the_keep_probability_of_all_draws_is_kept():
    """Over all 65,536 draws inverted dropout's expectation is exact, whatever the rate."""
    draws = np.arange(65536)
    for rate in (0.1, 0.3, 1 / 3, 0.999, 1e-7):
        q = keep_probability(rate)
        assert (draws >= threshold(rate)).mean() == q
        assert (dropout(np.ones((1, 64)), rate, seed=3, training=True) > 0).any() or q < 0.01
        kept_value = dropout(np.ones((999, 64)), rate, seed=3, training=True).max()
        assert kept_value * q == pytest.approx(1, rel=1e-15)


FLOATS = [np.float16, np.float32, np.float64, np.longdouble]


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 3), (5, 2, 1, 3), (0, 4), (4, 0), (1, 1)])
@pytest.mark.parametrize("given_rows", ["numbered", "ids", "batch"])
def test_dropout_divides_what_is_kept_and_zeroes_the_rest(dtype, shape, given_rows):
    x = (np.arange(np.prod(shape)).reshape(shape) + 1).astype(dtype)
    rows = list(range(shape[0]))
    ids = [7 * i + 2 for i in rows]
    named, coordinates = {
        "numbered": (rows, {}),
        "ids": (ids, {"samples": ids}),
        "batch": ([SHARED] * len(rows), {"share": "batch"}),
    }[given_rows]
    y = dropout(x, 0.25, seed=9, layer=4, step=5, **coordinates, training=True)
    keep = oracles.keep_rows(9, "train", 4, 5, named, int(np.prod(shape[1:])), 0.25)
    assert y.dtype == dtype
    assert y.shape == shape
    assert_array_equal(y, np.where(keep.reshape(shape), x / dtype(0.75), dtype(0)))


def test_dropout_takes_any_sequence_of_floats():
    y = dropout([[1.0, 2.0], [3.0, 4.0]], 0.5, seed=0, training=True)
    assert set(y.ravel()) <= {0.0, 2.0, 4.0, 6.0, 8.0}


def test_dropout_outside_training_is_a_copy(rng):
    x = rng.normal(size=(3, 4))
    y = dropout(x, 0.5, seed=0, training=False)
    assert_array_equal(x, y)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize("rate", [0, 0.0])
def test_dropout_at_rate_zero_is_the_identity(rate, rng):
    x = rng.normal(size=(3, 4))
    y = dropout(x, rate, seed=0, training=True)
    assert_array_equal(y, x)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize("rate", [1, 1.0])
def test_dropout_at_rate_one_gives_zeros(rate, rng):
    assert not dropout(rng.normal(size=(3, 4)), rate, seed=0, training=True).any()


def test_dropout_leaves_its_input_alone(rng):
    x = rng.normal(size=(30, 4))
    before = x.copy()
    dropout(x, 0.5, seed=0, training=True)
    assert_array_equal(x, before)


def test_a_dropped_infinity_is_zero_and_not_nan():
    y = dropout(np.full((1, 64), np.inf), 0.5, seed=0, training=True)
    assert set(y.ravel()) == {0.0, np.inf}


def test_training_must_be_stated():
    with pytest.raises(TypeError, match="training"):
        dropout(np.ones((2, 3)), 0.5, seed=0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": np.ones((2, 3), int)}, "the dtype of x must be a floating-point type"),
        ({"x": np.ones((2, 3), complex)}, "the dtype of x must be a floating-point type"),
        ({"x": np.float64(3)}, "x must be an array with at least one axis"),
        ({"rate": 1.5}, r"rate must be a number in \[0, 1\], got 1.5"),
        ({"rate": np.nan, "training": False}, r"rate must be a number in \[0, 1\], got nan"),
        ({"training": None}, "training must be True or False, got None"),
        ({"training": 1}, "training must be True or False, got 1"),
        ({"samples": [1]}, "samples must have as many rows as x, got 1 and 2"),
        ({"samples": [1, 2, 3]}, "samples must have as many rows as x, got 3 and 2"),
        ({"seed": -1}, "seed must be"),
        ({"layer": 2**24}, "layer must be"),
        ({"step": 2**32}, "step must be"),
    ],
)
def test_dropout_refuses_bad_settings_in_one_sentence(changed, message, untyped):
    arguments = {"x": np.ones((2, 3)), "rate": 0.5, "seed": 0, "training": True} | changed
    with pytest.raises(ValueError, match=f"^{message}"):
        dropout(**arguments)


# What network.masks says is what a pass did, also long after.

IDS = [31, 2, 77, 2]


def outputs_of(network, position, x, run):
    """What the layer at `position` gives in a pass."""
    for i in range(position + 1):
        x, _ = network.layers[i].forward(network.sites[i], x, run)
    return x


def trained(layers, rng):
    """Trained for six steps, so that clocks and weights have moved."""
    network = Network(layers, 6, seed=8, dtype=np.float64)
    train(
        network,
        rng.normal(size=(24, 6)),
        rng.integers(0, 3, size=24),
        epochs=2,
        batch_size=8,
        progress=False,
    )
    return network


@pytest.mark.parametrize("run", [Run.train(4, IDS), Run.sample(4, IDS)], ids=["train", "sample"])
@pytest.mark.parametrize(
    "layer",
    [
        Dropout(0.5),
        Dropout(0.5, scaling="classical"),
        Dropout(0.5, share="batch"),
        Dropout(Linear(0.1, 0.9, n_steps=10)),
        AlphaDropout(0.5),
        AlphaDropout(0.5, share="batch"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::thinnet.UnusedMaskWarning")
def test_masks_show_after_training_which_units_a_pass_dropped(layer, run, rng):
    network = trained([Dense(40), ReLU(), Dropout(0.2), Dense(50), layer, Dense(3)], rng)
    y = outputs_of(network, 4, rng.normal(size=(4, 6)), run)
    values, counts = np.unique(y, return_counts=True)
    dropped = values[counts.argmax()]  # 0, or alpha dropout's limit: the only value that recurs
    purpose = "train" if run.learns else "predict"
    masks = network.masks(step=4, samples=IDS, purpose=purpose)
    assert sorted(masks) == [0, 1]
    assert masks[1].shape == (4, 50)
    assert_array_equal(masks[1], y != dropped)
    assert not masks[1].all()


def test_masks_of_a_scheduled_rate_are_those_of_that_step():
    network = Network([Dropout(Linear(0.0, 1.0, n_steps=10)), Dense(1)], 1000, seed=0)
    shares = [network.masks(step=step, samples=[0])[0].mean() for step in (0, 5, 10, 99)]
    assert shares[0] == 1
    assert abs(shares[1] - 0.5) < 0.08  # five standard errors
    assert shares[2:] == [0, 0]


def test_a_mask_shared_along_axes_is_one_for_all_of_an_axis(rng):
    network = Network([Dropout(0.5, share_axes=(0, 1))], (3, 2, 16), seed=0, dtype=np.float64)
    x = rng.uniform(1, 2, size=(4, 3, 2, 16))
    y, _ = network.forward(x, Run.train(4, IDS))
    masks = network.masks(step=4, samples=IDS)[0]
    assert_array_equal(masks, y != 0)
    channels = oracles.keep_rows(0, "train", 0, 4, IDS, 16, 0.5)
    assert_array_equal(masks, np.broadcast_to(channels[:, None, None, :], (4, 3, 2, 16)))


@pytest.mark.parametrize("axes", [(1,), (-2,), (0, -1)], ids=str)
def test_units_are_numbered_along_the_axes_that_do_not_share(axes):
    network = Network([Dropout(0.5, share_axes=axes)], (3, 2, 4), seed=0)
    shape = [1 if i in {a % 3 for a in axes} else n for i, n in enumerate((3, 2, 4))]
    plain = oracles.keep_rows(0, "train", 0, 1, [6], int(np.prod(shape)), 0.5).reshape(1, *shape)
    assert_array_equal(network.masks(step=1, samples=[6])[0], np.broadcast_to(plain, (1, 3, 2, 4)))


@pytest.mark.parametrize("units", [1, 2, 5])
@pytest.mark.filterwarnings("ignore::thinnet.UnusedMaskWarning")
def test_masks_show_which_weights_drop_connect_dropped(units, rng):
    network = trained([Dense(7), DropConnect(Dense(units), 0.5), Dense(3)], rng)
    layer, site = network.layers[1], network.sites[1]
    seen, _ = layer.forward(site, np.eye(7), Run.train(9, range(7)))
    masks = network.masks(step=9, samples=[0, 1])
    assert_array_equal(masks[0], np.abs(seen - site.p.b).T > 1e-9)
    plain = oracles.keep_rows(8, "train", 0, 9, [SHARED], 7 * units, 0.5).reshape(units, 7)
    assert_array_equal(masks[0], plain)


def test_masks_of_shared_samples_are_those_of_a_shared_pass(rng):
    network = Network([Dropout(0.5), Dense(2)], 32, seed=5, dtype=np.float64)
    y, _ = network.layers[0].forward(
        network.sites[0], np.ones((3, 32)), Run.sample(2, share="batch")
    )
    masks = network.masks(step=2, share="batch", purpose="predict")[0]
    assert masks.shape == (1, 32)
    assert_array_equal(np.broadcast_to(masks, (3, 32)), y != 0)


def test_layers_that_can_draw_are_numbered_whatever_their_rate():
    network = Network(
        [Dropout(0.0), Dense(9), Dropout(0.0), Dense(16), Dropout(0.5), Dense(1)], 4, seed=1
    )
    plain = oracles.keep_rows(1, "train", 2, 3, [0, 1], 16, 0.5)
    assert_array_equal(network.masks(step=3, samples=[0, 1])[2], plain)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"purpose": "weights"}, "purpose must be 'train' or 'predict', got 'weights'"),
        ({"step": -1}, "step must be an integer from 0"),
        ({"step": 2**32}, "step must be an integer from 0"),
        ({"step": -1, "purpose": "predict"}, "must be an integer from 0"),
        ({"samples": [-1]}, "samples must be"),
    ],
)
def test_masks_refuse_bad_coordinates(changed, message, untyped):
    network = Network([Dropout(0.5), Dense(1)], 4, seed=1)
    with pytest.raises(ValueError, match=message):
        network.masks(**{"step": 0, "samples": [0]} | changed)


@settings(max_examples=25)
@given(st.permutations(range(6)), st.integers(1, 5))
def test_training_gradients_depend_on_no_order_and_no_split(order, cut):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(6, 4)), rng.normal(size=(6, 2))
    network = Network([Dense(8), ReLU(), Dropout(0.5), Dense(2)], 4, seed=3, dtype=np.float64)

    def gradient_of(rows):
        rows = list(rows)
        _, cache = network.forward(x[rows], Run.train(2, rows))
        network.backward(cache, dy[rows])
        return network.gradient.copy()

    whole = gradient_of(range(6))
    parts = gradient_of(order[:cut]) + gradient_of(order[cut:])
    assert_allclose(parts, whole, rtol=1e-9, atol=1e-12)


def test_a_unit_whose_draw_equals_the_threshold_is_kept():
    for unit in range(8):
        word = oracles.words(11, "train", 0, 0, 0, 0)[unit // 2]
        draw = word // 2**16 if unit % 2 else word % 2**16
        kept = [
            keep_mask(seed=11, layer=0, step=0, samples=[0], units=8, rate=rate / 65536)[0, unit]
            for rate in (draw - 1, draw, draw + 1)
        ]
        assert kept == [True, True, False]
