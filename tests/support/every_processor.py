"""Five networks' ten steps, and tables learned and predicted: hashes that every processor finds.

Written by ``python tests/support/every_processor.py``, for a new version of the arithmetic or of
how tables are learned only.
"""

import json

import numpy as np
import pandas as pd
from arithmetic_cases import RATE, SHARED, Case, digest
from arithmetic_vectors import answers_of
from paths import VECTORS

from thinnet import SGD, Adagrad, Adam, AdamW, RMSprop, TableClassifier, TableRegressor, losses
from thinnet.layers import (
    GELU,
    SELU,
    AlphaDropout,
    BatchNorm,
    Dense,
    DropConnect,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    LayerNorm,
    ReLU,
    SiLU,
    Tanh,
)

KNOWN = VECTORS / "every_processor.json"
ROWS, BATCH, STEPS = 256, 24, 10
SIZES = {"rows": ROWS, "batch": BATCH, "steps": STEPS, "features": 30}
NETWORKS = {
    "dropout": Case(
        [Dense(64), ReLU(), Dropout(0.5), Dense(33), ReLU(), Dropout(0.2), Dense(10)],
        optimizer=Adam(RATE), **SIZES,
    ),
    "thinned": Case(
        [Dropout(0.2, **SHARED), Dense(80), BatchNorm(), Tanh(), Dropout(0.5, **SHARED), Dense(2)],
        loss=losses.SquaredError(), optimizer=SGD(RATE, momentum=0.9, nesterov=True), **SIZES,
    ),
    "dropconnect": Case(
        [DropConnect(Dense(40, l2=1e-3), 0.3), LayerNorm(), GELU(), Dense(3)],
        loss=losses.BinaryCrossEntropy(), optimizer=AdamW(RATE), weighted=True, **SIZES,
    ),
    "self-normalising": Case(
        [Dense(48, max_norm=2.0), SELU(), AlphaDropout(0.1), Dense(4)],
        loss=losses.GaussianNLL(), optimizer=RMSprop(RATE / 10), settings={"clip_norm": 0.5},
        **SIZES,
    ),
    "sparse": Case(
        [Dense(50), SiLU(), GaussianDropout(0.3), GaussianNoise(0.1), Dense(2)],
        loss=losses.Huber(0.5), optimizer=Adagrad(RATE), sparse=1.5, **SIZES,
    ),
}  # fmt: skip
NETWORKS |= {f"{name}, float64": case._replace(dtype="float64") for name, case in NETWORKS.items()}


def people(rows=240):
    """A mixed table with holes, made without functions that differ from one system to another."""
    i = np.arange(rows)
    age, cost = 18 + i * 37 % 61, (i * 53 % 97) ** 3 / 8
    return pd.DataFrame(
        {
            "age": np.where(i % 11 == 3, np.nan, age),
            "cost": cost,
            "city": np.array(["Ulm", "Bonn", "Jena", "Kiel"])[i * 7 % 13 % 4],
            "since": pd.Timestamp("2019-03-01") + pd.to_timedelta(i * 29 % 700, unit="D"),
            "member": i % 3 == 1,
        }
    )


SETTINGS = {"n_networks": 2, "hidden_layer_sizes": (24, 16), "max_iter": 6, "random_state": 0}


def class_of(table):
    return np.where(table["cost"].to_numpy() > 40_000, "dear", "cheap")


def amount_of(table):
    return table["cost"].to_numpy() / 100 + np.where(table["member"], 50.0, 3.25)


def classified():
    table = people()
    model = TableClassifier(**SETTINGS).fit(table[:200], class_of(table)[:200])
    return {"probabilities": model.predict_proba(table), "draws": model.sample_proba(table, 3)}


def regressed():
    table = people()
    model = TableRegressor(**SETTINGS).fit(table[:200], amount_of(table)[:200])
    return {
        "predictions": model.predict(table),
        "intervals": np.array(model.predict_interval(table)),
    }


TABLES = {"classes of a table": classified, "numbers of a table": regressed}
NAMES = [*NETWORKS, *TABLES]


def found(name):
    if name in NETWORKS:
        return answers_of(NETWORKS[name])
    return {kind: digest(values) for kind, values in TABLES[name]().items()}


def known():
    return json.loads(KNOWN.read_text())


if __name__ == "__main__":
    KNOWN.write_text(json.dumps({name: found(name) for name in NAMES}, indent=1) + "\n")
