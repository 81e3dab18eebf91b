"""The tests would notice a function that takes or returns an array of another shape."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from thinnet import Dense, Network, SquaredError
from thinnet.losses.base import weighted_mean

ROWS = np.ones((3, 1))


@pytest.fixture(autouse=True)
def _shapes_are_checked(request):
    if not request.config.getoption("--shapes"):
        pytest.skip("shapes are checked by `pytest --shapes`")


@pytest.mark.parametrize(
    "weights", [np.ones((3, 1)), np.ones(4)], ids=["of another rank", "of other rows"]
)
def test_weights_of_another_shape_than_their_rows_are_noticed(weights):
    assert weighted_mean(SquaredError(), ROWS, ROWS, np.ones(3))[0] == 0.0
    with pytest.raises(TypeCheckError, match="weighted_mean"):
        weighted_mean(SquaredError(), ROWS, ROWS, weights)


def test_what_an_array_is_returned_as_is_noticed(monkeypatch):
    network = Network([Dense(2)], features=3)
    monkeypatch.setattr(network.parameters, "lend", lambda: np.ones((2, 4)))
    with pytest.raises(TypeCheckError, match="theta"):
        _ = network.theta


def test_functions_without_shapes_are_not_slowed_down():
    assert hasattr(Network.outputs, "__wrapped__")
    assert not hasattr(Network.describe, "__wrapped__")
