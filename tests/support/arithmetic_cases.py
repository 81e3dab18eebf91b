"""Small trainings that together meet every layer, loss and optimiser, and odd sizes."""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

import thinnet
from thinnet import SGD, Adagrad, Adam, AdamW, Network, RMSprop, losses
from thinnet.layers import (
    ELU,
    GELU,
    SELU,
    AlphaDropout,
    BatchNorm,
    ColumnEncoding,
    Columns,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from thinnet.layers.encodings import CATEGORY, VALUE, slots_of
from thinnet.schedules import Cosine, Linear, Step

RATE = 0.05


class Case(NamedTuple):
    layers: list[Any]
    features: Any = 7
    loss: Any = losses.SoftmaxCrossEntropy()
    optimizer: Any = SGD(RATE)
    rows: int = 40
    batch: int = 16
    steps: int = 3
    dtype: str = "float32"
    sparse: float = 0.0  # the size from which on numbers are entries of sparse rows
    weighted: bool = False
    settings: Any = MappingProxyType({})  # of the training


def classes(*layers, **settings):
    return Case([*layers, Dense(3)], **settings)


def numbers(*layers, **settings):
    return Case([*layers, Dense(2)], loss=losses.SquaredError(), **settings)


SHARED = {"share": "batch"}
AGE = ColumnEncoding(bins=5, values=1, categories=2, means=(0.9, 0.7, 0.6, 0.3, 0.1, 0.2, 0.5))
CITY = ColumnEncoding(categories=9, means=(0.3, 0.2, *(0.05,) * 7))
TABLE = (AGE, CITY, ColumnEncoding(bins=16), ColumnEncoding(values=3), ColumnEncoding(bins=70))
CASES = {
    "plain": classes(Dense(20), ReLU()),
    "dropout": classes(Dense(20), ReLU(), Dropout(0.3)),
    "one unit": numbers(Dense(1), Tanh(), features=1),
    "15 units": classes(Dense(15), Sigmoid(), Dropout(0.5), features=15),
    "16 units": classes(Dense(16), Tanh(), Dropout(0.2), features=16, batch=15),
    "17 units": classes(Dense(17), LeakyReLU(0.1), Dropout(0.2), features=17, batch=17),
    "47 units": numbers(Dense(47), ELU(), Dropout(0.1), features=49, optimizer=Adam(RATE)),
    "49 units": numbers(Dense(49), GELU(), Dropout(0.1), features=47, optimizer=AdamW(RATE)),
    "127 rows": classes(Dense(33), ReLU(), Dropout(0.5), rows=260, batch=127, steps=2),
    "129 rows": classes(Dense(33), ReLU(), Dropout(0.5), rows=260, batch=129, steps=2),
    "700 rows": classes(Dense(9), ReLU(), Dropout(0.5), rows=1400, batch=700, steps=2),
    "257 inputs": classes(Dense(129), ReLU(), Dropout(0.5), features=257, batch=9, steps=2),
    "513 units": classes(Dense(513), ReLU(), Dropout(0.5), Dense(257), ReLU(), features=5, batch=7),
    "swish": numbers(Dense(20), SiLU(), GaussianDropout(0.3), GaussianNoise(0.1)),
    "softplus": numbers(Dense(20), Softplus(), Dropout(0.3), optimizer=SGD(RATE, momentum=0.9)),
    "selu": numbers(Dense(20), SELU(), AlphaDropout(0.2), optimizer=RMSprop(RATE)),
    "batch norm": classes(Dense(20), BatchNorm(), ReLU(), Dropout(0.4), optimizer=Adagrad(RATE)),
    "layer norm": classes(Dense(21), LayerNorm(), ReLU(), Dropout(0.4), optimizer=Adam(RATE)),
    "micro-batches": classes(
        Dense(20, l1=1e-3), ReLU(), Dropout(0.4, **SHARED), rows=2000, batch=900, steps=2,
        settings={"accumulate": 3, "clip_norm": 0.1}, optimizer=Adam(RATE),
    ),
    "negative slope": classes(Dense(20), LeakyReLU(-0.2)),
    "classical": classes(Dense(20), ReLU(), Dropout(0.4, scaling="classical")),
    "softmax layer": Case([Dense(20), Tanh(), Dense(3), Softmax()], loss=losses.AbsoluteError()),
    "nesterov": numbers(Dense(20), Tanh(), optimizer=SGD(RATE, momentum=0.9, nesterov=True)),
    "schedules": classes(
        Dense(20), ReLU(), Dropout(Linear(0.1, 0.6, n_steps=3)),
        optimizer=SGD(Cosine(RATE, n_steps=5)),
    ),
    "steps": classes(Dense(20), ReLU(), optimizer=Adam(Step(RATE, factor=0.3, every=2))),
    "epsilon hat": classes(Dense(20), ReLU(), optimizer=Adam(RATE, epsilon_hat=True)),
    "penalties": classes(
        Dense(20, l1=0.01, l2=0.02, bias_l1=0.03, bias_l2=0.01), ReLU(), optimizer=Adam(RATE)
    ),
    "max norm": classes(Dense(20, max_norm=0.7), ReLU(), Dropout(0.2), optimizer=SGD(0.5)),
    "clipped": classes(Dense(20), Tanh(), settings={"clip_norm": 0.1}),
    "dropconnect": classes(DropConnect(Dense(20), 0.4), ReLU(), DropConnect(Dense(9), 0.2)),
    "thinned": classes(
        Dropout(0.2, **SHARED), Dense(300), ReLU(), Dropout(0.5, **SHARED), Dense(270), ReLU(),
        features=300, batch=8, steps=2,
    ),
    "thinned adam": classes(
        Dropout(0.3, **SHARED), Dense(400), BatchNorm(), ReLU(), Dropout(0.5, **SHARED),
        features=60, batch=8, optimizer=Adam(RATE),
    ),
    "shared masks": classes(Dense(20), ReLU(), Dropout(0.5, **SHARED), optimizer=AdamW(RATE)),
    "channels": classes(
        BatchNorm(), Dropout(0.4, share_axes=(0,)), Flatten(), Dense(20), ReLU(), features=(4, 3)
    ),
    "columns": classes(Columns(TABLE, Dense(20)), ReLU(), Dropout(0.3), features=9),
    "dropped columns": numbers(
        Columns(TABLE, Dense(50, l2=0.01), 0.3), BatchNorm(), ReLU(), Dropout(0.4), features=9,
        rows=400, batch=200, steps=2, optimizer=AdamW(RATE),
    ),
    "shared columns": classes(
        Columns(TABLE, Dense(70, max_norm=0.9), 0.3, "batch"), ReLU(), Dropout(0.4, **SHARED),
        Dense(60), features=9, optimizer=Adam(RATE),
    ),
    "sparse": classes(Dense(20), ReLU(), Dropout(0.3), sparse=1.0, features=300),
    "few entries": classes(
        Dropout(0.3), Dense(70), ReLU(), Dropout(0.4), features=600, sparse=1.6,
        rows=400, batch=200, steps=2,
    ),
    "few entries, shared": classes(
        Dropout(0.3, **SHARED), Dense(70), ReLU(), Dropout(0.4, **SHARED), Dense(9), features=600,
        sparse=1.6, optimizer=Adam(RATE),
    ),
    "weighted": classes(Dense(20), ReLU(), Dropout(0.3), weighted=True),
    "smoothed": classes(Dense(20), ReLU(), loss=losses.SoftmaxCrossEntropy(0.1)),
    "many classes": Case([Dense(20), ReLU(), Dense(40)]),
    "binary": Case([Dense(20), ReLU(), Dense(2)], loss=losses.BinaryCrossEntropy()),
    "huber": Case([Dense(20), ReLU(), Dense(2)], loss=losses.Huber(0.5)),
    "gaussian": Case([Dense(20), ReLU(), Dense(4)], loss=losses.GaussianNLL()),
    "pinball": Case([Dense(20), ReLU(), Dense(6)], loss=losses.Pinball((0.1, 0.5, 0.95))),
    "poisson": Case([Dense(20), ReLU(), Dense(2)], loss=losses.Poisson()),
}  # fmt: skip
CASES |= {f"{name}, float64": case._replace(dtype="float64") for name, case in CASES.items()}


class Made(NamedTuple):
    network: Any
    X: Any
    y: Any
    weights: Any


def make(case: Case) -> Made:
    rng = np.random.default_rng(len(case.layers))
    shape = case.features if isinstance(case.features, tuple) else (case.features,)
    X = rng.standard_normal((case.rows, *shape)).astype(case.dtype)
    X = encoded(case.layers[0], X) if isinstance(case.layers[0], Columns) else X
    X = sparse.csr_matrix(np.where(abs(X) > case.sparse, X, 0)) if case.sparse else X
    network = Network(case.layers, features=shape, seed=len(case.layers), dtype=case.dtype)
    weights = rng.random(case.rows) if case.weighted else None
    return Made(network, X, targets(case, rng, network.out), weights)


def encoded(layer: Columns, X: np.ndarray) -> np.ndarray:
    """Rows of a table, of numbers that are normal."""
    for i, slot in enumerate(slots_of(layer.columns)):
        if slot.kind != VALUE:
            X[:, i] = np.clip((X[:, i] + 2) / 4, 0, 1) * X.dtype.type(slot.inputs)
        if slot.kind == CATEGORY:
            X[:, i] = X[:, i].round()
    return X


def targets(case, rng, out):
    loss, values = case.loss, rng.standard_normal((case.rows, *out))
    if isinstance(loss, losses.SoftmaxCrossEntropy):
        return rng.integers(0, out[-1], case.rows)
    if isinstance(loss, losses.BinaryCrossEntropy):
        return (values > 0) * 1.0
    if isinstance(loss, losses.GaussianNLL):
        return values[:, : out[-1] // 2]
    if isinstance(loss, losses.Pinball):
        return values[:, : out[-1] // len(loss.levels)]
    return abs(values).round() if isinstance(loss, losses.Poisson) else values


def training(case: Case, made: Made) -> Any:
    return thinnet.Training(
        made.network, made.X, made.y, loss=case.loss, optimizer=case.optimizer, epochs=99,
        batch_size=case.batch, sample_weight=made.weights, **case.settings,
    )  # fmt: skip


def digest(values: np.ndarray) -> str:
    """A hash of the bits; all NaN are one."""
    one_nan = np.where(np.isnan(values), np.nan, values).astype(values.dtype)
    return hashlib.sha256(np.ascontiguousarray(one_nan).tobytes()).hexdigest()[:16]
