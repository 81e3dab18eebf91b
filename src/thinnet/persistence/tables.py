"""Do the parts of a table's estimator, as a file has them, fit together?"""

from __future__ import annotations

from typing import Any

import numpy as np

from thinnet.network import Network
from thinnet.persistence.networks import check_noise
from thinnet.tables.dialect import Dialect
from thinnet.tables.encoding import TableEncoder
from thinnet.tables.targets import TargetScale
from thinnet.training.history import History


def finish_classifier(estimator: Any) -> None:
    """ValueError where networks, encoder and classes don't fit."""
    _finish(estimator, len(estimator.classes_))


def finish_regressor(estimator: Any) -> None:
    """ValueError where networks, encoder and scale don't fit."""
    scale = estimator.target_scale_
    shape = (estimator.n_outputs_,)
    fits = isinstance(scale, TargetScale) and all(
        isinstance(part, np.ndarray) and part.shape == shape and part.dtype == np.float64
        for part in scale
    )
    if not fits:
        raise ValueError(f"target_scale_ must hold numbers of the shape {shape}, got {scale!r}")
    check_noise(estimator)
    _finish(estimator, estimator._n_network_outputs())


def _finish(estimator: Any, n_outputs: int) -> None:
    if not isinstance(estimator.encoder_, TableEncoder):
        raise ValueError(f"encoder_ must be a TableEncoder, got {estimator.encoder_!r}")
    if not isinstance(estimator.dialect_, Dialect | None):
        raise ValueError(f"dialect_ must be a Dialect, got {estimator.dialect_!r}")
    if not all(isinstance(history, History) for history in estimator.histories_):
        raise ValueError("histories_ must be Historys, got something else")
    width = len(estimator.encoder_.get_feature_names_out())
    for network in estimator.networks_:
        fits = isinstance(network, Network)
        if not fits or network.features != (width,) or network.out != (n_outputs,):
            raise ValueError(
                f"networks_ must take {width} numbers and give {n_outputs}, got {network!r}"
            )
    if not estimator.networks_:
        raise ValueError("networks_ must hold a network at least, got none")
