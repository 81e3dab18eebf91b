"""Which rows a step takes, and in which order."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_trainings import CLASSES, ROWS, Recorder, layers, numbered_rows, problem, trained

from thinnet import SGD, BatchNorm, Dense


def test_every_row_comes_once_an_epoch_in_another_order_each_time():
    X, y = numbered_rows()
    recorder = Recorder()
    trained([recorder, *layers()], (X, y), epochs=4)
    epochs = np.concatenate(recorder.learned).reshape(4, ROWS)
    assert (np.sort(epochs, axis=1) == np.arange(ROWS)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_the_order_depends_on_nothing_but_seed_and_epoch():
    def order(seed, chain, **settings):
        recorder = Recorder()
        trained([recorder, *chain], numbered_rows(), seed, **settings)
        return np.concatenate(recorder.learned)

    first = order(1, layers(), batch_size=8)
    assert_array_equal(first, order(1, [Dense(CLASSES)], batch_size=5, optimizer=SGD(1.0)))
    assert (first != order(2, layers())).any()


def test_unshuffled_rows_keep_their_order():
    recorder = Recorder()
    trained([recorder, *layers()], numbered_rows(), shuffle=False, epochs=2)
    assert_array_equal(np.concatenate(recorder.learned), [*range(ROWS), *range(ROWS)])


@pytest.mark.parametrize(("batch_size", "sizes"), [(8, [8, 8, 4]), (20, [20]), (99, [20])])
def test_batches_have_their_size_and_the_last_holds_the_rest(batch_size, sizes):
    recorder = Recorder()
    trained([recorder, *layers()], batch_size=batch_size, epochs=1)
    assert [len(rows) for rows in recorder.learned] == sizes


def test_no_batch_size_means_one_batch_of_all():
    recorder = Recorder()
    trained([recorder, *layers()], batch_size=None, epochs=2)
    assert [len(rows) for rows in recorder.learned] == [ROWS, ROWS]


def test_a_single_row_left_over_joins_a_batch_that_batchnorm_can_learn_from():
    recorder = Recorder()
    trained([recorder, BatchNorm(), Dense(CLASSES)], problem(17), epochs=1)
    assert [len(rows) for rows in recorder.learned] == [8, 9]
