"""Training without and with dropout: timed alike, reported truly, plotted."""

import dataclasses
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import datasets
from thinnet.commands import comparison
from thinnet.commands.comparison import WITH, WITHOUT, Outcome, curves, results, surface, training
from thinnet.commands.recipes import RECIPES, Settings
from thinnet.datasets import Split
from thinnet.displays.maps import COLOURS
from thinnet.training import History

SMALL = Settings(hidden=(8,), dropout=(0.5,), epochs=2, batch_size=10)


@pytest.fixture(scope="module")
def split():
    return Split(*datasets.spiral(20, seed=0), *datasets.spiral(10, seed=1))


@pytest.fixture(scope="module")
def outcomes(split):
    return comparison.train_all(split, comparison.entries(split, SMALL, True), progress=False)


def test_all_that_is_done_once_is_done_before_the_first_clock_starts(split, monkeypatch):
    events = []
    for name in ("warm", "fit"):
        done = getattr(training, name)
        monkeypatch.setattr(
            training,
            name,
            lambda *given, name=name, done=done: (events.append(name), done(*given))[1],
        )
    comparison.train_all(split, comparison.entries(split, SMALL, True), False)
    assert events == ["warm", "warm", "fit", "fit"]


def test_warming_leaves_the_network_and_what_it_learns_as_they_are(split):
    cold, warm = (comparison.entries(split, SMALL, False)[0] for _ in range(2))
    training.warm(warm.network, warm.settings, split)
    assert_array_equal(warm.network.theta, cold.network.theta)
    outcomes = [comparison.fit(split, entry, False) for entry in (cold, warm)]
    assert_array_equal(outcomes[0].network.theta, outcomes[1].network.theta)


@pytest.mark.slow
def test_times_hold_no_compiling_even_where_nothing_is_compiled_yet(tmp_path):
    """Compiling takes many times as long as three epochs of the digits."""
    run = "from thinnet.cli import app; app()"
    command = [sys.executable, "-c", run, "fit", "digits", "--epochs", "3"]
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=tmp_path, timeout=300,
        env=os.environ | {"THINNET_CACHE_DIR": str(cache)},
    )  # fmt: skip
    first, second = (float(found) for found in re.findall(r"([\d.]+) s │\n", done.stdout))
    assert first < 3
    assert second < 3


def outcome(name, right, loss=0.5, train_score=1.0):
    right = np.asarray(right, bool)
    return Outcome(name, None, History("accuracy"), train_score, loss, right.mean(), right, 1.0)


def right(n, rows=100):
    return np.arange(rows) < n


VERDICTS = {
    "helped": (60, 90, "Dropout helped on unseen rows: with it 90 of 100 test rows are right, wit"),
    "hurt": (90, 60, "Dropout hurt on unseen rows: with it 60 of 100 test rows are right, withou"),
    "chance": (60, 62, "On unseen rows dropout made no difference in accuracy beyond chance: wit"),
    "same": (60, 60, "On unseen rows dropout made no difference in accuracy beyond chance: with"),
}


@pytest.mark.parametrize(("without", "dropped", "sentence"), VERDICTS.values(), ids=VERDICTS)
def test_the_sentence_is_about_the_rows_that_were_not_learned_from(without, dropped, sentence):
    verdict = comparison.verdict([outcome(WITHOUT, right(without)), outcome(WITH, right(dropped))])
    assert verdict.startswith(sentence)
    assert f"without it {without}" in verdict


def test_one_row_more_of_many_that_changed_is_not_called_a_help():
    """51 rows won and 50 lost say nothing; the rows that both get right don't count."""
    without, dropped = right(5050, 10_000), right(5051, 10_000)[::-1]
    assert "beyond chance" in comparison.verdict(
        [outcome(WITHOUT, without), outcome(WITH, dropped)]
    )


@pytest.mark.parametrize(
    ("losses", "sentence"),
    [
        ((0.7, 0.5), "the test loss is lower (0.5000, not 0.7000)"),
        ((0.5, 0.7), "the test loss is higher (0.7000, not 0.5000)"),
        ((0.50001, 0.50002), "the test loss is the same"),
    ],
)
def test_the_sentence_has_the_losses_of_the_table(losses, sentence):
    both = [
        outcome(name, right(50), loss=x) for name, x in zip((WITHOUT, WITH), losses, strict=True)
    ]
    assert sentence in comparison.verdict(both)


def test_the_sentence_has_the_gaps_of_the_table():
    both = [
        outcome(WITHOUT, right(60), train_score=0.98),
        outcome(WITH, right(70), train_score=0.9),
    ]
    assert comparison.verdict(both).endswith("the gap is narrower (0.2000, not 0.3800).")
    assert comparison.verdict(both[::-1]).endswith("the gap is wider (0.3800, not 0.2000).")


def test_one_network_is_not_compared():
    sentence = comparison.verdict([outcome(WITH, right(60), train_score=0.9)])
    assert sentence.startswith("Trained with dropout, it gets 60 of 100 test rows right;")
    assert "0.3000" in sentence


def test_of_an_interrupted_training_nothing_is_concluded():
    one, other = outcome(WITHOUT, right(60)), outcome(WITH, right(90))
    other.history.stopped = "interrupted"
    assert comparison.verdict([one, other]).startswith("Training was interrupted")


def test_the_rows_that_are_right_are_those_of_the_score(outcomes, split):
    for o in outcomes:
        assert o.right.mean() == pytest.approx(o.test_score)
        assert_array_equal(o.right, o.network.outputs(split.X_test).argmax(axis=1) == split.y_test)


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved, as they were."""
    kept = []
    for module in (curves, surface):
        monkeypatch.setattr(module, "save_figure", lambda figure, path: kept.append(figure) or path)
    return kept


def test_curves_differ_without_colours(outcomes, figures, tmp_path):
    assert comparison.learning_curves("two", outcomes, tmp_path / "c.png") == tmp_path / "c.png"
    (figure,) = figures
    for axes in figure.axes:
        styles = [str(line._dash_pattern) for line in axes.lines]
        assert len(set(styles)) == len(styles) == 5
    assert figure.get_suptitle() == "two"
    assert len(figure.legends[0].get_texts()) == 5


def test_a_surface_stands_beside_the_other_with_test_rows_on_it(outcomes, split, figures, tmp_path):
    comparison.decision_surface("two", outcomes, split, tmp_path / "s.png")
    (figure,) = figures
    for axes, o in zip(figure.axes, outcomes, strict=True):
        assert axes.get_title().startswith(f"{o.name}: {o.test_score:.4f}")
        drawn = np.vstack(
            [points.get_offsets() for points in axes.collections if len(points.get_offsets()) == 10]
        )
        assert_array_equal(np.unique(drawn, axis=0), np.unique(split.X_test.astype(float), axis=0))


def test_the_colour_of_a_surface_is_of_the_class_that_the_network_answers(
    outcomes, split, figures, tmp_path
):
    comparison.decision_surface("two", outcomes[:1], split, tmp_path / "s.png")
    (image,) = figures[0].axes[0].images
    left, right_, bottom, top = image.get_extent()
    colours = np.asarray(image.get_array())
    n = len(colours)
    x, y = np.meshgrid(np.linspace(left, right_, n), np.linspace(bottom, top, n))
    plane = np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)
    answers = outcomes[0].network.outputs(plane).argmax(axis=1).reshape(n, n)
    shown, full = 1 - colours, 1 - np.array([to_rgb(COLOURS[k]) for k in answers.ravel()])
    sure = shown.max(axis=-1) > 0.02
    full = full.reshape(n, n, 3)
    for colour in (shown, full):
        colour /= np.maximum(colour.max(axis=-1, keepdims=True), 1e-9)
    assert sure.mean() > 0.5
    assert_allclose(shown[sure], full[sure], atol=1e-6)


def test_there_is_no_surface_over_more_than_two_inputs(outcomes, tmp_path):
    wide = Split(*datasets.digits())
    assert comparison.decision_surface("digits", outcomes, wide, tmp_path / "s.png") is None
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_on_five_spirals_and_seeds_dropout_helps_every_time():
    recipe = RECIPES["spiral"]
    test = recipe.load(None)[2:]
    for seed in range(5):
        split = Split(*datasets.spiral(30, noise=0.15, seed=100 + seed), *test)
        settings = dataclasses.replace(recipe.settings, seed=seed)
        without, dropped = comparison.train_all(
            split, comparison.entries(split, settings, True), False
        )
        assert dropped.test_score > without.test_score
        assert dropped.test_loss < 0.8 * without.test_loss
        assert dropped.gap < without.gap


@pytest.mark.slow
def test_where_dropout_hurts_the_sentence_says_so():
    recipe = RECIPES["spiral"]
    settings = dataclasses.replace(recipe.settings, dropout=(0.8,), epochs=150)
    split = recipe.load(None)
    outcomes = comparison.train_all(split, comparison.entries(split, settings, True), False)
    assert outcomes[1].test_score < outcomes[0].test_score - 0.1
    assert comparison.verdict(outcomes).startswith("Dropout hurt on unseen rows")
    assert results.DOUBT == 0.05
