"""Draws of a network."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_networks import small

from thinnet import AlphaDropout, Dense, DropConnect, Dropout, GaussianDropout, GaussianNoise
from thinnet.schedules import Constant, Linear


def test_draws_differ_from_each_other_and_are_the_same_however_many_there_are(rng):
    network, x = small(), rng.normal(size=(6, 4))
    draws = network.sample(x, 20)
    assert draws.shape == (20, 6, 3)
    assert len({draw.tobytes() for draw in draws}) == 20
    assert_array_equal(network.sample(x, 5), draws[:5])


@pytest.mark.parametrize("executor", ["compiled", "reference"])
def test_long_sampling_shows_a_progress_bar_where_it_is_asked_for(executor, capsys, monkeypatch):
    net, x = small(executor=executor), np.zeros((5, 4))
    for progress in (None, False, True):  # done before a bar would appear
        net.sample(x, 3, progress=progress)
        assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("thinnet.network.sampling.PATIENCE", 0.0)
    net.sample(x, 3, progress=True)
    shown = capsys.readouterr()
    assert "sampling" in shown.err
    assert "15/15" in shown.err
    assert not shown.out


def test_a_draw_is_one_thinned_network_for_all_rows(rng):
    network = small()
    row = rng.normal(size=(1, 4))
    alike = network.sample(np.repeat(row, 4, axis=0), 6)
    assert_allclose(alike, np.broadcast_to(alike[:, :1], alike.shape), rtol=1e-12)
    apart = network.sample(np.repeat(row, 4, axis=0), 6, share=None)
    assert (apart[:, 0] != apart[:, 1]).any()


def test_a_rows_own_draws_follow_its_id_and_not_its_place(rng):
    network, x = small(), rng.normal(size=(6, 4))
    draws = network.sample(x, 4, share=None, samples=[9, 8, 7, 6, 5, 4])
    turned = network.sample(x[::-1], 4, share=None, samples=[4, 5, 6, 7, 8, 9])
    assert_allclose(draws, turned[:, ::-1], rtol=1e-12)
    numbered = network.sample(x, 4, share=None, samples=range(6))
    assert_array_equal(network.sample(x, 4, share=None), numbered)


def test_a_draw_uses_the_masks_that_masks_shows(rng):
    network, x = small([Dropout(0.5), Dense(3)]), rng.normal(size=(6, 4))
    W, b = network.sites[1].p
    draws = network.sample(x, 3, share=None)
    for d in range(3):
        keep = network.masks(step=d, samples=range(6), purpose="predict")[0]
        assert_allclose(draws[d], (2 * x * keep) @ W.T + b, rtol=1e-12)


def test_draws_have_the_mean_of_the_outputs_where_a_network_is_linear(rng, untyped):
    """4000 draws, threshold 4.5 standard errors: a mean shifted by a tenth of the spread is
    found with power 0.96 in each of 18 outputs."""
    network, x = small([Dropout(0.3), Dense(3)]), rng.normal(size=(6, 4))
    draws = network.sample(x, 4000)
    error = draws.std(axis=0) / np.sqrt(4000)
    assert (np.abs(draws.mean(axis=0) - network.outputs(x)) < 4.5 * error).all()


@pytest.mark.parametrize(
    "layer",
    [
        Dropout(0.2),
        AlphaDropout(0.2),
        GaussianDropout(0.2),
        GaussianNoise(0.2),
        DropConnect(Dense(4), 0.2),
        Dropout(Constant(0.2)),
    ],
    ids=str,
)
def test_any_layer_that_draws_makes_draws_differ(layer, rng):
    draws = small([layer, Dense(3)]).sample(rng.normal(size=(6, 4)), 8, share=None)
    assert (draws.std(axis=0) > 0).any()


@pytest.mark.parametrize(
    "layers",
    [
        [Dense(3)],
        [Dropout(0.0), Dense(3)],
        [GaussianNoise(0.0), Dense(3)],
        [Dropout(Linear(0.0, 0.5, 10)), Dense(3)],
    ],
    ids=str,
)
def test_sampling_without_anything_to_draw_is_refused(layers):
    with pytest.raises(ValueError, match=r"^sampling needs a layer that draws, .*got Network"):
        small(layers).sample(np.ones((2, 4)), 3)


@pytest.mark.parametrize("rows", [4095, 4096, 4097, 9000])
def test_rows_beyond_one_block_get_their_own_outputs_and_masks(rows, rng):
    network, x = small([Dropout(0.5), Dense(2)]), rng.normal(size=(rows, 4))
    W, b = network.sites[1].p
    assert_allclose(network.outputs(x), x @ W.T + b, rtol=1e-10, atol=1e-12)
    keep = network.masks(step=1, samples=range(rows), purpose="predict")[0]
    draws = network.sample(x, 2, share=None)
    assert_allclose(draws[1], (2 * x * keep) @ W.T + b, rtol=1e-10, atol=1e-12)


def test_a_rate_that_changes_is_the_last_ones_when_sampling(rng):
    network = small([Dropout(Linear(0.0, 1.0, n_steps=4)), Dense(3)])
    x, (W, b) = rng.normal(size=(6, 4)), network.sites[1].p
    network.clock.step = 4
    assert_allclose(network.sample(x, 1)[0], np.broadcast_to(b, (6, 3)))
    network.clock.step = 2
    keep = network.masks(step=0, share="batch", purpose="predict")[0]
    assert_allclose(network.sample(x, 1)[0], (2 * x * keep) @ W.T + b, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_draws": 0}, "n_draws must be an integer >= 1, got 0"),
        ({"n_draws": 2.5}, "n_draws must be an integer >= 1, got 2.5"),
        ({"share": "row"}, "share must be None or 'batch', got 'row'"),
        ({"share": None, "samples": [1, 2]}, "samples must have as many rows as X, got 2 and 3"),
        ({"share": None, "samples": [1, 2, -3]}, "samples must be integers from 0 to"),
    ],
    ids=str,
)
def test_bad_settings_of_sampling_are_refused_by_name(arguments, message, untyped):
    with pytest.raises(ValueError, match=f"^{message}"):
        small().sample(np.zeros((3, 4)), **arguments)
