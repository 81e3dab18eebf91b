"""Layers: one short file for each, forward beside backward."""

from thinnet.layers.activations import GELU, Identity, Sigmoid, SiLU, Softmax, Softplus, Tanh
from thinnet.layers.base import Layer, Shapes
from thinnet.layers.columns import Columns
from thinnet.layers.concrete import ConcreteDropout
from thinnet.layers.dense import Dense
from thinnet.layers.dropconnect import DropConnect
from thinnet.layers.dropout import Dropout
from thinnet.layers.encodings import ColumnEncoding
from thinnet.layers.fixed import FixedMasks
from thinnet.layers.flatten import Flatten
from thinnet.layers.layer_norm import LayerNorm
from thinnet.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from thinnet.layers.normalisation import BatchNorm
from thinnet.layers.rectifiers import ELU, SELU, LeakyReLU, ReLU

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "AlphaDropout",
    "BatchNorm",
    "ColumnEncoding",
    "Columns",
    "ConcreteDropout",
    "Dense",
    "DropConnect",
    "Dropout",
    "FixedMasks",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "ReLU",
    "Shapes",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]
