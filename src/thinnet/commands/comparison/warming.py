"""Compile and load all that a training needs before anything is timed."""

from __future__ import annotations

import copy

from thinnet.commands.recipes import Settings
from thinnet.datasets import Split
from thinnet.losses import SoftmaxCrossEntropy
from thinnet.network import Network
from thinnet.training import INTERRUPTED, train

LOSS = SoftmaxCrossEntropy()


def warm(network: Network, settings: Settings, split: Split) -> None:
    """Train a copy for a step, and measure it; the network itself stays as it is.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted: nothing is trained yet that could be shown.
    """
    rows = slice(max(settings.batch_size, 1))
    history = train(
        copy.deepcopy(network),
        split.X_train[rows],
        split.y_train[rows],
        loss=LOSS,
        optimizer=settings.new_optimizer(),
        epochs=1,
        batch_size=settings.batch_size,
        validation=(split.X_test[rows], split.y_test[rows]),
        progress=False,
    )
    if history.stopped == INTERRUPTED:
        raise KeyboardInterrupt
