"""What a network says of itself."""

import pytest
from small_networks import LAYERS, small

from thinnet import BatchNorm, Dense, Dropout


def test_dropout_before_batch_norm_is_warned_of():
    with pytest.warns(UserWarning, match=r"layer 1, Dropout\(0.2\).*variance shift"):
        small([Dense(4), Dropout(0.2), Dense(4), BatchNorm()])


@pytest.mark.parametrize(
    "layers", [LAYERS, [Dropout(0.0), BatchNorm()], [Dropout(0.5), Dense(2)]], ids=str
)
def test_a_wise_order_is_not_warned_of(layers):
    small(layers)


def test_a_network_says_what_it_is_made_of(capsys):
    network = small()
    assert repr(network).startswith(
        "Network([Dense(8), BatchNorm(), ReLU(), Dropout(0.5), Dense(3)]"
    )
    network.describe()
    printed = capsys.readouterr().out
    for shown in ("Dense(8)", "BatchNorm()", "83", "16"):
        assert shown in printed
