"""The history of a training run: columns, printing, plotting."""

import math

import matplotlib as mpl
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thinnet import Dense, Dropout, History, Network, train
from thinnet.training import Epoch

mpl.use("Agg")


def epochs(n, **columns):
    fixed = {"learning_rate": 0.1, "loss": 0.5, "penalty": 0.0, "score": 0.75} | columns
    return [Epoch(epoch=i, step=10 * (i + 1), **fixed) for i in range(n)]


def history(n, **columns):
    return History("accuracy", epochs(n, **columns), stopped="all epochs done")


def test_a_column_is_an_array_of_floats_with_nan_where_nothing_was_measured():
    two = History("accuracy", [*epochs(1), Epoch(1, 20, 0.1, 0.4, 0.0, 0.8, validation_loss=0.3)])
    assert_array_equal(two["loss"], [0.5, 0.4])
    assert_array_equal(two["validation_loss"], [math.nan, 0.3])
    assert two["epoch"].dtype == np.float64


def test_an_unknown_column_is_named_with_those_there_are():
    with pytest.raises(KeyError, match=r"must be one of epoch, step, .*, got 'accuracy'"):
        history(1)["accuracy"]


def test_a_history_iterates_counts_and_knows_its_last_epoch():
    three = history(3)
    assert [epoch.epoch for epoch in three] == [0, 1, 2]
    assert len(three) == 3
    assert three.last.step == 30


def test_a_history_is_a_table_by_column_and_by_row():
    three = history(3, validation_score=0.5)
    by_column, by_row = three.to_dict(), three.to_rows()
    assert_array_equal(by_column["validation_score"], [0.5] * 3)
    assert [row["step"] for row in by_row] == [10, 20, 30]
    assert set(by_column) == set(by_row[0])


def test_a_printed_history_shows_what_was_measured_and_why_it_ended():
    shown = str(history(2, validation_score=0.625))
    assert "validation score" in shown
    assert "0.625" in shown
    assert "all epochs done" in shown


@pytest.mark.parametrize("absent", ["validation", "clean", "penalty", "nan"])
def test_a_printed_history_leaves_out_what_was_not_measured(absent):
    assert absent not in str(history(2))


def test_a_printed_history_shows_a_penalty_where_there_is_one():
    assert "penalty" in str(history(2, penalty=0.25))


@pytest.mark.parametrize(("n", "rows"), [(1, 1), (12, 12), (500, 12)])
def test_a_long_history_is_thinned_to_first_last_and_some_between(n, rows):
    table = history(n).table(at_most=12)
    numbers = [int(cell) for cell in table.columns[0].cells]
    assert len(numbers) == rows
    assert {numbers[0], numbers[-1]} == {0, n - 1}
    assert numbers == sorted(numbers)


def test_an_empty_history_prints():
    assert str(History()).strip()


def labels(axes):
    return [line.get_label() for line in axes.lines]


@pytest.fixture
def axes():
    from matplotlib import pyplot as plt

    figure, pair = plt.subplots(1, 2)
    yield pair
    plt.close(figure)


def test_losses_and_scores_are_drawn_over_the_epochs(axes):
    drawn = history(3, clean_loss=0.4, clean_score=0.8, validation_loss=0.6, validation_score=0.7)
    drawn.plot(axes)
    for ax in axes:
        assert labels(ax) == ["training, dropout on", "training, dropout off", "validation"]
    assert_array_equal(axes[0].lines[2].get_ydata(), [0.6] * 3)
    assert_array_equal(axes[1].lines[1].get_ydata(), [0.8] * 3)
    assert [ax.get_ylabel() for ax in axes] == ["loss", "accuracy"]


def test_what_was_not_measured_is_not_drawn(axes):
    history(3).plot(axes)
    assert labels(axes[0]) == ["training, dropout on"]


def test_the_epoch_whose_weights_were_kept_is_marked(axes):
    stopped = history(3)
    stopped.best_epoch = 1
    stopped.plot(axes)
    assert_array_equal(axes[0].lines[-1].get_xdata(), [2, 2])  # the second epoch
    assert labels(axes[0])[-1] == "weights kept"


def test_a_plot_makes_its_own_axes():
    from matplotlib import pyplot as plt

    pair = history(2).plot()
    assert len(pair) == 2
    plt.close(pair[0].figure)


def test_an_empty_history_plots(axes):
    History().plot(axes)
    assert labels(axes[0]) == []


def test_a_real_history_prints_and_has_one_row_an_epoch():
    rng = np.random.default_rng(0)
    net = Network([Dropout(0.2), Dense(2, l2=0.1)], features=3, seed=0)
    seen = train(net, rng.normal(size=(9, 3)), rng.integers(2, size=9), epochs=4, progress=False)
    assert len(seen.to_rows()) == 4
    assert "clean score" in str(seen)
    assert "penalty" in str(seen)


def test_a_notebook_shows_the_lines_that_are_printed():
    two = history(2, loss=0.125)
    shown = two._repr_html_()
    assert shown.startswith("<pre>")
    assert "0.125" in shown
    assert "0.125" in str(two)
    assert repr(two) == "<History of 2 epochs: all epochs done>"
