"""Every class that a model file may hold: objects of other classes are never made.

A class is added by one line: its module, and the `Way` to take it apart and make it
(`thinnet.persistence.ways`).  It is imported when a file has it.  A file names classes by their own
names, so that they may move from module to module; no two have the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np

from thinnet import layers
from thinnet.network import Network
from thinnet.persistence import networks, tables, wrappers
from thinnet.persistence.transformers import finish_imputer, finish_one_hot, without_function
from thinnet.persistence.ways import Kinds, Way, fitted, record, records
from thinnet.tables.importances import Importances
from thinnet.training.history import History

ARRAY: Final = np.ndarray
OR_NONE: Final = ARRAY | None
NUMBER: Final = int | float | np.number
BOOL: Final = bool | np.bool_

MLP: Final[Kinds] = {"network_": Network, "n_features_in_": int, "n_outputs_": int}
CLASSES: Final[Kinds] = {"classes_": ARRAY, "_labels": object}
FIGURES: Final[Kinds] = {
    "_momentary": object,
    "_no_improvement_count": int,
    "best_loss_": NUMBER | None,
    "best_validation_score_": NUMBER | None,
    "history_": History,
    "loss_": NUMBER,
    "loss_curve_": list,
    "n_iter_": NUMBER,
    "n_layers_": int,
    "out_activation_": str,
    "t_": NUMBER,
    "validation_scores_": list | None,
}
NOISE: Final[Kinds] = {"noise_": ARRAY}

ENSEMBLE: Final[Kinds] = {"estimators_": list, "n_features_in_": int, "n_outputs_": int}

PROTOCOLS: Final = ("Layer", "Shapes")  # beside the layers themselves
OURS: Final[dict[str, Way]] = {
    "thinnet.estimators.EnsembleClassifier": fitted(
        {**ENSEMBLE, "classes_": ARRAY}, finish=wrappers.finish_ensemble_classifier
    ),
    "thinnet.estimators.EnsembleRegressor": fitted(
        ENSEMBLE, NOISE, wrappers.finish_ensemble_regressor
    ),
    "thinnet.estimators.MLPClassifier": fitted(
        {**MLP, **CLASSES}, FIGURES, networks.finish_classifier
    ),
    "thinnet.estimators.MLPRegressor": fitted(MLP, {**FIGURES, **NOISE}, networks.finish),
    "thinnet.estimators.labels.Labels": record(),
    "thinnet.estimators.solvers.Momentary": record(),
    "thinnet.network.logbook.Entry": record(),
    "thinnet.network.Network": Way(networks.state_of_network, networks.make_network, alone=True),
    "thinnet.training.history.History": Way(networks.state_of_history, networks.make_history),
    "thinnet.training.state.Begin": record(),
    **records("thinnet.optimizers", "Adagrad", "Adam", "AdamW", "RMSprop", "SGD"),
    **records("thinnet.optimizers.adaptive", "Moments", "Squares"),
    **records("thinnet.optimizers.sgd", "Empty", "Momentum"),
    **records("thinnet.layers", *(each for each in layers.__all__ if each not in PROTOCOLS)),
    **records("thinnet.initializers", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform"),
    **records("thinnet.initializers", "LeCunNormal", "LeCunUniform", "Normal", "Orthogonal"),
    **records("thinnet.initializers", "Zeros"),
    **records("thinnet.losses", "AbsoluteError", "BinaryCrossEntropy", "GaussianNLL", "Huber"),
    **records("thinnet.losses", "Pinball", "Poisson", "SoftmaxCrossEntropy", "SquaredError"),
    **records("thinnet.schedules", "Constant", "Cosine", "InverseTime", "Linear", "Step", "Warmup"),
    **records("thinnet.schedules", "ReduceOnPlateau"),
    **records("thinnet.training", "WeightAverage"),
}

COLUMNS: Final[Kinds] = {
    "transformers_": list,
    "_columns": list,
    "_remainder": tuple,
    "_transformer_to_input_indices": dict,
}
OUTPUTS: Final[Kinds] = {
    "output_indices_": dict,
    "sparse_output_": BOOL,
    "_transformers_feature_names_out": ARRAY,
}
DTYPES: Final[Kinds] = {"_fit_dtype": np.dtype, "_fill_dtype": np.dtype}
SEEN: Final[Kinds] = {"n_samples_seen_": NUMBER | ARRAY}
EXTREMES: Final[Kinds] = {"data_min_": ARRAY, "data_max_": ARRAY, "data_range_": ARRAY}
MOMENTS: Final[Kinds] = {"mean_": OR_NONE, "var_": OR_NONE, "scale_": OR_NONE}
PIECES: Final = ("BinPositions", "PiecewiseLinear")
CATEGORIES: Final[Kinds] = {"categories_": list, "_infrequent_enabled": bool}
RARE: Final[Kinds] = {"_infrequent_indices": list, "_default_to_infrequent_mappings": list}
ONE_HOT: Final[Kinds] = {"_drop_idx_after_grouping": OR_NONE, "_n_features_outs": list}
QUANTILES: Final[Kinds] = {"n_quantiles_": NUMBER, "quantiles_": ARRAY, "references_": ARRAY}
ENCODINGS: Final[Kinds] = {
    "classes_": OR_NONE,
    "encodings_": list,
    "target_mean_": NUMBER | ARRAY,
    "target_type_": str,
}
BINARY: Final[Kinds] = {"classes_": ARRAY, "sparse_input_": BOOL, "y_type_": str}
INDICATOR: Final[Kinds] = {"features_": ARRAY, "_n_features": int}

TABLE: Final[Kinds] = {
    "encoder_": object,
    "history_": History,
    "histories_": list,
    "n_features_in_": int,
    "n_iter_": NUMBER,
    "networks_": list,
    "notes_": tuple,
}
MAY_BE: Final[Kinds] = {
    "card_": dict,
    "conformal_": tuple,
    "drift_": tuple,
    "fold_networks_": list,
    "dialect_": object,
    "importances_": Importances,
    "interrupted_": bool,
    "target_decimal_": str | None,
    "target_name_": str,
    "weight_name_": str,
    "group_name_": str,
    "time_name_": str,
}
TABLES: Final[dict[str, Way]] = {
    "thinnet.tables.classifier.TableClassifier": fitted(
        {**TABLE, "classes_": ARRAY},
        {**MAY_BE, "class_weights_": ARRAY, "decision_": object},
        tables.finish_classifier,
        tables.state_of_table,
    ),
    "thinnet.tables.calibrating.Calibration": record(),
    "thinnet.tables.deciding.Decision": record(),
    "thinnet.tables.reading.dialect.Dialect": record(),
    "thinnet.tables.drifting.Known": record(),
    "thinnet.tables.importances.Importances": record(),
    "thinnet.tables.columns.encoding.TableEncoder": fitted(
        {"columns_": tuple, "names_in_": ARRAY},
        {"missing_": tuple, "parts_": object, "transformer_": object},
        tables.finish_encoder,
    ),
    "thinnet.tables.columns.clipping.SmoothlyClipped": fitted(
        dict.fromkeys(tables.OF_CLIPPED, ARRAY), finish=tables.finish_clipped
    ),
    "thinnet.tables.columns.codes.Codes": fitted(
        {**CATEGORIES, **ONE_HOT}, {**RARE, "drop_idx_": OR_NONE}, finish_one_hot
    ),
    "thinnet.tables.columns.hashing.HashedText": fitted({}, finish=tables.finish_hashed),
    "thinnet.tables.columns.kinds.Column": record(),
    **{
        f"thinnet.tables.columns.pieces.{name}": fitted(
            {"edges_": list}, finish=tables.finish_pieces
        )
        for name in PIECES
    },
    **records("thinnet.tables.columns.parts", "ColumnPart", "ColumnParts"),
    "thinnet.tables.regressor.TableRegressor": fitted(
        {**TABLE, "n_outputs_": int, "target_scale_": object},
        {**MAY_BE, **NOISE, "calibration_": object},
        tables.finish_regressor,
        tables.state_of_table,
    ),
    "thinnet.tables.targets.TargetScale": record(),
    "thinnet.uncertainty.conformal_classifier.SplitConformalClassifier": fitted(
        {"scores_": ARRAY, "classes_": ARRAY}, finish=wrappers.finish_sets
    ),
    "thinnet.uncertainty.conformal_regressor.SplitConformalRegressor": fitted(
        {"errors_": ARRAY, "std_": OR_NONE}, finish=wrappers.finish_intervals
    ),
    "thinnet.uncertainty.draws.shapes.Shape": record(),
    "thinnet.uncertainty.temperature.TemperatureScaling": fitted(
        {"temperature_": NUMBER, "classes_": ARRAY}, finish=wrappers.finish_temperature
    ),
}

SCIKIT_LEARN: Final[dict[str, Way]] = {
    "sklearn.compose.ColumnTransformer": fitted(COLUMNS, OUTPUTS),
    "sklearn.compose.make_column_selector": record("pattern", "dtype_include", "dtype_exclude"),
    "sklearn.impute.MissingIndicator": fitted(INDICATOR, {"_precomputed": bool}),
    "sklearn.impute.SimpleImputer": fitted(
        {"statistics_": ARRAY, "indicator_": object}, DTYPES, finish_imputer
    ),
    "sklearn.model_selection.KFold": record("n_splits", "shuffle", "random_state"),
    "sklearn.pipeline.Pipeline": fitted({}),
    "sklearn.preprocessing.FunctionTransformer": fitted({}, finish=without_function),
    "sklearn.preprocessing.KBinsDiscretizer": fitted(
        {"bin_edges_": ARRAY, "n_bins_": ARRAY}, {"_encoder": object}
    ),
    "sklearn.preprocessing.LabelBinarizer": fitted(BINARY),
    "sklearn.preprocessing.MinMaxScaler": fitted(
        {"min_": ARRAY, "scale_": ARRAY, **EXTREMES, **SEEN}
    ),
    "sklearn.preprocessing.OneHotEncoder": fitted(
        {**CATEGORIES, **ONE_HOT}, {**RARE, "drop_idx_": OR_NONE}, finish_one_hot
    ),
    "sklearn.preprocessing.OrdinalEncoder": fitted({**CATEGORIES, "_missing_indices": dict}, RARE),
    "sklearn.preprocessing.PowerTransformer": fitted({"lambdas_": ARRAY}, {"_scaler": object}),
    "sklearn.preprocessing.QuantileTransformer": fitted(QUANTILES),
    "sklearn.preprocessing.RobustScaler": fitted({"center_": OR_NONE, "scale_": OR_NONE}),
    "sklearn.preprocessing.StandardScaler": fitted({**MOMENTS, **SEEN}),
    "sklearn.preprocessing.TargetEncoder": fitted({**CATEGORIES, **ENCODINGS}),
}

OTHERS: Final[dict[str, Way]] = {
    "pandas.Index": Way(
        lambda index: {"names": index.tolist()}, lambda cls, state: cls(state["names"])
    )
}


class Known(NamedTuple):
    """A class that a file may hold: its module and its way."""

    module: str
    way: Way


def by_name(paths: Mapping[str, Way]) -> dict[str, Known]:
    """The known classes by their own names, which end the paths of their imports."""
    parted = {path: path.rpartition(".") for path in paths}
    return {name: Known(module, paths[path]) for path, (module, _, name) in parted.items()}


KNOWN: Final[dict[str, Known]] = by_name({**OURS, **TABLES, **SCIKIT_LEARN, **OTHERS})
CAN_BE_SAVED: Final = (
    f"estimators and networks of thinnet; of scikit-learn {', '.join(by_name(SCIKIT_LEARN))}; "
    "numbers, text, lists, tuples, dicts and arrays of them"
)


def class_of(tag: str) -> Any:
    """The class that a file calls `tag`; ValueError where there is none."""
    name = _name(tag)
    return getattr(import_module(KNOWN[name].module), name)


def _name(tag: str) -> str:
    """Files of format 1 say where a class was imported from then: "thinnet.layers.Dense"."""
    module, _, name = tag.rpartition(".")
    known = KNOWN.get(name)
    if known is None or (module and _package(module) != _package(known.module)):
        whose = "if a newer one saved it, update thinnet"
        raise ValueError(f"the class {tag!r} is not known to this thinnet; {whose}")
    return name


def _package(module: str) -> str:
    return module.partition(".")[0]


def is_of_scikit_learn(tag: str) -> bool:
    name = tag.rpartition(".")[2]
    return name in KNOWN and _package(KNOWN[name].module) == "sklearn"


def name_of(cls: type) -> str:
    """The name of `cls` in a file; ValueError if a file can't hold its objects."""
    name = cls.__name__
    if name not in KNOWN or class_of(name) is not cls:
        raise ValueError(
            f"the class must be one of a fixed list ({CAN_BE_SAVED}), got "
            f"{cls.__module__}.{cls.__qualname__}"
        )
    return name


def way_of(cls: type) -> Way:
    """The way of a class's objects; ValueError if the class is not known."""
    return KNOWN[name_of(cls)].way
