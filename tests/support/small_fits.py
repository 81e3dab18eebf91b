"""A network and a table, learned, saved, loaded and asked, in the folder where the process is."""

import hashlib

import numpy as np
import pandas as pd

from thinnet import Dense, Dropout, Network, ReLU, TableRegressor, load, save, train


def saved_and_loaded():
    """A hash of all that comes out; files are written over, as a second fit does."""
    X = np.random.default_rng(0).normal(size=(64, 5))
    network = Network([Dense(8), ReLU(), Dropout(0.5), Dense(1)], 5, seed=0)
    train(network, X, X[:, :1], epochs=3, progress=False, checkpoint="run.checkpoint")
    save(network, "network.thinnet")
    save(network, "network.thinnet")
    table = pd.DataFrame(X, columns=[*"abcde"])
    model = TableRegressor(max_iter=2, n_networks=2, random_state=0).fit(table, X[:, 0])
    save(model, "table.thinnet")
    found = load("network.thinnet").outputs(X), load("table.thinnet").predict(table)
    return hashlib.sha256(b"".join(each.tobytes() for each in found)).hexdigest()
