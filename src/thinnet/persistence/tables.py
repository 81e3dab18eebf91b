"""Do the parts of a table's estimator, as a file has them, fit together?"""

from __future__ import annotations

import warnings
from typing import Any, Final, get_args

import numpy as np
import pandas as pd

from thinnet import checks
from thinnet.network import Network
from thinnet.persistence.networks import check_noise
from thinnet.tables.dialect import Dialect
from thinnet.tables.encoding import TableEncoder
from thinnet.tables.kinds import Column, Kind
from thinnet.tables.targets import TargetScale
from thinnet.training.history import History

MOST_HASHED: Final = 2**20
PROBE: Final = (None, "0", "x y z", "2020-02-29")  # cells of all kinds
CARD: Final[dict[str, Any]] = {
    "table": str,
    "target": str,
    "rows": int,
    "tested on": str | None,
    "plain": list,
    "seed": int,
    "thinnet": str,
    "scores": list,
}
SCORE: Final[dict[str, Any]] = {"name": str, "model": float, "baseline": float, "rises": bool}


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


def finish_encoder(encoder: Any) -> None:
    """ValueError where rows of any cells don't become as many numbers as it has names for."""
    columns = encoder.columns_
    if not columns or not all(_is_column(column) for column in columns):
        raise ValueError("columns_ must be Columns, got others")
    names = [column.name for column in columns]
    if encoder.names_in_.tolist() != names:
        raise ValueError(f"names_in_ must be {names}, got {encoder.names_in_!r}")
    rows = pd.DataFrame(dict.fromkeys(names, PROBE), dtype=object)
    shape = (len(PROBE), len(encoder.get_feature_names_out()))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # cells that no column has learned
        numbers = encoder.transform(rows)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise ValueError(f"an encoder must make finite numbers of the shape {shape}, got others")


def finish_hashed(hashed: Any) -> None:
    """ValueError where a few words of a file would ask for all of memory."""
    checks.integer("n_features", hashed.n_features, 1, MOST_HASHED)


def _is_column(column: Any) -> bool:
    texts = (column.name, column.kind, column.form, column.why) if type(column) is Column else [0]
    return all(type(text) is str for text in texts) and column.kind in get_args(Kind)


def _check_card(card: Any) -> None:
    """Is what the command says of a model there, and what it says it is?"""
    for name, kind in CARD.items():
        if not isinstance(card.get(name, ...), kind):
            raise ValueError(
                f"card_ must have {name!r}, of the type {kind}, got {card.get(name)!r}"
            )
    if not all(type(share) is float for share in card["plain"]):
        raise ValueError(f"plain must be numbers, got {card['plain']!r}")
    for score in card["scores"]:
        fits = isinstance(score, dict) and score.keys() == SCORE.keys()
        if not fits or not all(isinstance(score[name], SCORE[name]) for name in SCORE):
            raise ValueError(f"scores must have {', '.join(SCORE)}, got {score!r}")


def _finish(estimator: Any, n_outputs: int) -> None:
    if not all(type(note) is str for note in estimator.notes_):
        raise ValueError(f"notes_ must be text, got {estimator.notes_!r}")
    if hasattr(estimator, "card_"):
        _check_card(estimator.card_)
        plain = n_outputs if hasattr(estimator, "classes_") else 1
        if len(estimator.card_["plain"]) != plain:
            raise ValueError(f"plain must be {plain} numbers, got {estimator.card_['plain']!r}")
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
