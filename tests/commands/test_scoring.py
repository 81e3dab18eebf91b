"""Scores beside those of the plainest answer."""

import numpy as np
from numpy.testing import assert_allclose

from thinnet.commands import scoring


def test_the_plain_answer_of_classes_is_their_frequencies_in_training():
    y, p = np.array([0, 1, 1, 2]), np.full((4, 3), 1 / 3)
    found = scoring.of_classes(y, p, np.array([0.2, 0.5, 0.3]))
    plain = {score.name: score.baseline for score in found}
    assert plain["accuracy"] == 0.5
    assert_allclose(plain["log loss"], -np.log([0.2, 0.5, 0.5, 0.3]).mean())
