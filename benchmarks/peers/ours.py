"""thinnet."""

from __future__ import annotations

import dataclasses

import numpy as np
from harness import Prepared
from problems import Elements, Sampling, Table, Training

import thinnet
from thinnet import Dense, Dropout, Network, ReLU
from thinnet.losses import SoftmaxCrossEntropy, SquaredError
from thinnet.optimizers import SGD, Adam


def network(sizes, weights, rates=(0.0, 0.0), share=None):
    layers = [Dropout(rates[0], share=share)] if rates[0] else []
    for units in sizes[1:-1]:
        layers += [Dense(units), ReLU()]
        layers += [Dropout(rates[1], share=share)] if rates[1] else []
    made = Network([*layers, Dense(sizes[-1])], sizes[0], seed=0)
    sites = [site for site in made.sites if len(site.p)]
    for site, given in zip(sites, weights, strict=True):
        site.p.W[...], site.p.b[...] = given
    return made


def settings(problem: Training):
    optimizer = (SGD if problem.optimizer == "sgd" else Adam)(problem.learning_rate)
    loss = SoftmaxCrossEntropy() if problem.classifies else SquaredError()
    return {
        "loss": loss,
        "optimizer": optimizer,
        "batch_size": problem.batch,
        "clean_rows": 0,
        "progress": False,
    }


def checked_loss(problem: Training) -> float:
    X, y = problem.data()
    plain = network(problem.sizes, problem.weights())
    rows = problem.batch * problem.checked_batches
    how = settings(problem) | {"epochs": problem.checked_epochs}
    thinnet.train(plain, X[:rows], y[:rows], shuffle=False, **how)
    first = slice(0, problem.batch)
    return thinnet.evaluate(plain, X[first], y[first], loss=how["loss"])[0]


def training(problem: Training) -> Prepared:
    X, y = problem.data()
    share = "batch" if problem.thinned else None
    net = network(problem.sizes, problem.weights(), problem.rates, share)
    how = settings(problem)

    def work() -> None:
        thinnet.train(net, X, y, epochs=problem.epochs, **how)

    return Prepared(work, problem.epochs * problem.batches, checked_loss(problem))


def plain_training(problem: Training) -> Prepared:
    """The same without dropout, to see what dropout costs."""
    return training(dataclasses.replace(problem, rates=(0.0, 0.0), thinned=False))


def sampling(problem: Sampling) -> Prepared:
    X = problem.data()
    net = network(problem.sizes, problem.weights(), (0.0, problem.rate))
    return Prepared(lambda: net.sample(X, problem.draws), problem.draws)


def prediction(problem: Sampling) -> Prepared:
    X = problem.data()
    net = network(problem.sizes, problem.weights())
    return Prepared(lambda: net.outputs(X), check=float(net.outputs(X)[0, 0]))


def table_row(problem: Table) -> Prepared:
    """A network alone, and as wide as scikit-learn's."""
    model = thinnet.TableClassifier((100,), n_networks=1, max_iter=5, random_state=0)
    model.fit(problem.frame(), problem.labels())
    row = problem.row()
    return Prepared(lambda: model.predict_proba(row))


def default_table_row(problem: Table) -> Prepared:
    """As many networks as there are by default."""
    model = thinnet.TableClassifier(max_iter=5, random_state=0)
    model.fit(problem.frame(), problem.labels())
    row = problem.row()
    return Prepared(lambda: model.predict_proba(row))


def dropout(problem: Elements) -> Prepared:
    x = problem.array()
    y, dx = np.empty_like(x), np.empty_like(x)

    def work() -> None:
        thinnet.dropout(x, problem.rate, seed=1, training=True, out=y)
        if problem.backward:
            thinnet.dropout(y, problem.rate, seed=1, training=True, out=dx)

    work()
    assert abs((y == 0).mean() - problem.rate) < 0.01
    return Prepared(work, problem.size)
