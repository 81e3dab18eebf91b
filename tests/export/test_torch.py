"""PyTorch predicts what thinnet predicts, and weights go back and forth."""

import numpy as np
import pytest
from exported_models import LAYERS, LOOKUPS, PLACE, SMALL, TYPES, Doubled, X, with_statistics
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from thinnet import (
    BatchNorm,
    Dense,
    Dropout,
    FixedMasks,
    Flatten,
    LayerNorm,
    MLPClassifier,
    MLPRegressor,
    Network,
    ReLU,
    Softmax,
    TableClassifier,
    from_torch_state,
    to_torch_state,
)
from thinnet.export import to_torch

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@pytest.fixture
def torch():
    import torch

    return torch


def torch_outputs(torch, network, x):
    with torch.no_grad():
        return to_torch(network)(torch.tensor(x)).numpy()


def scales_in_prediction(layer):
    """torch.nn has no module that multiplies by constants."""
    classical = isinstance(layer, Dropout) and layer.scaling == "classical"
    return classical or isinstance(layer, FixedMasks)


CHANNELS = [(BatchNorm(axis=0), shape) for shape in [(3, 4), (3, 4, 2), (3, 2, 2, 2)]]
IN_TORCH = [(layer, 5) for layer in LAYERS if not scales_in_prediction(layer)] + [LOOKUPS]
IN_TORCH += [(layer, (4, 3)) for layer in (Flatten(), LayerNorm(), Softmax())] + CHANNELS


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("layer", "features"), IN_TORCH)
def test_every_layer_predicts_the_same_in_torch(layer, features, dtype, torch, rng):
    network = with_statistics(Network([layer], features, seed=1, dtype=dtype), rng)
    x = rng.normal(scale=3, size=(50, *network.features)).astype(dtype)
    x[0], x[1], x[2], x[3] = 0, 21, 150, -150
    found, wanted = torch_outputs(torch, network, x), network.outputs(x)
    assert found.dtype == wanted.dtype
    tolerance = 1e-12 if dtype is np.float64 else 1e-5
    assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


STACK = [Flatten(), Dense(6), BatchNorm(momentum=0.7), ReLU(), Dense(4), LayerNorm(), Dense(2)]
NAMES = [
    "1.weight", "1.bias",
    "2.weight", "2.bias", "2.running_mean", "2.running_var", "2.num_batches_tracked",
    "4.weight", "4.bias", "5.weight", "5.bias", "6.weight", "6.bias",
]  # fmt: skip


def stack(rng, dtype=np.float64):
    return with_statistics(Network(STACK, 5, seed=0, dtype=dtype), rng)


def test_a_state_has_the_names_that_the_layers_places_give_it(torch, rng):
    network = stack(rng)
    state = to_torch_state(network)
    assert list(state) == NAMES == list(to_torch(network).state_dict())
    assert_array_equal(state["1.weight"], network.sites[1].p.W)
    assert state["2.num_batches_tracked"].dtype == torch.int64
    assert to_torch(network)[2].momentum == pytest.approx(0.3)


def test_a_state_is_a_copy_and_pytorchs_generator_stays_as_it_is(torch, rng):
    network = stack(rng)
    before, generator = network.theta.copy(), torch.get_rng_state()
    for tensor in to_torch_state(network).values():
        tensor.zero_()
    assert_array_equal(network.theta, before)
    assert torch.equal(torch.get_rng_state(), generator)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_state_goes_back_and_forth(dtype, torch, rng):
    network, other = stack(rng, dtype), Network(STACK, 5, seed=4, dtype=dtype)
    x = rng.normal(size=(7, 5)).astype(dtype)
    other.outputs(x)  # what has been compiled and bound sees the new numbers too
    from_torch_state(other, to_torch(network).state_dict())
    assert_array_equal(other.theta, network.theta)
    assert_array_equal(other.state, network.state)
    assert_array_equal(other.outputs(x), network.outputs(x))


def test_what_pytorch_trains_is_loaded(torch, rng):
    network = stack(rng)
    sequential = to_torch(network).train()
    x = torch.tensor(rng.normal(size=(30, 5)))
    optimizer = torch.optim.SGD(sequential.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        sequential(x).square().mean().backward()
        optimizer.step()
    from_torch_state(network, sequential.state_dict())
    with torch.no_grad():
        wanted = sequential.eval()(x).numpy()
    assert_allclose(network.outputs(x.numpy()), wanted, rtol=1e-12, atol=1e-12)
    assert (network.sites[2].counters.seen == 10).all()


def test_a_perceptrons_state_goes_back_and_forth(torch):
    model = MLPClassifier(**SMALL, batch_norm=True).fit(X, PLACE)
    model.intercepts_[-1] = model.intercepts_[-1] + 1
    wanted, state = model.predict_proba(X), to_torch_state(model)
    other = MLPClassifier(**{**SMALL, "random_state": 1}, batch_norm=True).fit(X, PLACE)
    other.coefs_[0] = other.coefs_[0] * 2
    from_torch_state(other, state)
    assert_array_equal(other.predict_proba(X), wanted)
    assert_array_equal(other.coefs_[0], model.coefs_[0])


@pytest.mark.usefixtures("torch", "untyped")
def test_only_networks_and_fitted_perceptrons_have_a_state():
    with pytest.raises(NotFittedError):
        to_torch_state(MLPRegressor())
    with pytest.raises(ValueError, match=r"^model must be a Network, .* got TableClassifier$"):
        to_torch_state(TableClassifier())


@pytest.mark.parametrize(
    ("layer", "features"),
    [
        (Doubled(), 3),
        (Dropout(0.5, scaling="classical"), 3),
        (FixedMasks(0.5), 3),
        (BatchNorm(), (4, 3)),
        (BatchNorm(axis=0), (2,) * 5),
    ],
)
def test_a_layer_that_torch_has_not_is_refused(layer, features, torch):
    network = Network([layer], features)
    for refused in (lambda: to_torch_state(network), lambda: from_torch_state(network, {})):
        with pytest.raises(ValueError, match=r"^each layer must have its like in torch.nn, got "):
            refused()


def changed(name, change):
    return lambda state: state | {name: change(state[name])}


WRONG = {
    "missing": (lambda s: {k: s[k] for k in s if k != "4.bias"}, "with the name '4.bias'"),
    "too many": (lambda s: s | {"7.bias": s["4.bias"]}, "each name of state .* got '7.bias'"),
    "no mapping": (lambda s: list(s), "state must be a mapping .* got 'list'"),
    "array": (changed("4.bias", lambda t: t.numpy()), "'4.bias'. must be a dense tensor"),
    "sparse": (changed("4.weight", lambda t: t.to_sparse()), "'4.weight'. must be a dense tensor"),
    "type": (changed("4.bias", lambda t: t.float()), "must be of float64, got torch.float32"),
    "half": (changed("4.bias", lambda t: t.bfloat16()), "must be of float64, got torch.bfloat16"),
    "shape": (changed("4.weight", lambda t: t.T), r"must be of shape \(4, 6\), got \(6, 4\)"),
    "infinite": (changed("4.bias", lambda t: t / 0), "must be finite"),
    "variance": (changed("2.running_var", lambda t: -t), "running_var'. must be >= 0"),
    "counter": (changed("2.num_batches_tracked", lambda t: -t), "tracked'. must be >= 0, got -7"),
}


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_a_state_that_does_not_fit_is_refused_and_nothing_is_loaded(change, message, torch, rng):
    network = stack(rng)
    before = network.theta.copy(), network.state.copy()
    state = {name: tensor + 1 for name, tensor in to_torch_state(network).items()}
    state["2.num_batches_tracked"] -= 1
    with pytest.raises(ValueError, match=message):
        from_torch_state(network, change(state))
    assert_array_equal(network.theta, before[0])
    assert_array_equal(network.state, before[1])
