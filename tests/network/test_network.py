"""The network: what it takes and gives, what its passes may change, copies of it."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from thinnet import (
    AlphaDropout,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    LayerNorm,
    Network,
    ReLU,
    Run,
    StaleCacheError,
    Tanh,
    train,
)
from thinnet.schedules import Constant, Linear

LAYERS = [Dense(8), BatchNorm(), ReLU(), Dropout(0.5), Dense(3)]


def small(layers=LAYERS, features=4, seed=7, dtype=np.float64, executor=None):
    return Network(layers, features, seed=seed, dtype=dtype, executor=executor)


def learned(network, x, batches=3):
    """Run a few learning passes, so that running statistics are not what they started as."""
    for _ in range(batches):
        network.forward(x, Run.train(0))
    return network


def fit(network, rng_seed=0, **settings):
    rng = np.random.default_rng(rng_seed)
    x, y = rng.normal(size=(30, 4)), rng.integers(0, 3, size=30)
    return train(network, x, y, epochs=2, batch_size=10, progress=False, **settings)


@pytest.mark.parametrize(
    ("layers", "features", "parameters", "state"),
    [
        ([Dense(3)], 4, 15, 0),
        ([Dense(50), ReLU(), Dense(50), ReLU(), Dense(1)], 13, 3301, 0),
        ([Dense(256), Dropout(0.5), Dense(256), Dense(10)], 784, 269_322, 0),
        ([BatchNorm()], 6, 12, 18),
        ([BatchNorm(axis=0)], (3, 5, 2), 6, 9),
        ([LayerNorm()], (3, 2), 12, 0),
        ([DropConnect(Dense(3), 0.5)], 4, 15, 0),
        ([Flatten(), Dense(2)], (3, 4), 26, 0),
        ([ReLU(), Dropout(0.1)], 4, 0, 0),
    ],
    ids=str,
)
def test_parameters_and_state_are_counted(layers, features, parameters, state):
    network = small(layers, features)
    assert (network.theta.size, network.gradient.size) == (parameters, parameters)
    assert network.state.size == state


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda d: d.__name__)
def test_everything_a_network_holds_and_gives_has_its_type(dtype):
    network = small([Dense(8), BatchNorm(), ReLU(), Dropout(0.5), Dense(3)], dtype=dtype)
    x = np.ones((5, 4)) * np.arange(5)[:, None]
    y, cache = network.forward(x, Run.train(0))
    given = (
        network.theta,
        network.gradient,
        network.state,
        y,
        network.backward(cache, np.ones_like(y)),
        network.outputs(x),
        network.sample(x, 2),
    )
    assert {part.dtype for part in given} == {np.dtype(dtype)}


def test_outputs_are_those_of_the_formula(rng):
    network = small([Dense(8), Tanh(), Dense(3)])
    (W, b), _, (V, c) = (site.p for site in network.sites)
    x = rng.normal(size=(5, 4))
    assert_allclose(network.outputs(x), np.tanh(x @ W.T + b) @ V.T + c, rtol=1e-13)


def test_parameters_and_gradients_are_views_of_the_flat_vectors():
    network = small()
    network.theta[:] = np.arange(network.theta.size)
    network.gradient[:] = -np.arange(network.theta.size)
    for views, sign in ((lambda site: site.p, 1), (lambda site: site.g, -1)):
        flat = np.concatenate([w.ravel() for site in network.sites for w in views(site)])
        assert_array_equal(flat, sign * np.arange(network.theta.size))


# What passes may write


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


# Copies


COPIES = {
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}
copies = pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)


@copies
def test_a_copy_gives_the_same_outputs_masks_and_samples(make, rng):
    network, x = small(), rng.normal(size=(6, 4))
    fit(network)
    other = make(network)
    assert_array_equal(other.outputs(x), network.outputs(x))
    assert_array_equal(other.sample(x, 3), network.sample(x, 3))
    ids = network.rows(3)
    assert_array_equal(other.rows(3), ids)
    assert_array_equal(other.masks(step=3, samples=ids)[0], network.masks(step=3, samples=ids)[0])
    assert (other.clock.step, other.clock.epoch) == (6, 2)
    assert_array_equal(other.state, network.state)


@copies
def test_the_layers_of_a_copy_see_its_own_vectors(make, rng):
    network, x = small(), rng.normal(size=(6, 4))
    fit(network)
    before, other = network.outputs(x), make(network)
    other.theta[:] = 0
    assert not other.outputs(x).any()
    assert_array_equal(network.outputs(x), before)


@copies
def test_a_copy_trains_on_as_the_original_would_and_leaves_it_alone(make, rng):
    network, x = small(), rng.normal(size=(6, 4))
    fit(network)
    other = make(network)
    before = [part.copy() for part in network.vectors] + [network.outputs(x)]
    fit(other, rng_seed=1)
    after = [*network.vectors, network.outputs(x)]
    for old, new in zip(before, after, strict=True):
        assert_array_equal(new, old)
    assert network.clock.step == 6
    fit(network, rng_seed=1)
    assert_array_equal(other.theta, network.theta)
    assert (other.theta != before[0]).any()


@pytest.mark.parametrize(
    "run", [Run.train(3, [4, 5]), Run.predict(), Run.sample(1, share="batch")], ids=str
)
def test_a_run_and_the_layers_survive_pickle(run):
    again = pickle.loads(pickle.dumps(run))
    assert (again.draws, again.learns, again.step) == (run.draws, run.learns, run.step)
    assert_array_equal(again.ids, run.ids)
    assert pickle.loads(pickle.dumps(tuple(LAYERS))) == tuple(LAYERS)


# What leaves a network is a copy


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


# Sampling


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


# Seeds


def test_networks_of_one_seed_are_equal_and_of_two_differ():
    assert_array_equal(small(seed=1).theta, small(seed=1).theta)
    assert (small(seed=1).theta != small(seed=2).theta).mean() > 0.5


def test_a_network_without_a_seed_keeps_the_one_it_took():
    network = small(seed=None)
    assert network.seed != small(seed=None).seed
    assert_array_equal(small(seed=network.seed).theta, network.theta)


def test_a_seed_from_a_generator_is_drawn_from_it():
    one, other = (small(seed=np.random.default_rng(3)) for _ in range(2))
    assert one.seed == other.seed
    assert_array_equal(one.theta, other.theta)


# Bad input


TAKES = r"^this network takes \(rows, 4\) arrays, got "


@pytest.mark.parametrize("shape", [(), (4,), (2, 5), (2, 4, 1), (0, 4), (4, 2)], ids=str)
@pytest.mark.parametrize("method", ["outputs", "sample", "forward"])
def test_rows_of_the_wrong_shape_are_refused_with_both_shapes(method, shape):
    network = small()
    call = {
        "outputs": network.outputs,
        "sample": network.sample,
        "forward": lambda x: network.forward(x, Run.predict()),
    }[method]
    with pytest.raises(ValueError, match=TAKES) as raised:
        call(np.zeros(shape))
    assert str(raised.value).endswith(f"got {shape}")


def test_rows_of_two_axes_are_asked_for_with_their_shape():
    with pytest.raises(
        ValueError, match=r"^this network takes \(rows, 3, 2\) arrays, got \(2, 6\)"
    ):
        small([Flatten(), Dense(1)], (3, 2)).outputs(np.zeros((2, 6)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["outputs", "sample"])
def test_a_number_that_is_not_finite_is_refused_with_its_place(method, bad):
    x = np.zeros((5, 4))
    x[3, 2] = x[4, 0] = bad
    with pytest.raises(ValueError, match=rf"^X must be finite, got {bad} in row 3, column 2$"):
        getattr(small(), method)(x)


@pytest.mark.parametrize(
    "x",
    [np.full((2, 4), "a"), np.ones((2, 4), complex), np.full((2, 4), None)],
    ids=["text", "complex", "objects"],
)
def test_rows_that_hold_no_real_numbers_are_refused(x):
    with pytest.raises(ValueError, match=r"^this network takes arrays of real numbers, got dtype"):
        small().outputs(x)


@pytest.mark.parametrize("dtype", [int, bool, np.uint8, np.float32])
def test_rows_of_any_real_type_are_taken(dtype):
    x = np.array([[0, 1, 1, 0], [1, 1, 0, 0]])
    assert_array_equal(small().outputs(x.astype(dtype)), small().outputs(x.astype(float)))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layers": []}, "layers must be a sequence of at least one layer, got"),
        ({"layers": [Dense(3), "relu"]}, r"layers\[1\] must be a layer .*, got 'relu'"),
        ({"layers": [Dense(3), ReLU]}, r"layers\[1\] must be a layer"),
        ({"features": 0}, "each of features must be an integer >= 1, got 0"),
        ({"features": (3, -1)}, "each of features must be an integer >= 1, got -1"),
        ({"features": 2.5}, "each of features must be an integer >= 1, got 2.5"),
        ({"features": ()}, "features must be an integer or a sequence of integers"),
        ({"dtype": int}, "dtype must be a floating-point type, got"),
        ({"dtype": "double precision"}, "dtype must be a floating-point type, got"),
        ({"dtype": np.complex128}, "dtype must be a floating-point type, got"),
        ({"seed": -1}, "seed must be an integer from 0 to"),
        ({"seed": 2**64}, "seed must be an integer from 0 to"),
        ({"seed": 0.5}, "seed must be an integer from 0 to"),
    ],
    ids=str,
)
def test_bad_settings_of_a_network_are_refused_by_name(changed, said, untyped):
    with pytest.raises(ValueError, match=f"^{said}"):
        small(**changed)


@pytest.mark.parametrize(
    ("layers", "features", "said"),
    [
        ([Flatten(), ReLU(), Dense(3)], (2, 3), None),
        ([Dense(3)], (2, 3), r"layer 0 of the network: Dense\(3\) must get rows of one axis"),
        ([ReLU(), DropConnect(Dense(2), 0.1)], (2, 3), r"layer 1 .*must get rows of one axis"),
        ([ReLU(), BatchNorm(axis=1)], 3, r"layer 1 .*axis of BatchNorm.* from -1 to 0, got 1"),
        ([Dropout(0.1, share_axes=(2,))], (2, 3), r"layer 0 .*share_axes .* from -2 to 1, got 2"),
        ([AlphaDropout(0.1, share_axes=(-3,))], (2, 3), r"layer 0 .*share_axes .*, got -3"),
    ],
    ids=str,
)
def test_a_layer_that_does_not_fit_is_named(layers, features, said):
    if said is None:
        assert small(layers, features).out == (3,)
        return
    with pytest.raises(ValueError, match=f"^{said}"):
        small(layers, features)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n_draws": 0}, "n_draws must be an integer >= 1, got 0"),
        ({"n_draws": 2.5}, "n_draws must be an integer >= 1, got 2.5"),
        ({"share": "row"}, "share must be None or 'batch', got 'row'"),
        ({"samples": [1, 2]}, "samples must have as many rows as X, got 2 and 3"),
        ({"samples": [1, 2, -3]}, "samples must be integers from 0 to"),
    ],
    ids=str,
)
def test_bad_settings_of_sampling_are_refused_by_name(arguments, said, untyped):
    with pytest.raises(ValueError, match=f"^{said}"):
        small().sample(np.zeros((3, 4)), **arguments)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Run.train(-1), "step must be an integer from 0 to 4294967295, got -1"),
        (lambda: Run.train(2**32), "step must be an integer from 0 to 4294967295"),
        (lambda: Run.sample(-1), "draw must be an integer from 0 to 4294967295, got -1"),
        (lambda: Run.sample(0, [2**32]), "samples must be integers from 0 to 4294967294"),
        (lambda: Run.train(0, "all"), "samples must be a sequence of integers, got 'all'"),
    ],
)
def test_a_run_beyond_its_ranges_is_refused(make, said, untyped):
    with pytest.raises(ValueError, match=f"^{said}"):
        make()


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


def test_dropout_before_batch_norm_is_warned_of():
    with pytest.warns(UserWarning, match=r"layer 1, Dropout\(0.2\).*variance shift"):
        small([Dense(4), Dropout(0.2), Dense(4), BatchNorm()])


@pytest.mark.parametrize(
    "layers", [LAYERS, [Dropout(0.0), BatchNorm()], [Dropout(0.5), Dense(2)]], ids=str
)
def test_a_wise_order_is_not_warned_of(layers):
    small(layers)


def test_a_network_says_what_it_is_made_of(capsys):
    network = small()
    assert repr(network).startswith(
        "Network([Dense(8), BatchNorm(), ReLU(), Dropout(0.5), Dense(3)]"
    )
    network.describe()
    printed = capsys.readouterr().out
    for said in ("Dense(8)", "BatchNorm()", "83", "16"):
        assert said in printed


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([[1.0, 2.0, 3.0, 4.0], [5.0]], "X must have rows of one length, got ragged ones"),
        (np.ma.masked_equal(np.ones((2, 4)), 1), "X must not hold masked values"),
        (csr_array(np.ones((2, 3))), r"this network takes \(rows, 4\) arrays, got \(2, 3\)"),
    ],
    ids=["ragged", "masked", "sparse, too narrow"],
)
def test_what_is_no_plain_array_is_refused(x, said):
    with pytest.raises(ValueError, match=said):
        small().outputs(x)
