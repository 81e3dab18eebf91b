"""Keras on JAX."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
from harness import Prepared
from problems import Training


def training(problem: Training) -> Prepared:
    X, y = problem.data()
    layers = [keras.Input((problem.sizes[0],))]
    layers += [keras.layers.Dropout(problem.rates[0])] if problem.rates[0] else []
    for units in problem.sizes[1:-1]:
        layers.append(keras.layers.Dense(units, "relu"))
        layers += [keras.layers.Dropout(problem.rates[1])] if problem.rates[1] else []
    model = keras.Sequential([*layers, keras.layers.Dense(problem.sizes[-1])])
    kind = keras.optimizers.SGD if problem.optimizer == "sgd" else keras.optimizers.Adam
    loss = "mse"
    if problem.classifies:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(kind(problem.learning_rate), loss)

    def work() -> None:
        model.fit(X, y, batch_size=problem.batch, epochs=1, verbose=0)

    return Prepared(work, problem.batches)
