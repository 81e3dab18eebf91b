"""thinnet trains neural networks that generalise, on a CPU, with dropout as a first-class thing."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from thinnet import datasets, initializers, losses, optimizers, schedules
from thinnet._version import __version__ as __version__
from thinnet.checks import (
    CheckpointError,
    DataFileError,
    DivergedError,
    DriftWarning,
    ModelFileError,
    StaleCacheError,
    UnusedMaskWarning,
)
from thinnet.functional import dropout
from thinnet.layers import (
    ELU,
    GELU,
    SELU,
    AlphaDropout,
    BatchNorm,
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    FixedMasks,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from thinnet.layers.mlp import mlp
from thinnet.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    GaussianNLL,
    Huber,
    Poisson,
    SoftmaxCrossEntropy,
    SquaredError,
)
from thinnet.masks import keep_mask
from thinnet.moved import new_name, refuse_old_modules
from thinnet.network import Network
from thinnet.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from thinnet.passes import Run
from thinnet.philox import derived_seed
from thinnet.schedules import ReduceOnPlateau
from thinnet.training import EarlyStopping, History, evaluate, train
from thinnet.training.diagnostics import gradient_report

if TYPE_CHECKING:
    from thinnet.displays import (
        CertainImages,
        KeptUnits,
        LearningCurve,
        PITHistogram,
        PredictiveBand,
        ReliabilityDiagram,
        RiskCoverageCurve,
        UncertaintyMap,
    )
    from thinnet.estimators import (
        EnsembleClassifier,
        EnsembleRegressor,
        MLPClassifier,
        MLPRegressor,
    )
    from thinnet.export import export_onnx, from_torch_state, to_torch_state
    from thinnet.persistence import load, save
    from thinnet.tables.classifier import TableClassifier
    from thinnet.tables.columns.encoding import TableEncoder
    from thinnet.tables.regressor import TableRegressor
    from thinnet.tables.uncertain import uncertain_rows
    from thinnet.uncertainty.conformal_classifier import SplitConformalClassifier
    from thinnet.uncertainty.conformal_regressor import SplitConformalRegressor
    from thinnet.uncertainty.temperature import TemperatureScaling

_LAZY = {
    "EnsembleClassifier": "thinnet.estimators",
    "EnsembleRegressor": "thinnet.estimators",
    "CertainImages": "thinnet.displays",
    "PITHistogram": "thinnet.displays",
    "ReliabilityDiagram": "thinnet.displays",
    "RiskCoverageCurve": "thinnet.displays",
    "SplitConformalClassifier": "thinnet.uncertainty.conformal_classifier",
    "SplitConformalRegressor": "thinnet.uncertainty.conformal_regressor",
    "TemperatureScaling": "thinnet.uncertainty.temperature",
    "KeptUnits": "thinnet.displays",
    "LearningCurve": "thinnet.displays",
    "MLPClassifier": "thinnet.estimators",
    "MLPRegressor": "thinnet.estimators",
    "PredictiveBand": "thinnet.displays",
    "TableClassifier": "thinnet.tables.classifier",
    "TableEncoder": "thinnet.tables.columns.encoding",
    "TableRegressor": "thinnet.tables.regressor",
    "UncertaintyMap": "thinnet.displays",
    "export_onnx": "thinnet.export",
    "from_torch_state": "thinnet.export",
    "load": "thinnet.persistence",
    "save": "thinnet.persistence",
    "to_torch_state": "thinnet.export",
    "uncertain_rows": "thinnet.tables.uncertain",
}

refuse_old_modules()


def __getattr__(name: str) -> Any:
    """What needs scikit-learn is imported when it is first asked for."""
    if name not in _LAZY:
        if said := new_name(name):
            raise AttributeError(said)
        raise AttributeError(f"module 'thinnet' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "SGD",
    "AbsoluteError",
    "Adagrad",
    "Adam",
    "AdamW",
    "AlphaDropout",
    "BatchNorm",
    "BinaryCrossEntropy",
    "CertainImages",
    "CheckpointError",
    "ConcreteDropout",
    "DataFileError",
    "Dense",
    "DivergedError",
    "DriftWarning",
    "DropConnect",
    "Dropout",
    "EarlyStopping",
    "EnsembleClassifier",
    "EnsembleRegressor",
    "FixedMasks",
    "Flatten",
    "GaussianDropout",
    "GaussianNLL",
    "GaussianNoise",
    "History",
    "Huber",
    "Identity",
    "KeptUnits",
    "LayerNorm",
    "LeakyReLU",
    "LearningCurve",
    "MLPClassifier",
    "MLPRegressor",
    "ModelFileError",
    "Network",
    "PITHistogram",
    "Poisson",
    "PredictiveBand",
    "RMSprop",
    "ReLU",
    "ReduceOnPlateau",
    "ReliabilityDiagram",
    "RiskCoverageCurve",
    "Run",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "SplitConformalClassifier",
    "SplitConformalRegressor",
    "SquaredError",
    "StaleCacheError",
    "TableClassifier",
    "TableEncoder",
    "TableRegressor",
    "Tanh",
    "TemperatureScaling",
    "UncertaintyMap",
    "UnusedMaskWarning",
    "datasets",
    "derived_seed",
    "dropout",
    "evaluate",
    "export_onnx",
    "from_torch_state",
    "gradient_report",
    "initializers",
    "keep_mask",
    "load",
    "losses",
    "mlp",
    "optimizers",
    "save",
    "schedules",
    "to_torch_state",
    "train",
    "uncertain_rows",
]
