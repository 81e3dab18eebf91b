"""Fixed masks: which pass uses which, and what their mean is."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thinnet
from thinnet import Dense, Dropout, FixedMasks, Network, ReLU, Run, SquaredError, keep_mask, train
from thinnet.network.summary import executor_text, has_random_masks

SEED, WIDTH = 11, 24
IDS = [0, 1, 2, 3, 4, 5, 2**32 - 2]


def alone(rate=0.4, n_masks=4, features=WIDTH):
    return Network([FixedMasks(rate, n_masks)], features, seed=SEED, dtype=np.float64)


def mask(number, rate=0.4, layer=0, units=WIDTH):
    """Mask `number`, from the public function."""
    return keep_mask(
        seed=SEED, layer=layer, step=number, share="batch", units=units, rate=rate,
        purpose="predict",
    )[0]  # fmt: skip


def q(rate):
    return 1 - round(rate * 65536) / 65536


@pytest.mark.parametrize("n_masks", [2, 3, 8])
@pytest.mark.parametrize("draw", [0, 1, 7, 8, 2**32 - 1])
@pytest.mark.parametrize("rows", [{"samples": IDS}, {"share": "batch"}], ids=["ids", "batch"])
def test_every_row_of_draw_d_has_mask_d_modulo_their_number(draw, n_masks, rows):
    y, _ = alone(n_masks=n_masks).forward(np.ones((7, WIDTH)), Run.sample(draw, **rows))
    assert_allclose(y, np.tile(mask(draw % n_masks) / q(0.4), (7, 1)), rtol=1e-15)


@pytest.mark.parametrize("n_masks", [2, 3, 8])
@pytest.mark.parametrize("step", [0, 5, 2**32 - 1])
def test_a_training_row_has_the_mask_of_its_id_plus_the_step(step, n_masks):
    y, _ = alone(n_masks=n_masks).forward(np.ones((7, WIDTH)), Run.train(step, IDS))
    for row, number in enumerate(IDS):
        expected = mask((number + step) % n_masks) / q(0.4)
        assert_allclose(y[row], expected, rtol=1e-15)


def test_rows_that_share_an_id_in_training_have_the_mask_of_the_step():
    for step in range(6):
        y, _ = alone().forward(np.ones((3, WIDTH)), Run.train(step, share="batch"))
        assert_array_equal(y != 0, np.tile(mask(step % 4), (3, 1)))


def test_rows_without_ids_are_numbered():
    named, _ = alone().forward(np.ones((5, WIDTH)), Run.train(3, range(5)))
    unnamed, _ = alone().forward(np.ones((5, WIDTH)), Run.train(3))
    assert_array_equal(named, unnamed)


def test_in_as_many_steps_as_there_are_masks_a_row_meets_every_mask_once():
    met = [alone().masks(step=step, samples=[9])[0][0] for step in range(17, 21)]
    expected = [mask(number) for number in range(4)]
    assert sorted(m.tobytes() for m in met) == sorted(m.tobytes() for m in expected)


def test_its_first_draws_are_those_of_dropout_in_its_place(rng):
    x = rng.normal(size=(3, 8))
    weights = Dense(WIDTH), ReLU(), Dense(2)
    chains = ([*weights[:2], noise, weights[2]] for noise in (FixedMasks(0.4, 5), Dropout(0.4)))
    fixed, drawn = (Network(chain, 8, seed=SEED, dtype=np.float64) for chain in chains)
    for run in (Run.sample(draw, share="batch") for draw in range(5)):
        assert_allclose(fixed.forward(x, run)[0], drawn.forward(x, run)[0], rtol=1e-12)


def test_its_masks_are_those_it_was_trained_with_whatever_seed_a_sample_takes(rng):
    x = rng.normal(size=(3, WIDTH))
    run = dataclasses.replace(Run.sample(1, share="batch"), seed=SEED + 1)
    assert_array_equal(alone().forward(x, run)[0], alone().forward(x, Run.sample(1))[0])


@pytest.mark.parametrize("share", ["batch", None])
def test_more_draws_than_masks_repeat_them(share, rng):
    network = Network([Dense(8), FixedMasks(0.5, 3), Dense(2)], 4, seed=SEED)
    drawn = network.sample(rng.normal(size=(5, 4)), 7, share=share, progress=False)
    assert_array_equal(drawn[3:6], drawn[:3])
    assert_array_equal(drawn[6], drawn[0])
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("n_masks", [2, 3, 5])
def test_for_a_linear_network_prediction_is_the_mean_over_the_masks(rate, n_masks, rng):
    layers = [Dense(WIDTH), FixedMasks(rate, n_masks), Dense(4), Dense(2)]
    network, x = Network(layers, 6, seed=SEED, dtype=np.float64), rng.normal(size=(5, 6))
    drawn = [network.forward(x, Run.sample(d))[0] for d in range(n_masks)]
    assert_allclose(np.mean(drawn, axis=0), network.outputs(x), rtol=1e-12, atol=1e-13)


def test_at_rate_zero_nothing_changes_and_at_rate_one_nothing_is_left(rng):
    x = rng.normal(size=(3, WIDTH))
    for run in (Run.train(1), Run.predict(), Run.sample(1)):
        assert_array_equal(alone(0.0).forward(x, run)[0], x)
        assert not alone(1.0).forward(x, run)[0].any()
    assert not has_random_masks(alone(0.0))
    assert has_random_masks(alone(0.4))


def test_masks_are_shown_as_they_were_used(rng):
    network = alone(features=(2, 12))
    shown = network.masks(step=6, samples=IDS)[0]
    y, _ = network.forward(np.ones((7, 2, 12)), Run.train(6, IDS))
    assert_array_equal(shown, y != 0)
    assert_array_equal(
        network.masks(step=6, samples=[3], purpose="predict")[0][0], mask(2).reshape(2, 12)
    )


def test_layers_and_seeds_have_masks_of_their_own():
    layers = [Dropout(0.0), FixedMasks(0.5), FixedMasks(0.5)]
    network = Network(layers, WIDTH, seed=SEED)
    shown = network.masks(step=0, share="batch", purpose="predict")
    assert_array_equal(shown[1][0], mask(0, 0.5, layer=1))
    assert_array_equal(shown[2][0], mask(0, 0.5, layer=2))
    other = Network(layers, WIDTH, seed=SEED + 1)
    assert (other.masks(step=0, share="batch", purpose="predict")[1] != shown[1]).any()


def test_backward_uses_the_masks_of_its_own_pass(rng):
    network = alone()
    for run in (Run.train(9, [5, 5, 2]), Run.predict(), Run.sample(3)):
        y, cache = network.forward(np.ones((3, WIDTH)), run)
        assert_array_equal(network.backward(cache, np.ones((3, WIDTH))), y)


def test_a_unit_that_no_mask_keeps_is_never_used():
    used = np.array([mask(number, 0.8) for number in range(4)]).any(axis=0)
    assert not used.all()
    assert_array_equal(alone(0.8).outputs(np.ones((1, WIDTH)))[0] > 0, used)


def test_a_saved_network_samples_the_same(tmp_path, rng):
    layers = [Dense(8), ReLU(), FixedMasks(0.3, n_masks=3), Dense(2)]
    network, x = Network(layers, 4, seed=SEED), rng.normal(size=(30, 4))
    train(network, x, x[:, :2], loss=SquaredError(), epochs=3, progress=False)
    thinnet.save(network, tmp_path / "model")
    loaded = thinnet.load(tmp_path / "model")
    assert loaded.layers == network.layers
    assert_array_equal(loaded.sample(x, 5, progress=False), network.sample(x, 5, progress=False))
    assert_array_equal(loaded.outputs(x), network.outputs(x))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble], ids=str)
def test_a_pass_keeps_the_type_of_its_network(dtype):
    network = Network([FixedMasks(0.4)], WIDTH, seed=SEED, dtype=dtype)
    for run in (Run.train(1), Run.predict(), Run.sample(1)):
        assert network.forward(np.ones((2, WIDTH)), run)[0].dtype == dtype


def test_it_is_run_by_the_reference_executor():
    assert "FixedMasks(0.4), has no compiled form" in executor_text(alone())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FixedMasks(1.5), r"rate must be a number in \[0, 1\], got 1.5"),
        (lambda: FixedMasks(np.nan), r"rate must be a number in \[0, 1\], got nan"),
        (lambda: FixedMasks(thinnet.schedules.Constant(0.5)), "rate must be a number"),
        (lambda: FixedMasks(0.5, 1), "n_masks must be an integer from 2"),
        (lambda: FixedMasks(0.5, 2.0), "n_masks must be an integer from 2"),
    ],
)
@pytest.mark.usefixtures("untyped")
def test_a_setting_out_of_its_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
