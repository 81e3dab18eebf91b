"""The example scripts print what their sources printed."""

import os
import re
import runpy
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import numpy as np
import oracles
import pytest
from idx_files import write_bars
from numpy.testing import assert_allclose, assert_array_equal
from paths import ROOT

from thinnet import keep_mask
from thinnet.philox import permutation

EXAMPLES = ROOT / "examples"
PNG = b"\x89PNG\r\n\x1a\n"


def run(script, *options):
    """As a reader runs it."""
    # One thread: the networks are small, and pytest-xdist has the other cores.
    surroundings = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / script, *map(str, options)],
        capture_output=True,
        text=True,
        check=False,
        env=surroundings,
    )


@cache
def lines_of(script, *options):
    """What a script prints, run within this process as in production."""
    patched = pytest.MonkeyPatch.context()
    with patched as patch, oracles.unchecked_types(), redirect_stdout(StringIO()) as output:
        patch.setattr(sys, "argv", [script, *map(str, options)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(EXAMPLES / script), run_name="__main__")
    assert not ended.value.code
    return output.getvalue().splitlines()


QUICK = {
    "pass_on_paper.py": (),
    "which_neurons.py": (),
    "batchnorm_by_hand.py": ("--epochs", 1),
    "numpy_dropout.py": ("--masks", 100, "--epochs", 1),
    "nnfs_spiral.py": ("--epochs", 2),
    "d2l_dropout.py": ("--epochs", 1, "--draws", 2),
    "figures_of_papers.py": ("--rows", 150, "--epochs", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_a_reader_sees_what_these_tests_see(script, blocks):
    options = QUICK[script]
    if script == "d2l_dropout.py":
        options += ("--data-dir", blocks, "--out", blocks)
    if script == "figures_of_papers.py":
        options += ("--out", blocks)
    done = run(script, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == lines_of(script, *options)


def numbers(text):
    found = re.findall(r"(?<![\w.])-?\d+(?:\.\d*)?(?:e[+-]?\d+)?", text.replace(",", ""))
    return [float(number) for number in found]


def after(start, lines):
    """The numbers of the first line that begins with `start`, behind it."""
    return next(
        numbers(line.strip()[len(start) :]) for line in lines if line.strip().startswith(start)
    )


def below(heading, lines, n):
    """The numbers of the `n` lines below `heading`, one row for each."""
    first = lines.index(heading) + 1
    return np.array([numbers(line) for line in lines[first : first + n]])


# --- a pass on paper ---


def test_the_pass_on_paper_prints_the_published_forward_values():
    lines = lines_of("pass_on_paper.py")
    published = {
        "net_h1": 0.3775,
        "h1": 0.593269992,
        "h2": 0.596884378,
        "net_o1": 1.105905967,
        "o1": 0.751365070,
        "o2": 0.772928465,
    }
    assert {name: after(name, lines)[0] for name in published} == published


def test_the_pass_on_paper_prints_the_published_weights_after_one_round():
    lines = lines_of("pass_on_paper.py")
    published = {
        "w1": 0.149780716,
        "w2": 0.19956143,
        "w3": 0.24975114,
        "w4": 0.29950229,
        "w5": 0.35891648,
        "w6": 0.408666186,
        "w7": 0.511301270,
        "w8": 0.561370121,
    }
    for name, value in published.items():
        before, gradient, new = after(name, lines)
        assert new == pytest.approx(value, abs=5.1e-9)
        assert new == pytest.approx(before - 0.5 * gradient, abs=1.1e-9)


def test_the_loss_falls_in_one_round_to_what_its_order_of_updates_gives():
    lines = lines_of("pass_on_paper.py")
    assert after("loss before", lines) == [0.298371109]
    assert after("loss after, in the source's order", lines) == [0.291027924]
    assert after("loss after, biases updated too", lines) == [0.280471447]
    assert after("loss after ", lines) == [0.291027774]
    assert "thinnet: the same 25 numbers to 12 digits; 63 formulas hold" in lines


def test_the_outputs_after_ten_thousand_rounds_are_the_published_ones():
    assert after("in the source's order", lines_of("pass_on_paper.py"))[1:] == [
        0.015912196,
        0.984065734,
    ]


# --- which neurons were dropped? ---


def test_the_mask_of_an_array_is_shown_with_what_it_did():
    lines = lines_of("which_neurons.py")
    x, keep, y = (below(name, lines, 5) for name in ("x", "its mask", "dropout(x, 0.5)"))
    assert_array_equal(x, np.arange(1, 11).reshape(5, 2))
    assert_array_equal(
        keep, keep_mask(seed=0, layer=0, step=0, samples=range(5), units=2, rate=0.5)
    )
    assert_array_equal(y, 2 * keep * x)


@pytest.mark.parametrize("step", [0, 99])
def test_the_mask_of_any_step_of_training_is_shown(step):
    lines = lines_of("which_neurons.py", "--step", step, "--seed", 3)
    rows = permutation(3, "shuffle", step // 10, 300)[step % 10 * 30 :][:5]
    shown = below(f"step {step}, the first 5 of its 30 rows", lines, 5)
    keep = keep_mask(seed=3, layer=0, step=step, samples=rows, units=8, rate=0.5)
    assert_array_equal(shown, keep)
    for row, kept in zip(rows, keep, strict=True):
        assert f"  row {row}: dropped {np.flatnonzero(~kept).tolist()}" in lines
    assert lines[-1].startswith("with this mask, the formula gives the outputs that training had")


def test_a_step_that_training_did_not_have_is_refused():
    done = run("which_neurons.py", "--step", 100)
    assert done.returncode == 2
    assert "--step" in done.stderr


# --- BatchNorm by hand ---

BATCH_NORM = ("batchnorm_by_hand.py", "--epochs", 1)


def test_batch_norm_by_hand_is_thinnets():
    lines = lines_of(*BATCH_NORM)
    apart = [numbers(line)[-1] for line in lines if "largest difference" in line]
    assert len(apart) == 10  # y, y after, dx, dgamma, dbeta, for two shapes
    assert max(apart) < 1e-11


def test_batch_norm_has_four_numbers_for_each_feature_or_channel():
    lines = lines_of(*BATCH_NORM)
    assert after("BatchNorm on (50,):", lines) == [50, 50, 50, 50, 200]
    assert after("BatchNorm on (28, 28, 32):", lines) == [32, 32, 32, 32, 128]


def test_a_dropout_level_outside_its_interval_is_refused():
    lines = lines_of(*BATCH_NORM)
    for level in (1.0, -0.1):
        message = f"dropout level must be in the interval [0, 1), got {level}"
        assert f"dropout(x, {level}) refused: {message}" in lines
    assert after("dropout(x, 0.0) =", lines) == list(range(1, 11))
    x, y = np.arange(1.0, 11.0), np.array(after("dropout(x, 0.4) =", lines))
    assert_allclose(y[y > 0], (x / 0.6)[y > 0], atol=0.006)


def test_every_regulariser_helps_the_network_that_overfits():
    lines = lines_of("batchnorm_by_hand.py")
    train_acc, test_acc, _, norm, _ = after("none", lines)
    assert train_acc > 0.95
    small = {}
    for name in ("L1 1e-3", "L2 3e-3", "dropout 0.5"):
        its_train_acc, its_test_acc, _, its_norm, small[name] = after(name, lines)
        assert its_train_acc < train_acc
        assert its_test_acc > test_acc + 0.04
        assert its_norm < norm
    assert small["L1 1e-3"] > 0.5 > small["L2 3e-3"]  # only L1 makes weights vanish


def test_the_chain_rule_written_out_is_the_derivative(rng):
    script = runpy.run_path(str(EXAMPLES / "batchnorm_by_hand.py"))
    x, (gamma, beta), dy = rng.normal(size=(7, 3)), rng.normal(size=(2, 3)), rng.normal(size=(7, 3))
    v = script["forward"](x, gamma, beta)
    found = script["backward"](x, gamma, v, dy)

    def loss():
        return float(np.vdot(dy, script["forward"](x, gamma, beta).y))

    def loss_beyond(mu, sigma2):
        return float(np.vdot(dy, gamma * (x - mu) / np.sqrt(sigma2 + script["EPSILON"]) + beta))

    sigma2, mu = v.sigma2.copy(), v.mu.copy()
    expected = {
        "dx": oracles.numeric_gradient(loss, x.reshape(-1)).reshape(x.shape),
        "dgamma": oracles.numeric_gradient(loss, gamma),
        "dbeta": oracles.numeric_gradient(loss, beta),
        "dsigma2": oracles.numeric_gradient(lambda: loss_beyond(mu, sigma2), sigma2),
        # The variance moves with the mean.
        "dmu": oracles.numeric_gradient(lambda: loss_beyond(mu, ((x - mu) ** 2).mean(axis=0)), mu),
    }
    for name, values in expected.items():
        assert_allclose(getattr(found, name), values, rtol=1e-5, atol=1e-8, err_msg=name)


# --- the NumPy one ---

NUMPY = ("numpy_dropout.py", "--masks", 5000, "--epochs", 1)


def test_inverted_dropout_masks_applies_and_scales():
    lines = lines_of(*NUMPY)
    a, mask, applied, scaled = (
        below(name, lines, 2) for name in ("a", "mask", "a * mask", "scaled")
    )
    assert set(mask.ravel()) == {0, 1}
    assert_allclose(applied, a * mask)
    assert_allclose(scaled, applied / 0.8, atol=0.002)


def test_each_hidden_layer_has_a_keep_probability_of_its_own():
    lines = lines_of(*NUMPY)
    for i in (1, 2):
        wanted, kept = after(f"hidden layer {i}: keep probability", lines)
        assert kept == pytest.approx(wanted, abs=0.025)  # 5 standard errors over 10,000 units
    assert "a keep probability per layer: the formula and thinnet agree in a training pass" in lines


def test_the_mean_over_many_masks_is_the_input_or_its_share():
    lines = lines_of(*NUMPY)
    x = np.arange(1, 9)
    assert_array_equal(after("input", lines), x)
    assert_allclose(after("inverted, mean", lines), x, rtol=0.05)
    assert_allclose(after("classical, tested", lines)[:8], 0.8 * x)
    assert_allclose(after("classical, mean", lines), 0.8 * x, rtol=0.05)
    for scaling in ("inverted", "classical"):
        n_draws, standard_errors = after(f"thinnet, {scaling}:", lines)
        assert n_draws == 2000
        assert standard_errors < 5


def test_dropout_beats_five_nets_where_labels_are_wrong():
    lines = lines_of("numpy_dropout.py", "--masks", 1000, "--epochs", 50)
    second = next(i for i, line in enumerate(lines) if line.startswith("500 digits, 20%"))
    clean, noisy = lines[:second], lines[second:]
    for part in (clean, noisy):
        each = after("each net without dropout", part)
        assert len(each) == 5
        for name in ("average of five nets", "majority vote of five nets"):
            assert min(each) <= after(name, part)[0] <= 1
    assert after("one net with dropout", clean)[0] > 0.9
    rival = max(after("average of five nets", noisy) + after("majority vote of five nets", noisy))
    assert after("one net with dropout", noisy)[0] > rival


# --- NNFS ---


def test_nnfs_prints_the_sources_line_every_hundred_epochs():
    lines = lines_of("nnfs_spiral.py", "--epochs", 201)
    epochs = [numbers(line) for line in lines if line.startswith("epoch: ")]
    assert [epoch[0] for epoch in epochs] == [0, 100, 200] * 2
    for epoch, acc, loss, data_loss, reg_loss, lr in epochs:
        assert 0 <= acc <= 1
        assert loss == pytest.approx(data_loss + reg_loss, abs=0.0011)
        assert lr == pytest.approx(0.05 / (1 + 5e-5 * epoch))
    for first in (epochs[0], epochs[3]):
        assert first[2:5] == [1.099, 1.099, 0.0]  # log 3, and weights of 0.01
    assert epochs[2][1] > 0.7 > epochs[0][1]


def test_nnfs_shows_the_64_units_without_and_with_their_dropout():
    lines = lines_of("nnfs_spiral.py", "--epochs", 201)
    assert [line for line in lines if "units" in line] == [
        "64 units, dropout bypassed",
        "64 units, dropout on",
    ]
    validation = [numbers(line) for line in lines if line.startswith("validation, acc: ")]
    assert len(validation) == 2
    assert all(0.5 < acc < 0.95 and 0.2 < loss < 1 for acc, loss in validation)


def test_nnfs_shows_just_one_network_when_asked():
    lines = lines_of("nnfs_spiral.py", "--units", 512, "--dropout", "--epochs", 1)
    assert [line for line in lines if "units" in line] == ["512 units, dropout on"]


def results_of(lines, wanted):
    """Of a seed or "median": (units, dropout) -> train acc, validation acc, validation loss."""
    rows = [line.split() for line in lines[1:]]
    return {
        (units, dropout): np.array(results, float)
        for units, dropout, seed, *results in rows
        if seed == wanted
    }


FOUR = {("64", "bypassed"), ("64", "on"), ("512", "bypassed"), ("512", "on")}


def test_nnfs_tables_four_networks_over_seeds_and_their_medians():
    lines = lines_of("nnfs_spiral.py", "--all", "--epochs", 2, "--seeds", 3)
    by_seed = [results_of(lines, seed) for seed in "012"]
    median = results_of(lines, "median")
    assert set(median) == FOUR
    for key in FOUR:
        assert_allclose(median[key], np.median([results[key] for results in by_seed], axis=0))


@pytest.mark.slow
def test_nnfs_lands_where_the_source_and_an_independent_run_did():
    median = results_of(lines_of("nnfs_spiral.py", "--all"), "median")
    # With 64 units and dropout a seed strays by 0.05, also in the source's own arithmetic.
    expected = {
        ("64", "bypassed"): ([0.905, 0.88], 0.03),
        ("64", "on"): ([0.705, 0.74], 0.07),
        ("512", "on"): ([0.865, 0.875], 0.03),
        ("512", "bypassed"): ([0.91, 0.92], 0.04),
    }
    assert set(median) == FOUR
    for key, (accuracies, by) in expected.items():
        assert_allclose(median[key][:2], accuracies, atol=by, rtol=0, err_msg=str(key))
    assert median["512", "on"][2] == pytest.approx(0.397, abs=0.05)


# --- d2l ---


@pytest.fixture
def blocks(tmp_path):
    return write_bars(tmp_path)


def check_dropout_layer(lines):
    X = np.arange(16).reshape(2, 8)
    assert_array_equal(below("dropout_p = 0:", lines, 2), X)
    assert_array_equal(below("dropout_p = 1:", lines, 2), 0 * X)
    half = below("dropout_p = 0.5:", lines, 2)
    assert set((half[X > 0] / X[X > 0]).tolist()) == {0, 2}


def check_agreement(lines, n_images):
    """All images are counted, and where all passes agree the answer is right most often."""
    groups = [line for line in lines if " images, " in line]
    counts = [int(re.search(r"(\d+) images", line)[1]) for line in groups]
    assert sum(counts) == n_images
    mean = next(numbers(line)[-1] for line in lines if "passes with dropout on" in line)
    assert numbers(groups[0])[-1] >= mean


def test_d2l_prints_its_layer_trains_its_network_and_shows_its_uncertainty(blocks, tmp_path):
    options = ("--data-dir", blocks, "--out", tmp_path / "out", "--epochs", 40, "--draws", 20)
    lines = lines_of("d2l_dropout.py", *options)
    check_dropout_layer(lines)
    assert "784-256-256-10, dropout 0.2 and 0.5" in lines
    epochs = [numbers(line) for line in lines if line.startswith("epoch ")]
    assert [epoch[0] for epoch in epochs] == list(range(1, 41))
    assert epochs[0][1] == pytest.approx(np.log(10), abs=0.01)
    assert epochs[-1][4] > 0.9
    check_agreement(lines, 100)
    for name in ("d2l_curves.png", "d2l_uncertainty.png"):
        path = tmp_path / "out" / name
        assert path.read_bytes().startswith(PNG)
        assert any(line.endswith(f"saved as {path}") for line in lines)


def test_d2l_offers_the_dropout_of_the_sources_code(blocks):
    lines = lines_of(
        "d2l_dropout.py",
        "--data-dir",
        blocks,
        "--out",
        blocks,
        "--epochs",
        1,
        "--draws",
        2,
        "--dropout-1",
        0.5,
    )
    assert "784-256-256-10, dropout 0.5 and 0.5" in lines


@pytest.mark.slow
def test_d2l_learns_fashion_mnist_in_ten_epochs(data_dir, tmp_path):
    folder = data_dir / "fashion-mnist"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    lines = lines_of("d2l_dropout.py", "--data-dir", folder, "--out", tmp_path)
    epochs = [numbers(line) for line in lines if line.startswith("epoch ")]
    assert len(epochs) == 10
    loss, train_acc, _, test_acc = epochs[-1][1:]
    assert loss < 0.45
    assert train_acc > 0.84
    assert test_acc > 0.82
    check_agreement(lines, 10_000)


# --- figures of papers ---


@pytest.mark.slow
def test_the_figures_of_the_papers_are_drawn_and_their_numbers_printed(tmp_path):
    lines = lines_of("figures_of_papers.py", *QUICK["figures_of_papers.py"], "--out", tmp_path)
    assert "tanh, Glorot: gradients keep their size" in [line.strip() for line in lines]
    saved = [line.split()[2] for line in lines if line.startswith("  saved as")]
    assert len(saved) == len(set(saved)) == 15
    for name in saved:
        assert (tmp_path / name).read_bytes().startswith(PNG)
        assert (tmp_path / name).with_suffix(".svg").read_bytes().startswith(b"<?xml")
    # Before training, with weights in +-1/sqrt(n), gradients shrink from layer to layer on the
    # way back, but those of weights don't (Glorot and Bengio 2010, figures 7 and 8).
    gradients = after("1/sqrt(n), gradients:", lines)
    assert (np.diff(gradients) > 0).all()
    parameters = after("1/sqrt(n), parameters:", lines)[:-1]
    assert max(parameters) < 1.5 * min(parameters)
    even = after("Glorot, gradients:", lines)[:-1]
    assert max(even) < 3 * min(even) < 30 * max(gradients)


@pytest.mark.slow
def test_dropout_makes_the_hidden_units_of_an_autoencoder_sparse(tmp_path):
    """Srivastava et al. 2014, figure 8."""
    lines = lines_of("figures_of_papers.py", "--out", tmp_path)
    without, with_dropout = (
        after(name, lines)[:2] for name in ("without dropout: mean", "dropout 0.5: mean")
    )
    assert with_dropout[0] < 0.6 * without[0]
    assert with_dropout[1] > 1.3 * without[1]
