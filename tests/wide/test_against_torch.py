"""PyTorch as a second oracle, where it is installed: layers, losses, optimisers, clipping."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from torch_oracle import imported

from thinnet import (
    ELU,
    GELU,
    SELU,
    SGD,
    AbsoluteError,
    Adagrad,
    Adam,
    AdamW,
    BatchNorm,
    BinaryCrossEntropy,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianNLL,
    Huber,
    Identity,
    LayerNorm,
    LeakyReLU,
    Network,
    Pinball,
    Poisson,
    ReLU,
    RMSprop,
    Run,
    Sigmoid,
    SiLU,
    Softmax,
    SoftmaxCrossEntropy,
    Softplus,
    SquaredError,
    Tanh,
)
from thinnet.optimizers import clip_norm, update

pytestmark = pytest.mark.torch
torch = imported()
nn = torch.nn
functional = torch.nn.functional

CLOSE = {"rtol": 1e-10, "atol": 1e-12}
ACTIVATIONS = [
    (Identity(), nn.Identity()),
    (ReLU(), nn.ReLU()),
    (LeakyReLU(), nn.LeakyReLU()),
    (LeakyReLU(0.2), nn.LeakyReLU(0.2)),
    (ELU(), nn.ELU()),
    (ELU(0.5), nn.ELU(0.5)),
    (SELU(), nn.SELU()),
    (GELU(), nn.GELU()),
    (SiLU(), nn.SiLU()),
    (Softplus(), nn.Softplus(threshold=50)),
    (Tanh(), nn.Tanh()),
    (Sigmoid(), nn.Sigmoid()),
    (Softmax(), nn.Softmax(dim=-1)),
    (Flatten(), nn.Flatten()),
]


def tensor(values, requires_grad=False):
    return torch.tensor(np.asarray(values, np.float64), requires_grad=requires_grad)


def both_ways(network, x, run, theirs, dy=None):
    """(y, dx) of a network's pass and of a function of tensors, from one dy."""
    y, cache = network.forward(x, run)
    dy = np.random.default_rng(3).normal(size=y.shape) if dy is None else dy
    dx = network.backward(cache, dy)
    leaf = tensor(x, requires_grad=True)
    out = theirs(leaf)
    out.backward(tensor(dy))
    return (y, dx), (out.detach().numpy(), leaf.grad.numpy())


def bound(layer, features, rng):
    network = Network([layer], features, seed=5, dtype=np.float64)
    network.theta[:] = rng.normal(size=network.theta.size)
    return network


@pytest.mark.parametrize("features", [(7,), (3, 2)], ids=str)
@pytest.mark.parametrize(("ours", "theirs"), ACTIVATIONS, ids=str)
def test_activations_and_their_backward_agree_with_torch(ours, theirs, features, rng):
    x = 3 * rng.normal(size=(5, *features))
    mine, torchs = both_ways(bound(ours, features, rng), x, Run.predict(), theirs)
    for a, b in zip(mine, torchs, strict=True):
        assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize(("ours", "theirs"), ACTIVATIONS, ids=str)
def test_activations_agree_with_torch_far_from_zero(ours, theirs, rng):
    x = np.array([[-800.0, -40.0, -1e-30, 1e-30, 40.0, 800.0]])
    mine, torchs = both_ways(bound(ours, 6, rng), x, Run.predict(), theirs)
    for a, b in zip(mine, torchs, strict=True):
        assert_allclose(a, b, rtol=1e-10, atol=1e-15)


def test_dense_agrees_with_torch_forward_and_backward(rng):
    network, x = bound(Dense(4), 3, rng), rng.normal(size=(6, 3))
    linear = nn.Linear(3, 4, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(tensor(network.sites[0].p.W))
        linear.bias.copy_(tensor(network.sites[0].p.b))
    mine, torchs = both_ways(network, x, Run.train(0), linear)
    for a, b in zip(mine, torchs, strict=True):
        assert_allclose(a, b, **CLOSE)
    assert_allclose(network.sites[0].g.W, linear.weight.grad, **CLOSE)
    assert_allclose(network.sites[0].g.b, linear.bias.grad, **CLOSE)


def test_layer_norm_agrees_with_torch_forward_and_backward(rng):
    network, x = bound(LayerNorm(), (3, 4), rng), rng.normal(size=(6, 3, 4))
    theirs = nn.LayerNorm((3, 4), dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(tensor(network.sites[0].p.gamma))
        theirs.bias.copy_(tensor(network.sites[0].p.beta))
    mine, torchs = both_ways(network, x, Run.train(0), theirs)
    for a, b in zip(mine, torchs, strict=True):
        assert_allclose(a, b, **CLOSE)
    assert_allclose(network.sites[0].g.gamma, theirs.weight.grad, **CLOSE)
    assert_allclose(network.sites[0].g.beta, theirs.bias.grad, **CLOSE)


def torch_batch_norm(network, momentum):
    site = network.sites[0]
    norm = nn.BatchNorm1d(len(site.p.gamma), momentum=momentum, dtype=torch.float64)
    with torch.no_grad():
        norm.weight.copy_(tensor(site.p.gamma))
        norm.bias.copy_(tensor(site.p.beta))
    return norm


@pytest.mark.parametrize(
    "run", [Run.train(0), Run.predict(), Run.sample(0)], ids=["train", "predict", "sample"]
)
def test_batch_norm_agrees_with_torch_forward_and_backward(run, rng):
    network, x = bound(BatchNorm(), 4, rng), rng.normal(2, 3, size=(6, 4))
    norm = torch_batch_norm(network, momentum=None)
    network.forward(rng.normal(size=(9, 4)), Run.train(0))
    norm.running_mean.copy_(tensor(network.sites[0].s.mean))
    norm.running_var.copy_(tensor(network.sites[0].s.variance))
    norm.train(run.learns)
    mine, torchs = both_ways(network, x, run, norm)
    for a, b in zip(mine, torchs, strict=True):
        assert_allclose(a, b, **CLOSE)
    assert_allclose(network.sites[0].g.gamma, norm.weight.grad, **CLOSE)
    assert_allclose(network.sites[0].g.beta, norm.bias.grad, **CLOSE)


def test_batch_norm_on_images_agrees_with_torch(rng):
    network, x = bound(BatchNorm(axis=0), (3, 2, 4), rng), rng.normal(size=(5, 3, 2, 4))
    norm = nn.BatchNorm2d(3, dtype=torch.float64)
    with torch.no_grad():
        norm.weight.copy_(tensor(network.sites[0].p.gamma))
        norm.bias.copy_(tensor(network.sites[0].p.beta))
    mine, torchs = both_ways(network, x, Run.train(0), norm)
    for a, b in zip(mine, torchs, strict=True):
        assert_allclose(a, b, **CLOSE)


def test_running_statistics_are_torchs_cumulative_average_while_batches_are_few(rng):
    network = bound(BatchNorm(momentum=0.9), 4, rng)
    norm = torch_batch_norm(network, momentum=None)  # torch's cumulative average
    for _ in range(10):  # 1 / 10 is the share that momentum 0.9 gives
        x = rng.normal(rng.normal(), 2, size=(7, 4))
        network.forward(x, Run.train(0))
        norm(tensor(x))
    assert_allclose(network.sites[0].s.mean, norm.running_mean, **CLOSE)
    assert_allclose(network.sites[0].s.variance, norm.running_var, **CLOSE)


def test_running_statistics_are_torchs_exponential_average_once_batches_are_many(rng):
    network = bound(BatchNorm(momentum=0.9), 4, rng)
    norm = torch_batch_norm(network, momentum=0.1)  # torch's momentum is the new share
    for i in range(15):
        x = rng.normal(rng.normal(), 2, size=(7, 4))
        if i == 10:
            norm.running_mean.copy_(tensor(network.sites[0].s.mean))
            norm.running_var.copy_(tensor(network.sites[0].s.variance))
        network.forward(x, Run.train(0))
        norm(tensor(x))
    assert_allclose(network.sites[0].s.mean, norm.running_mean, **CLOSE)
    assert_allclose(network.sites[0].s.variance, norm.running_var, **CLOSE)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_dropout_is_a_product_with_its_mask_in_torch_too(rate, rng):
    network, x = bound(Dropout(rate), (3, 4), rng), rng.normal(size=(6, 3, 4))
    mask = network.masks(step=3, samples=range(6))[0]
    q = 1 - round(rate * 65536) / 65536
    mine, torchs = both_ways(network, x, Run.train(3), lambda t: t * tensor(mask) / q)
    for a, b in zip(mine, torchs, strict=True):
        assert_allclose(a, b, **CLOSE)


def test_drop_connect_is_a_linear_layer_with_masked_weights_in_torch_too(rng):
    network, x = bound(DropConnect(Dense(4), 0.3), 3, rng), rng.normal(size=(6, 3))
    layer, site = network.layers[0], network.sites[0]
    mask = tensor(layer.keep(site, Run.train(3), 6))
    q = 1 - round(0.3 * 65536) / 65536
    W, b = tensor(site.p.W, True), tensor(site.p.b, True)
    mine, torchs = both_ways(
        network, x, Run.train(3), lambda t: functional.linear(t, W * mask / q, b)
    )
    for mine_part, torchs_part in zip(mine, torchs, strict=True):
        assert_allclose(mine_part, torchs_part, **CLOSE)
    assert_allclose(site.g.W, W.grad, **CLOSE)
    assert_allclose(site.g.b, b.grad, **CLOSE)


def gaussian_nll(z, y):
    mean, log_variance = z.chunk(2, dim=1)
    return functional.gaussian_nll_loss(mean, y, log_variance.exp(), full=True)


def poisson_nll(z, y):
    return functional.poisson_nll_loss(z, y) + torch.lgamma(y + 1).mean()


def pinball(z, y):
    errors = torch.stack([y - part for part in z.chunk(2, dim=1)])
    p = torch.tensor([0.1, 0.8], dtype=torch.float64)[:, None, None]
    return torch.maximum(p * errors, (p - 1) * errors).mean()


LOSSES = {
    "soft targets": (SoftmaxCrossEntropy(), "soft", functional.cross_entropy),
    "smoothed": (
        SoftmaxCrossEntropy(0.1),
        "soft",
        lambda z, y: functional.cross_entropy(z, y, label_smoothing=0.1),
    ),
    "binary": (BinaryCrossEntropy(), "uniform", functional.binary_cross_entropy_with_logits),
    "squared": (SquaredError(), "normal", functional.mse_loss),
    "absolute": (AbsoluteError(), "normal", functional.l1_loss),
    "huber": (Huber(0.7), "normal", lambda z, y: functional.huber_loss(z, y, delta=0.7)),
    "gaussian": (GaussianNLL(), "half", gaussian_nll),
    "poisson": (Poisson(), "count", poisson_nll),
    "pinball": (Pinball((0.1, 0.8)), "half", pinball),
}


def targets_of_kind(kind, rng):
    return {
        "soft": lambda: rng.dirichlet(np.ones(4), size=9),
        "uniform": lambda: rng.uniform(size=(9, 4)),
        "normal": lambda: rng.normal(size=(9, 4)),
        "half": lambda: rng.normal(size=(9, 2)),
        "count": lambda: rng.poisson(2, size=(9, 4)).astype(float),
    }[kind]()


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_gradients_agree_with_torch(name, rng):
    loss, kind, theirs = LOSSES[name]
    z, y = 3 * rng.normal(size=(9, 4)), targets_of_kind(kind, rng)
    value, slope = loss(z, loss.targets(y, (4,)))
    leaf = tensor(z, requires_grad=True)
    expected = theirs(leaf, tensor(y))
    expected.backward()
    assert_allclose(value, expected.item(), rtol=1e-10)
    assert_allclose(slope, leaf.grad, **CLOSE)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_labels_agrees_with_torch(smoothing, rng):
    z, y = 3 * rng.normal(size=(9, 4)), rng.integers(0, 4, size=9)
    loss = SoftmaxCrossEntropy(smoothing)
    value, slope = loss(z, loss.targets(y, (4,)))
    leaf = tensor(z, requires_grad=True)
    expected = functional.cross_entropy(leaf, torch.tensor(y), label_smoothing=smoothing)
    expected.backward()
    assert_allclose(value, expected.item(), rtol=1e-10)
    assert_allclose(slope, leaf.grad, **CLOSE)


OPTIMIZERS = [
    (SGD(0.1), torch.optim.SGD, {"lr": 0.1}),
    (SGD(0.1, momentum=0.9), torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (
        SGD(0.1, momentum=0.8, nesterov=True),
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.8, "nesterov": True},
    ),
    (Adagrad(0.1), torch.optim.Adagrad, {"lr": 0.1}),
    (RMSprop(0.02, rho=0.8), torch.optim.RMSprop, {"lr": 0.02, "alpha": 0.8}),
    (Adam(0.02), torch.optim.Adam, {"lr": 0.02}),
    (
        Adam(0.02, beta_1=0.5, beta_2=0.7, epsilon=1e-3),
        torch.optim.Adam,
        {"lr": 0.02, "betas": (0.5, 0.7), "eps": 1e-3},
    ),
    (AdamW(0.02), torch.optim.AdamW, {"lr": 0.02}),
    (AdamW(0.02, weight_decay=0.3), torch.optim.AdamW, {"lr": 0.02, "weight_decay": 0.3}),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "settings"), OPTIMIZERS, ids=lambda part: str(part)[:60]
)
def test_ten_steps_of_an_optimizer_agree_with_torch(ours, theirs, settings, rng):
    theta = rng.normal(size=20)
    leaf = tensor(theta, requires_grad=True)
    optimizer, state = theirs([leaf], **settings), ours.start(theta)
    for step in range(10):
        gradient = rng.normal(size=20)
        leaf.grad = tensor(gradient)
        optimizer.step()
        update(ours, theta, gradient, state, step, ours.learning_rate)
    assert_allclose(theta, leaf.detach(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clipping_by_norm_agrees_with_torch(limit, rng):
    gradient = rng.normal(size=20)
    leaf = tensor(np.zeros(20), requires_grad=True)
    leaf.grad = tensor(gradient)
    nn.utils.clip_grad_norm_([leaf], limit)
    clip_norm(gradient, limit)
    assert_allclose(gradient, leaf.grad, rtol=3e-6)  # torch adds 1e-6 to the norm


def test_five_steps_of_a_whole_network_agree_with_torch(rng):
    layers = [Dense(8), BatchNorm(), ReLU(), Dropout(0.4), Dense(3)]
    network = Network(layers, 5, seed=4, dtype=np.float64)
    first, norm, last = (network.sites[i].p for i in (0, 1, 4))
    leaves = [tensor(w, True) for w in (*first, *norm, *last)]
    W, b, gamma, beta, V, c = leaves
    optimizer, loss, ours = torch.optim.Adam(leaves, lr=0.05), SoftmaxCrossEntropy(), Adam(0.05)
    state = ours.start(network.theta)
    q = 1 - round(0.4 * 65536) / 65536
    for step in range(5):
        x, y = rng.normal(size=(6, 5)), rng.integers(0, 3, size=6)
        outputs, cache = network.forward(x, Run.train(step))
        network.backward(cache, loss(outputs, y)[1])
        update(ours, network.theta, network.gradient, state, step, 0.05)
        h = functional.batch_norm(tensor(x) @ W.T + b, None, None, gamma, beta, training=True)
        h = h.relu() * tensor(network.masks(step=step, samples=range(6))[0]) / q
        optimizer.zero_grad()
        functional.cross_entropy(h @ V.T + c, torch.tensor(y)).backward()
        optimizer.step()
    theirs = np.concatenate([leaf.detach().numpy().ravel() for leaf in leaves])
    # b stands before BatchNorm: its gradient is rounding, which Adam blows up to full steps.
    matters = np.ones(theirs.size, bool)
    matters[40:48] = False
    assert_allclose(network.theta[matters], theirs[matters], rtol=1e-8, atol=1e-10)
