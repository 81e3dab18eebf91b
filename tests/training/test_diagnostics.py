"""A look at a network: its table, the warning about its order, its gradients."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import (
    AlphaDropout,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    LayerNorm,
    Network,
    ReLU,
    Sigmoid,
    SquaredError,
    gradient_report,
)
from thinnet.schedules import Linear

X, Y = np.random.default_rng(0).normal(size=(16, 4)), np.arange(16) % 3


def network(chain, **settings):
    return Network(chain, **({"features": 4, "seed": 1} | settings))


# --- describe ------------------------------------------------------------------------------------


def described(net, capsys):
    """The rows of the printed table, each a list of cells."""
    net.describe()
    lines = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line[:1] == "│"]


def test_a_description_counts_trainable_and_running_parameters(capsys):
    net = network([Dense(7), BatchNorm(), ReLU(), Dropout(0.5), LayerNorm(), Dense(3)])
    assert [row[4:6] for row in described(net, capsys)] == [
        ["35", ""],
        ["14", "14"],
        ["", ""],
        ["", ""],
        ["14", ""],
        ["24", ""],
        ["87", "14"],
    ]
    assert net.theta.size == 87


def test_a_description_shows_settings_shapes_and_rates(capsys):
    rows = described(
        network([Dense(7, l2=0.25), Dropout(0.125), DropConnect(Dense(5), 0.5)]), capsys
    )
    assert [row[1] for row in rows[:2]] == ["Dense(7, l2=0.25)", "Dropout(0.125)"]
    assert [row[2:4] for row in rows[:3]] == [["4", "7"], ["7", "7"], ["7", "5"]]
    assert [row[6] for row in rows[:3]] == ["", "0.125", "0.5"]


def test_a_description_shows_the_schedule_of_a_rate(capsys):
    network([Dropout(Linear(0.0, 0.5, n_steps=10)), Dense(3)]).describe()
    assert "Linear" in capsys.readouterr().out


def test_a_description_has_type_and_seed(capsys):
    network([Dense(3)], dtype=np.float64, seed=77).describe()
    assert "float64, seed 77" in capsys.readouterr().out


# --- the order of layers -------------------------------------------------------------------------

BEHIND = {
    "dropout": [Dropout(0.5), Dense(3), BatchNorm()],
    "just before": [Dense(3), Dropout(0.1), BatchNorm()],
    "gaussian": [GaussianDropout(0.5), BatchNorm(), Dense(3)],
    "alpha": [AlphaDropout(0.5), BatchNorm(), Dense(3)],
    "dropconnect": [DropConnect(Dense(3), 0.5), BatchNorm()],
    "between two": [BatchNorm(), Dropout(0.5), BatchNorm(), Dense(3)],
    "a schedule": [Dropout(Linear(0.0, 0.5, n_steps=9)), BatchNorm(), Dense(3)],
}
AHEAD = {
    "behind": [Dense(5), BatchNorm(), ReLU(), Dropout(0.5), Dense(3)],
    "rate 0": [Dropout(0.0), Dense(3), BatchNorm()],
    "no BatchNorm": [Dropout(0.5), Dense(3)],
    "LayerNorm": [Dropout(0.5), LayerNorm(), Dense(3)],
    "noise": [GaussianNoise(0.5), Dense(3), BatchNorm()],
}


@pytest.mark.parametrize("chain", BEHIND.values(), ids=BEHIND)
def test_dropout_upstream_of_batchnorm_gives_one_warning(chain):
    with pytest.warns(UserWarning, match="upstream of BatchNorm .*Li et al. 2018") as caught:
        network(chain)
    assert len(caught) == 1
    assert caught[0].filename.endswith("test_diagnostics.py") or "jaxtyping" in caught[0].filename


@pytest.mark.parametrize("chain", AHEAD.values(), ids=AHEAD)
def test_dropout_elsewhere_gives_no_warning(chain):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network(chain)


def test_the_warning_names_the_layers():
    with pytest.warns(UserWarning, match=r"\(layer 0, Dropout\(0.5\), layer 2, Dropout\(0.25\)\)"):
        network([Dropout(0.5), Dense(3), Dropout(0.25), BatchNorm(), Dropout(0.1)])


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_a_copy_does_not_warn_again(twin):
    with pytest.warns(UserWarning, match="upstream"):
        net = network([Dropout(0.5), BatchNorm(), Dense(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert twin(net).theta.size == net.theta.size


# --- gradients -----------------------------------------------------------------------------------


def verdicts(report):
    return [layer.verdict for layer in report.layers]


def test_a_healthy_network_gets_no_complaint():
    report = gradient_report(network([Dense(20), ReLU(), Dense(20), ReLU(), Dense(3)]), X, Y)
    assert verdicts(report) == [""] * 5
    assert report.verdict == "gradients and activations keep their size"


def test_in_a_deep_chain_of_sigmoids_the_first_gradients_vanish():
    report = gradient_report(network([Dense(8), Sigmoid()] * 10 + [Dense(3)]), X, Y)
    found = verdicts(report)
    assert found[0] == found[1] == "gradient vanishes"
    assert found[-1] == ""
    assert "layer 0, Dense(8): gradient vanishes" in report.verdict
    sizes = [layer.gradients for layer in report.layers]
    assert sizes[0] < 1e-3 * sizes[-1]


def test_with_huge_weights_activations_and_gradients_explode():
    net = network([Dense(8), ReLU(), Dense(8), ReLU(), Dense(3)])
    net.sites[2].p.W[:] *= 1e4
    net.sites[4].p.W[:] *= 1e4
    report = gradient_report(net, X, Y)
    assert report.layers[0].verdict == "gradient explodes"
    assert report.layers[4].verdict == "activation explodes"
    assert "explodes" in report.verdict


def test_what_is_not_finite_is_called_so():
    net = network([Dense(8), ReLU(), Dense(1)])
    net.sites[0].p.W[:] = 1e38
    report = gradient_report(net, X, X[:, 0], SquaredError())
    assert "activation not finite" in report.layers[0].verdict


def test_the_sizes_are_euclidean_norms_of_a_training_pass():
    net = network([Dense(3)], dtype=np.float64)
    W, b = net.sites[0].p
    y = np.random.default_rng(1).normal(size=(16, 3))
    (layer,) = gradient_report(net, X, y, SquaredError()).layers
    z = X @ W.T + b
    slope = 2 * (z - y) / z.size
    both = np.r_[(slope.T @ X).ravel(), slope.sum(axis=0)]
    wanted = [np.linalg.norm(part) for part in (z, slope, both)]
    found = [layer.activations, layer.gradients, layer.parameters]
    assert_allclose(found, wanted, rtol=1e-12)
    assert layer.layer == "layer 0, Dense(3)"


def test_a_layer_without_parameters_has_no_parameter_gradient():
    layers = gradient_report(network([Dense(5), ReLU(), Dense(3)]), X, Y).layers
    assert [np.isnan(layer.parameters) for layer in layers] == [False, True, False]


def test_a_report_leaves_weights_statistics_and_clock_alone():
    net = network([Dense(5), BatchNorm(), ReLU(), Dropout(0.5), Dense(3)])
    theta, state, outputs = net.theta.copy(), net.state.copy(), net.outputs(X)
    gradient_report(net, X, Y)
    assert_array_equal(net.theta, theta)
    assert_array_equal(net.state, state)
    assert_array_equal(net.outputs(X), outputs)
    assert (net.clock.step, net.clock.epoch) == (0, 0)


def test_a_report_that_fails_leaves_the_statistics_alone():
    net = network([BatchNorm(), Dense(3)])
    state = net.state.copy()
    with pytest.raises(ValueError, match="labels must be"):
        gradient_report(net, X, Y + 1)
    assert_array_equal(net.state, state)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:, :3], Y, r"takes \(rows, 4\) arrays, got \(16, 3\)"),
        (X, Y - 1, "labels must be integers from 0 to 2"),
        (X, Y[:5], "y must have as many rows as"),
        (X, np.ones((1, 3)), "y must have as many rows as"),
    ],
    ids=["width", "labels", "too few", "one for all"],
)
def test_data_that_does_not_fit_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        gradient_report(network([Dense(3)]), x, y)


def test_a_report_prints_a_row_for_each_layer():
    shown = str(gradient_report(network([Dense(8), Sigmoid()] * 10 + [Dense(3)]), X, Y))
    assert "layer 20, Dense(3)" in shown
    assert "gradient vanishes" in shown


def test_a_notebook_shows_a_report_as_it_prints():
    report = gradient_report(network([Dense(8), Sigmoid(), Dense(3)]), X, Y)
    assert "layer 2, Dense(3)" in report._repr_html_()
    assert repr(report) == str(report)
