"""Models to export, and what ONNX Runtime makes of them."""

import warnings
from dataclasses import dataclass

import numpy as np
from onnxruntime import InferenceSession

from thinnet import (
    ELU,
    GELU,
    SELU,
    AlphaDropout,
    BatchNorm,
    ColumnEncoding,
    Columns,
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
    Network,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    export_onnx,
)
from thinnet.layers import Shapes
from thinnet.schedules import Linear

TYPES = [np.float32, np.float64]
LAYERS = [
    AlphaDropout(0.4), BatchNorm(), BatchNorm(epsilon=0.1), ConcreteDropout(Dense(3), 0.4),
    Dense(3), DropConnect(Dense(2), 0.5), FixedMasks(0.4), FixedMasks(1.0),
    Dropout(0.5), Dropout(0.3, scaling="classical"), Dropout(1.0, scaling="classical"),
    Dropout(Linear(0.2, 0.6, n_steps=4), scaling="classical"), ELU(), ELU(0.4), Flatten(), GELU(),
    GaussianDropout(0.3), GaussianNoise(0.3), Identity(), LayerNorm(), LayerNorm(0.1),
    LeakyReLU(), LeakyReLU(-0.3), ReLU(), SELU(), SiLU(), Sigmoid(), Softmax(), Softplus(), Tanh(),
]  # fmt: skip
LOOKUPS = Columns([ColumnEncoding(values=3), ColumnEncoding(values=1)], Dense(3), 0.2), 4
WIDE = [
    FixedMasks(0.5),
    Flatten(),
    LayerNorm(),
    Softmax(),
    *(BatchNorm(axis=axis) for axis in (0, 1, -1)),
]

X = np.random.default_rng(3).normal(size=(120, 4))
PLACE = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
SMALL = {"hidden_layer_sizes": (9, 7), "max_iter": 15, "random_state": 0}


def with_statistics(network, rng):
    """Parameters and running statistics as after some training."""
    network.theta[:] = rng.normal(scale=0.7, size=network.theta.size)
    for layer, site in network.places():
        if isinstance(layer, BatchNorm):
            site.s.mean[...] = rng.normal(size=site.s.mean.shape)
            site.s.variance[...] = rng.uniform(0.2, 3, site.s.variance.shape)
            site.counters.seen[...] = 7
    return network


def quiet_network(*args, **settings):
    with warnings.catch_warnings():  # of an order of layers that is meant here
        warnings.simplefilter("ignore")
        return Network(*args, **settings)


def runs(content, feed):
    """The outputs that ONNX Runtime computes, by their names."""
    session = InferenceSession(content)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


def exported(model, feed, path):
    export_onnx(model, path)
    return runs(path, feed)


@dataclass(frozen=True)
class Doubled:
    """A user's own layer."""

    def shapes(self, features):
        return Shapes(features)

    def forward(self, site, x, run):
        return 2 * x, None

    def backward(self, site, cache, dy):
        return 2 * dy
