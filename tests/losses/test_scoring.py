"""A scorer of one set of rows gives the numbers of the loss's own score."""

import numpy as np
import pytest

from thinnet.losses import GaussianNLL, Poisson, SoftmaxCrossEntropy, SquaredError
from thinnet.losses.scoring import scorer


@pytest.mark.parametrize("rows", [1, 128, 129, 700])
@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("loss", [SquaredError(), GaussianNLL(), Poisson()], ids=str)
def test_a_scorer_gives_the_score_of_the_loss(loss, weighed, rows, rng) -> None:
    targets = rng.poisson(2.0, (rows, 3)).astype(np.float64)
    targets[:, 2] = 1.0  # constant: its score is 0
    weights = rng.integers(0, 3, rows) + 0.5 if weighed else None
    score = scorer(loss, targets, weights)
    for _ in range(2):
        width = 6 if isinstance(loss, GaussianNLL) else 3
        outputs = rng.normal(size=(rows, width)).astype(np.float32)
        assert score(outputs) == loss.score(outputs, targets, weights)


def test_a_scorer_of_classes_gives_the_accuracy(rng) -> None:
    outputs, labels = rng.normal(size=(300, 4)), rng.integers(0, 4, 300)
    found = scorer(SoftmaxCrossEntropy(), labels)(outputs)
    assert found == np.mean(outputs.argmax(axis=1) == labels)
