"""A learned rate of dropout: its relaxed and hard masks, its penalty, and where learning leads."""

import math

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracles import numeric_gradient

import thinnet
from thinnet import (
    SGD,
    Adam,
    ConcreteDropout,
    Dense,
    Dropout,
    Network,
    Run,
    SquaredError,
    Tanh,
    keep_mask,
    train,
)
from thinnet.network.summary import executor_text, has_random_masks
from thinnet.training.penalties import add_penalty_gradient, limit_norms, penalty_value

SEED, WIDTH = 5, 40
IDS = [7, 0, 2**32 - 2]


def alone(rate=0.3, units=3, width=WIDTH, dtype=np.float64, **settings):
    layer = ConcreteDropout(Dense(units), rate, **settings)
    return Network([layer], width, seed=SEED, dtype=dtype)


def rate_of(network, place=0):
    return network.layers[place].learned_rate(network.sites[place])


def with_logit(logit, **settings):
    network = alone(**settings)
    network.sites[0].p.logit[:] = logit
    return network


def entering(network, run, rows=3):
    """What the Dense layer gets of an input of ones: by which factor each input is multiplied."""
    width = network.features[0]
    eye = Network([ConcreteDropout(Dense(width))], width, seed=SEED, dtype=np.float64)
    eye.sites[0].p.W[:], eye.sites[0].p.b[:] = np.eye(width), 0
    eye.sites[0].p.logit[:] = network.sites[0].p.logit
    return eye.forward(np.ones((rows, width)), run)[0]


def draw_of(step, sample, unit):
    """spec/masks.md, point 2."""
    word = oracles.words(SEED, "train", 0, step, sample, unit // 8)[unit % 8 // 2]
    return word // 2**16 if unit % 2 else word % 2**16


# --- the rate ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1e-4, 0.1, 0.5, 0.9, 0.999])
def test_learning_starts_from_the_rate_given(rate):
    assert rate_of(alone(rate)) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("logit", [-3.0, 0.0, 1.7])
def test_the_rate_is_the_sigmoid_of_the_logit(logit):
    assert rate_of(with_logit(logit)) == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("logit", [-1e30, -800.0, -12.0, 12.0, 800.0, 1e30])
def test_at_extreme_logits_the_rate_is_one_that_masks_can_have_and_all_is_finite(logit, dtype, rng):
    network = with_logit(logit, dtype=dtype)
    edge = 2.0**-16
    assert rate_of(network) == pytest.approx(edge if logit < 0 else 1 - edge, rel=1e-9)
    for run in (Run.train(0), Run.predict(), Run.sample(0)):
        y, cache = network.forward(rng.normal(size=(4, WIDTH)), run)
        dx = network.backward(cache, np.ones_like(y))
        add_penalty_gradient(network)
        assert all(np.isfinite(part).all() for part in (y, dx, network.gradient))
    assert math.isfinite(penalty_value(network))


@pytest.mark.parametrize("side", [-1, 1])
def test_beyond_its_limits_a_logit_has_only_the_slope_that_leads_back(side, rng):
    network = with_logit(20.0 * side, width=3, weight_penalty=0.0, rate_penalty=1.0)
    add_penalty_gradient(network)  # the entropy wants the rate 1/2
    assert network.sites[0].g.logit[0] * side > 0
    network.gradient[:] = 0
    add_penalty_gradient(network, -1.0)
    assert network.sites[0].g.logit[0] == 0


def test_the_share_of_inputs_dropped_is_the_learned_rate(untyped):
    """4,000 draws of 40 inputs: the share is 0.27 within 5 standard errors, 0.0056."""
    network = with_logit(-1.0)
    rate = rate_of(network)
    keep = np.mean([network.masks(step=d, share="batch")[0].mean() for d in range(4000)])
    assert abs(1 - keep - rate) < 5 * math.sqrt(rate * (1 - rate) / (4000 * WIDTH))


# --- masks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.1, 0.7])
def test_a_learning_pass_drops_the_share_that_the_paper_says(temperature):
    """Of the drop variable: sigmoid((log p - log(1 - p) + log u - log(1 - u)) / t)."""
    network = Network([ConcreteDropout(Dense(8), 0.3, temperature)], 8, seed=SEED, dtype=np.float64)
    network.sites[0].p.W[:], network.sites[0].p.b[:] = np.eye(8), 0
    x = np.arange(1.0, 25.0).reshape(3, 8)
    y, _ = network.forward(x, Run.train(4, IDS))
    p = 0.3
    for row, sample in enumerate(IDS):
        for unit in range(8):
            u = 1 - (draw_of(4, sample, unit) + 0.5) / 65536
            odds = math.log(p) - math.log(1 - p) + math.log(u) - math.log(1 - u)
            z = 1 / (1 + math.exp(-odds / temperature))
            assert y[row, unit] == pytest.approx(x[row, unit] * (1 - z) / (1 - p), rel=1e-9)


@pytest.mark.parametrize("logit", [-11.0, -4.0, -1.234, 0.3, 2.0, 9.0])
def test_the_hard_mask_is_the_relaxed_one_cut_at_one_half(logit):
    network = with_logit(logit)
    rate = rate_of(network)
    relaxed = entering(network, Run.train(2, IDS)) * (1 - rate)  # 1 - z
    hard = keep_mask(seed=SEED, layer=0, step=2, samples=IDS, units=WIDTH, rate=rate)
    assert_array_equal(relaxed > 0.5, hard)
    assert_array_equal(network.masks(step=2, samples=IDS)[0], hard)


@pytest.mark.parametrize("rows", [{"samples": IDS}, {"share": "batch"}], ids=["ids", "batch"])
def test_a_sampling_pass_has_the_mask_of_the_specification_at_the_learned_rate(rows):
    network = with_logit(-0.7)
    rate = rate_of(network)
    keep = keep_mask(seed=SEED, layer=0, step=9, **rows, units=WIDTH, rate=rate, purpose="predict")
    q = 1 - round(rate * 65536) / 65536
    spread = np.broadcast_to(keep, (3, WIDTH))
    assert_allclose(entering(network, Run.sample(9, **rows)), spread / q, rtol=1e-12)
    assert len(keep) == (1 if "share" in rows else 3)
    assert_array_equal(network.masks(step=9, **rows, purpose="predict")[0], keep)


def test_prediction_drops_nothing():
    assert_array_equal(entering(alone(), Run.predict()), np.ones((3, WIDTH)))


def test_a_network_with_it_draws_and_samples_differ(rng):
    network, x = alone(), rng.normal(size=(2, WIDTH))
    assert has_random_masks(network)
    first, second = network.sample(x, 2, progress=False)
    assert (first != second).all()


def test_its_stream_is_counted_with_those_of_other_layers_that_draw():
    network = Network([Dropout(0.5), ConcreteDropout(Dense(3), 0.5)], WIDTH, seed=SEED)
    expected = keep_mask(seed=SEED, layer=1, step=0, samples=IDS, units=WIDTH, rate=0.5)
    assert_array_equal(network.masks(step=0, samples=IDS)[1], expected)


def test_it_is_run_by_the_reference_executor():
    assert "ConcreteDropout(Dense(3), rate=0.3), has no compiled form" in executor_text(alone())


# --- slopes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("logit", [-6.0, -1.0, 0.0, 2.5])
def test_the_slope_by_the_logit_is_the_derivative_in_a_learning_pass(logit, temperature, rng):
    network, x = with_logit(logit, temperature=temperature), rng.normal(size=(4, WIDTH))
    run, w = Run.train(3), rng.normal(size=(4, 3))
    _, cache = network.forward(x, run)
    network.backward(cache, w)
    exact = network.sites[0].g.logit.copy()
    numeric = numeric_gradient(
        lambda: float(np.vdot(w, network.forward(x, run)[0])), network.sites[0].p.logit
    )
    assert_allclose(exact, numeric, rtol=1e-6)
    assert exact != 0


@pytest.mark.parametrize("run", [Run.predict(), Run.sample(3)], ids=["predict", "sample"])
def test_passes_that_do_not_learn_have_no_slope_by_the_logit(run, rng):
    network = alone()
    network.gradient[:] = 7
    y, cache = network.forward(rng.normal(size=(4, WIDTH)), run)
    network.backward(cache, np.ones_like(y))
    assert network.sites[0].g.logit == 0


# --- the penalty ---------------------------------------------------------------------------------


def test_the_penalty_is_that_of_the_paper(rng):
    network = with_logit(-1.2, width=7, weight_penalty=0.3, rate_penalty=0.05)
    p = rate_of(network)
    W = network.sites[0].p.W
    entropy = -(p * math.log(p) + (1 - p) * math.log(1 - p))
    expected = 0.3 * (W**2).sum() / (1 - p) - 0.05 * 7 * entropy
    assert penalty_value(network) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("logit", [-9.0, -1.2, 0.0, 4.0])
def test_the_gradient_of_the_penalty_is_its_derivative(logit):
    network = with_logit(logit, width=7, weight_penalty=0.3, rate_penalty=0.05)
    network.gradient[:] = 0
    add_penalty_gradient(network, 2.0)
    numeric = numeric_gradient(lambda: penalty_value(network), network.theta)
    assert_allclose(network.gradient, 2 * numeric, rtol=1e-6, atol=1e-9)


def test_the_penalties_and_the_norm_limit_of_its_dense_layer_hold_too(rng):
    settings = {"weight_penalty": 0.0, "rate_penalty": 0.0}
    layer = ConcreteDropout(Dense(5, l2=0.5, max_norm=0.1), **settings)
    network = Network([layer], 4, seed=SEED, dtype=np.float64)
    W = network.sites[0].p.W
    assert penalty_value(network) == pytest.approx(0.5 * (W**2).sum())
    limit_norms(network, Run.train(0))
    assert_allclose(np.linalg.norm(W, axis=1), 0.1)


def test_the_penalty_is_in_the_history_and_in_every_step(rng):
    x, y = rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
    ends = []
    for factor in (0.0, 0.1):
        network = alone(width=4, weight_penalty=factor, rate_penalty=0.0)
        start = network.sites[0].p.W.copy()
        settings = {"loss": SquaredError(), "optimizer": SGD(0.5), "batch_size": None}
        history = train(network, x, y, **settings, epochs=1, progress=False)
        assert history.last.penalty == pytest.approx(penalty_value(network), rel=1e-12)
        ends.append(network.sites[0].p.W.copy())
    assert_allclose(ends[1], ends[0] - 0.5 * 2 * 0.1 * start / 0.7)


# --- where learning leads ------------------------------------------------------------------------


def learned_rates(rows, start=0.3):
    """Of two layers, after 600 steps on noiseless data, with the penalties for so many rows."""
    rng = np.random.default_rng(3)
    X = rng.uniform(-1, 1, size=(rows, 2))
    y = np.sin(3 * X[:, :1]) + X[:, 1:]
    precision, length = 10.0, 0.1
    penalties = {
        "weight_penalty": length**2 / (precision * rows),
        "rate_penalty": 2 / (precision * rows),
    }
    chain = [Dense(24), Tanh()]
    chain += [ConcreteDropout(Dense(24), start, **penalties), Tanh()]
    chain += [ConcreteDropout(Dense(1), start, **penalties)]
    network = Network(chain, 2, seed=1)
    batch = min(rows, 50)
    train(
        network, X, y, loss=SquaredError(), optimizer=Adam(0.01), batch_size=batch,
        epochs=600 * batch // rows, clean_rows=0, progress=False,
    )  # fmt: skip
    return rate_of(network, 2), rate_of(network, 4)


@pytest.mark.slow
def test_rates_fall_as_data_grow(untyped):
    """The paper's synthetic experiment: what is not known for want of data vanishes with data."""
    few, some, many = (np.array(learned_rates(rows)) for rows in (10, 100, 1000))
    assert (few > some).all()
    assert (some > many).all()
    assert (few > 0.3).all()
    assert (many < 0.15).all()


# --- the rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble], ids=str)
def test_a_pass_keeps_the_type_of_its_network(dtype, rng):
    network = alone(dtype=dtype)
    for run in (Run.train(1), Run.predict(), Run.sample(1)):
        y, cache = network.forward(rng.normal(size=(5, WIDTH)), run)
        dx = network.backward(cache, np.ones_like(y))
        assert (y.dtype, dx.dtype) == (dtype, dtype)


def test_it_is_saved_and_loaded_with_its_learned_rate(tmp_path, rng):
    x = rng.normal(size=(30, WIDTH))
    network = alone(temperature=0.2, weight_penalty=0.1, rate_penalty=0.2)
    train(network, x, x[:, :3], loss=SquaredError(), epochs=3, progress=False)
    thinnet.save(network, tmp_path / "model")
    loaded = thinnet.load(tmp_path / "model")
    assert loaded.layers == network.layers
    assert rate_of(loaded) == rate_of(network) != pytest.approx(0.3, rel=1e-6)
    samples = [net.sample(x, 3, share=None, progress=False) for net in (loaded, network)]
    assert_array_equal(*samples)


def test_a_rate_is_present_in_every_step_of_a_thinned_network():
    layers = [Dropout(0.5, share="batch"), ConcreteDropout(Dense(6)), Dropout(0.5, share="batch")]
    network = Network([*layers, Dense(1)], 8, seed=SEED)
    found = network.presence(Run.train(0))
    size = 6 * 8 + 6
    assert found.kept[size]
    assert found.probability[size] == 1
    assert not found.kept[:size].all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConcreteDropout(Tanh()), "dense must be a Dense layer, got"),
        (lambda: ConcreteDropout(Dense(3), 0.0), r"rate must be a number in \(0, 1\), got 0.0"),
        (lambda: ConcreteDropout(Dense(3), 1), r"rate must be a number in \(0, 1\), got 1"),
        (lambda: ConcreteDropout(Dense(3), "a"), r"rate must be a number in \(0, 1\), got 'a'"),
        (lambda: ConcreteDropout(Dense(3), temperature=0), "temperature must be a finite number"),
        (lambda: ConcreteDropout(Dense(3), weight_penalty=-1), "weight_penalty must be a finite"),
        (lambda: ConcreteDropout(Dense(3), rate_penalty=np.nan), "rate_penalty must be a finite"),
    ],
)
@pytest.mark.usefixtures("untyped")
def test_a_setting_out_of_its_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
