"""The kinds of pass, as values."""

import pickle

import pytest
from numpy.testing import assert_array_equal
from small_networks import LAYERS

from thinnet import Run


@pytest.mark.parametrize(
    "run", [Run.train(3, [4, 5]), Run.predict(), Run.sample(1, share="batch")], ids=str
)
def test_a_run_and_the_layers_survive_pickle(run):
    again = pickle.loads(pickle.dumps(run))
    assert (again.draws, again.learns, again.step) == (run.draws, run.learns, run.step)
    assert_array_equal(again.ids, run.ids)
    assert pickle.loads(pickle.dumps(tuple(LAYERS))) == tuple(LAYERS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Run.train(-1), "step must be an integer from 0 to 4294967295, got -1"),
        (lambda: Run.train(2**32), "step must be an integer from 0 to 4294967295"),
        (lambda: Run.sample(-1), "draw must be an integer from 0 to 4294967295, got -1"),
        (lambda: Run.sample(0, [2**32]), "samples must be integers from 0 to 4294967294"),
        (lambda: Run.train(0, "all"), "samples must be a sequence of integers, got 'all'"),
    ],
)
def test_a_run_beyond_its_ranges_is_refused(make, message, untyped):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
