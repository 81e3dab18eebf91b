"""Optimisers: a frozen description, a state NamedTuple, and a pure step over flat vectors."""

from thinnet.optimisers.adaptive import Adagrad, Adam, AdamW, RMSprop
from thinnet.optimisers.base import LearningRate, Optimiser, clip_norm, update
from thinnet.optimisers.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "LearningRate",
    "Optimiser",
    "RMSprop",
    "clip_norm",
    "update",
]
