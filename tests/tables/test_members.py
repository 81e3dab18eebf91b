"""Rows to learn from, and rows held out."""

import numpy as np
import pytest

from thinnet.tables import members


@pytest.mark.parametrize("seed", range(20))
def test_rows_to_learn_from_have_every_class_of_two_rows(seed):
    y = np.repeat(["a", "b", "c"], [40, 2, 2]).astype(object)
    kept, held = members.held_out(y, 0.3, seed)
    assert set(y[kept]) == set(y)
    np.testing.assert_array_equal(np.sort(np.append(kept, held)), np.arange(44))
