"""Checks that the parts of a table's estimator from a file fit together."""

from __future__ import annotations

import warnings
from typing import Any, Final, get_args

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from thinnet import checks
from thinnet.layers import Columns
from thinnet.losses.quantiles import checked_levels
from thinnet.network import Network
from thinnet.persistence.cards import check_card
from thinnet.persistence.networks import check_noise
from thinnet.persistence.ways import State, state_of_estimator
from thinnet.tables.calibrating import Calibration
from thinnet.tables.columns.amounts import PATTERNS, PLAIN
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.kinds import Column, Kind
from thinnet.tables.columns.parts import ColumnPart, ColumnParts
from thinnet.tables.deciding import Decision, goal_of
from thinnet.tables.drifting import Known
from thinnet.tables.importances import measure_of
from thinnet.tables.reading.dialect import Dialect
from thinnet.tables.targets import TargetScale
from thinnet.training.history import History
from thinnet.uncertainty.draws.heads import ClassHead, Head
from thinnet.uncertainty.draws.shapes import Shape

MOST_HASHED: Final = 2**20
OF_CLIPPED: Final = ("center_", "scale_", "low_", "high_")
PROBE: Final = (None, "0", "x y z", "2020-02-29")  # cells of all kinds
HELD_OUT: Final = "_held_out"


def state_of_table(estimator: Any) -> State:
    """The state with importances in place of the held-out rows that they are computed from."""
    if HELD_OUT in vars(estimator):
        assert estimator.importances_  # computed now, if nobody has asked for them before
    state = state_of_estimator(estimator)
    state.pop(HELD_OUT, None)
    return state


def finish_classifier(estimator: Any) -> None:
    """ValueError if networks, encoder and classes don't fit together."""
    _check_decision(estimator)
    _finish(estimator)


def finish_regressor(estimator: Any) -> None:
    """ValueError if networks, encoder and scale don't fit together."""
    scale = estimator.target_scale_
    shape = (estimator.n_outputs_,)
    fits = isinstance(scale, TargetScale) and all(
        isinstance(part, np.ndarray) and part.shape == shape and part.dtype == np.float64
        for part in scale
    )
    if not fits:
        raise ValueError(f"target_scale_ must hold numbers of the shape {shape}, got {scale!r}")
    checked_levels("quantile", estimator.quantile)
    _check_marks(estimator)
    check_noise(estimator)
    _check_calibration(estimator)
    _finish(estimator)


def finish_encoder(encoder: Any) -> None:
    """ValueError if rows are not encoded as the number of features that the encoder names."""
    columns = encoder.columns_
    if not columns or not all(_is_column(column) for column in columns):
        raise ValueError("columns_ must be Columns, got others")
    _check_parts(encoder)
    names = [column.name for column in columns]
    if encoder.names_in_.tolist() != names:
        raise ValueError(f"names_in_ must be {names}, got {encoder.names_in_!r}")
    rows = pd.DataFrame(dict.fromkeys(names, PROBE), dtype=object)
    shape = (len(PROBE), len(encoder.get_feature_names_out()))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # the cells are unknown to the columns
        numbers = np.asarray(encoder.transform(rows))
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise ValueError(f"an encoder must make finite numbers of the shape {shape}, got others")


def _check_parts(encoder: Any) -> None:
    """ValueError unless an encoder has either parts or the one transformer of earlier models."""
    parts, transformer = encoder.parts_, encoder.transformer_
    if parts is None and isinstance(transformer, ColumnTransformer):
        return
    fits = isinstance(parts, ColumnParts) and transformer is None and type(parts.parts) is tuple
    if not fits or not parts.parts or not all(map(_is_part, parts.parts)):
        raise ValueError("an encoder must have ColumnParts or a ColumnTransformer, got others")
    n = sum(each.bins + each.categories for each in parts.layout.encodings)
    is_array = isinstance(parts.means, np.ndarray) and parts.means.dtype == np.float64
    if parts.means is None or (is_array and parts.means.shape == (n,)):
        return
    raise ValueError(f"the means of ColumnParts must be {n} numbers of float64, got others")


def _is_part(part: Any) -> bool:
    if type(part) is not ColumnPart or type(part.columns) is not tuple or not part.columns:
        return False
    return all(type(text) is str for text in (part.name, *part.columns))


def finish_pieces(pieces: Any) -> None:
    """ValueError unless there are bins between ascending edges, as positions among them need."""
    if not pieces.edges_ or not all(map(_ascend, pieces.edges_)):
        raise ValueError("edges_ must be two ascending numbers or more for each column, got others")


def _ascend(edges: Any) -> bool:
    fits = isinstance(edges, np.ndarray) and edges.dtype == np.float64 and edges.ndim == 1
    fits = fits and len(edges) > 1 and bool(np.isfinite(edges).all())
    return fits and bool((edges[1:] > edges[:-1]).all())


def finish_clipped(scaler: Any) -> None:
    """ValueError unless each column has finite numbers and a scale above 0."""
    shape = (scaler.n_features_in_,)
    for name in OF_CLIPPED:
        each = getattr(scaler, name)
        fits = each.dtype == np.float64 and each.shape == shape and np.isfinite(each).all()
        if not fits or (name == "scale_" and not (each > 0).all()):
            raise ValueError(
                f"{name} must be {shape[0]} finite numbers of float64, scales above 0, got others"
            )


def finish_hashed(hashed: Any) -> None:
    """ValueError if the file's settings would take all of the memory."""
    checks.integer("n_features", hashed.n_features, 1, MOST_HASHED)


def _is_column(column: Any) -> bool:
    texts = (column.name, column.kind, column.form, column.why) if type(column) is Column else [0]
    plain = all(type(text) is str for text in texts) and column.kind in get_args(Kind)
    if plain and column.kind == "number" and column.form not in ("", *PATTERNS):
        return False
    return plain and all(type(day) is float for day in column.never)


def _check_drift(estimator: Any) -> None:
    """ValueError unless what drift compares with is of the encoder's columns."""
    used = [(c.name, c.kind) for c in estimator.encoder_.columns_ if c.kind != "left out"]
    found = getattr(estimator, "drift_", None)
    if found is None:
        return
    fits = all(isinstance(known, Known) for known in found)
    if not fits or [(known.name, known.kind) for known in found] != used:
        raise ValueError(f"drift_ must have the columns {used}, got others")
    for known in found:
        ends = all(isinstance(end, float) for end in (known.low, known.high))
        texts = isinstance(known.labels, tuple) and all(type(x) is str for x in known.labels)
        counts = (known.rows, known.missing, known.unreadable, known.unusual)
        if not ends or not texts or not all(map(checks.is_integer, counts)):
            raise ValueError(f"drift_ must hold ranges, labels and counts, got {known!r}")
        if not all(0 <= n <= known.rows for n in counts[1:]):
            raise ValueError(f"drift_ must hold counts of its rows, got {known!r}")


def _check_importances(estimator: Any) -> None:
    """ValueError unless importances are finite numbers for each of the table's columns."""
    found = vars(estimator).get("importances_")
    if found is None:
        return
    names = tuple(column.name for column in estimator.encoder_.columns_)
    measure = measure_of(estimator.head_)
    if found.columns != names or found.measure != measure:
        raise ValueError(f"importances_ must be of {measure} and the columns {names}, got others")
    values, loss = found.values, found.loss
    fits = isinstance(values, np.ndarray) and values.dtype == np.float64 and values.ndim == 2
    if not fits or values.shape[0] != len(names) or not values.shape[1]:
        raise ValueError("importances_ must have numbers for each column, got others")
    if type(loss) is not float or not checks.is_integer(found.rows):
        raise ValueError(f"importances_ must have a loss of rows, got {loss!r} of {found.rows!r}")


def _check_decision(estimator: Any) -> None:
    """ValueError unless weights and threshold fit the classes."""
    n = len(estimator.classes_)
    weights = getattr(estimator, "class_weights_", np.ones(n))
    fits = weights.shape == (n,) and weights.dtype == np.float64
    if not fits or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"class_weights_ must be a number >= 0 for each class, got {weights!r}")
    found = getattr(estimator, "decision_", None)
    if found is None:
        return
    fits = isinstance(found, Decision) and n == 2 and found.positive in (0, 1)
    figures = ("threshold", "precision", "recall", "f1", "balanced_accuracy")
    fractions = [getattr(found, name, None) for name in figures]
    if not fits or not all(map(_is_fraction, fractions)) or not checks.is_integer(found.rows):
        raise ValueError(f"decision_ must be a threshold of two classes, got {found!r}")
    goal_of(found.goal)


def _check_conformal(estimator: Any) -> None:
    """ValueError unless the scores of held-out rows are finite numbers."""
    found: Any = getattr(estimator, "conformal_", ())
    for part in found:
        finite = isinstance(part, np.ndarray) and part.ndim == 1 and np.isfinite(part).all()
        if not finite or part.shape != found[0].shape or not len(part):
            raise ValueError("conformal_ must hold finite numbers of held-out rows, got others")


def _check_marks(estimator: Any) -> None:
    """ValueError unless there is a decimal mark for each target, if any are amounts."""
    marks = estimator.target_decimal_
    if marks is None:
        return
    if len(marks) != estimator.n_outputs_ or not set(marks) <= {PLAIN, *PATTERNS}:
        raise ValueError(f"target_decimal_ must be a mark for each target, got {marks!r}")


def _check_calibration(estimator: Any) -> None:
    """ValueError unless a calibrated regressor has increasing knots for each output."""
    if not hasattr(estimator, "calibration_"):
        return
    found = estimator.calibration_
    fits = isinstance(found, Calibration) and isinstance(found.shape, Shape)
    if not fits or not _increases(found.shape, estimator.n_outputs_) or not _measured(found):
        raise ValueError(f"calibration_ must have increasing knots and fractions, got {found!r}")


def _increases(shape: Shape, n_outputs: int) -> bool:
    scores, errors = shape
    arrays = all(isinstance(a, np.ndarray) and a.dtype == np.float64 for a in shape)
    fits = arrays and scores.ndim == 1 and len(scores) >= 2
    fits = fits and errors.shape == (n_outputs, len(scores))
    finite = fits and np.isfinite(scores).all() and np.isfinite(errors).all()
    return bool(finite and (np.diff(scores) > 0).all() and (np.diff(errors) > 0).all())


def _measured(found: Calibration) -> bool:
    of_both = (found.coverages, found.held)
    fractions = all(isinstance(part, tuple) and all(map(_is_fraction, part)) for part in of_both)
    return fractions and len(found.coverages) == len(found.held) and checks.is_integer(found.rows)


def _is_fraction(value: Any) -> bool:
    return checks.is_real(value) and 0 <= value <= 1


def _finish(estimator: Any) -> None:
    head: Head = estimator.head_
    _check_conformal(estimator)
    if not all(type(note) is str for note in estimator.notes_):
        raise ValueError(f"notes_ must be text, got {estimator.notes_!r}")
    if hasattr(estimator, "card_"):
        plain = head.width if isinstance(head, ClassHead) else 1
        check_card(estimator.card_, plain, getattr(estimator.encoder_, "columns_", ()))
    if not isinstance(estimator.encoder_, TableEncoder):
        raise ValueError(f"encoder_ must be a TableEncoder, got {estimator.encoder_!r}")
    _check_drift(estimator)
    if not isinstance(estimator.dialect_, Dialect | None):
        raise ValueError(f"dialect_ must be a Dialect, got {estimator.dialect_!r}")
    if not all(isinstance(history, History) for history in estimator.histories_):
        raise ValueError("histories_ must be Historys, got something else")
    width = estimator.encoder_.width
    encodings = getattr(estimator.encoder_, "encodings_", None)
    for network in (*estimator.networks_, *getattr(estimator, "fold_networks_", ())):
        fits = isinstance(network, Network)
        if not fits or network.features != (width,) or network.out != (head.width,):
            raise ValueError(
                f"networks_ must take {width} numbers and give {head.width}, got {network!r}"
            )
        first = network.layers[0]
        if (first.columns if isinstance(first, Columns) else None) != encodings:
            raise ValueError("networks_ must have the encoder's columns, got others")
    if not estimator.networks_:
        raise ValueError("networks_ must hold a network at least, got none")
    _check_importances(estimator)
