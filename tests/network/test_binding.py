"""Layers that fit the rows which reach them, and ones that do not."""

import pytest
from small_networks import small

from thinnet import AlphaDropout, BatchNorm, Dense, DropConnect, Dropout, Flatten, ReLU


@pytest.mark.parametrize(
    ("layers", "features", "message"),
    [
        ([Flatten(), ReLU(), Dense(3)], (2, 3), None),
        ([Dense(3)], (2, 3), r"layer 0 of the network: Dense\(3\) must get rows of one axis"),
        ([ReLU(), DropConnect(Dense(2), 0.1)], (2, 3), r"layer 1 .*must get rows of one axis"),
        ([ReLU(), BatchNorm(axis=1)], 3, r"layer 1 .*axis of BatchNorm.* from -1 to 0, got 1"),
        ([Dropout(0.1, share_axes=(2,))], (2, 3), r"layer 0 .*share_axes .* from -2 to 1, got 2"),
        ([AlphaDropout(0.1, share_axes=(-3,))], (2, 3), r"layer 0 .*share_axes .*, got -3"),
    ],
    ids=str,
)
def test_a_layer_that_does_not_fit_is_named(layers, features, message):
    if message is None:
        assert small(layers, features).out == (3,)
        return
    with pytest.raises(ValueError, match=f"^{message}"):
        small(layers, features)
