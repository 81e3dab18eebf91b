"""Optimisers: a frozen description, a state NamedTuple, and a pure step over flat vectors."""

from thinnet.optimizers.adaptive import Adagrad, Adam, AdamW, RMSprop
from thinnet.optimizers.base import LearningRate, Optimizer, clip_norm, update
from thinnet.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "LearningRate",
    "Optimizer",
    "RMSprop",
    "clip_norm",
    "update",
]
