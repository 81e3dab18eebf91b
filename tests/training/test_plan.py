"""The settings of a training."""

import pytest
from small_trainings import network, problem

from thinnet import SGD, EarlyStopping, SoftmaxCrossEntropy, train

BAD_SETTINGS = {
    "epochs": [-1, 1.5, True, "3", None],
    "batch_size": [0, -1, 2.0, "8"],
    "accumulate": [0, None, 1.5],
    "evaluate_every": [0, None],
    "checkpoint_every": [0, -3],
    "clean_rows": [-1, None, 2.5],
    "clip_norm": [0, -1, float("nan"), float("inf"), "1"],
    "shuffle": [1, None, "yes"],
    "resume": [1, "yes"],
    "loss": [SoftmaxCrossEntropy, "mse", 3],
    "optimizer": [SGD, "adam", 0.1],
    "early_stopping": [3, True, EarlyStopping],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in BAD_SETTINGS for value in BAD_SETTINGS[name]]
)
@pytest.mark.usefixtures("untyped")
def test_a_setting_out_of_its_range_is_named_with_what_it_must_be(name, value):
    settings = {"validation": problem(), "progress": False, name: value}
    with pytest.raises(ValueError, match=rf"^{name}\b.* must be .*, got ") as caught:
        train(network(), *problem(), **settings)
    assert "\n" not in str(caught.value)
