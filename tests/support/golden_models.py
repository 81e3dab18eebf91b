"""One small model of every kind, trained and saved: `python tests/support/golden_models.py FOLDER`.

A folder of tests/vectors/models is what one version wrote.  It is never written again: a version
that changes what files hold adds a folder of its own, with the models that it changes if they are
named behind FOLDER ("table-*").  Folder 3 is of the last version whose tables had a dense first
layer, without texts, which ONNX has no form for.
"""

import sys
import warnings
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd
from golden_columns import a_network_of_columns, encoded_rows
from model_files import NEW, PLACE, WORDS, X, Y, a_pipeline
from numpy.lib.npyio import NpzFile

from thinnet import (
    ELU,
    GELU,
    SELU,
    Adam,
    AlphaDropout,
    BatchNorm,
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    EnsembleClassifier,
    EnsembleRegressor,
    FixedMasks,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    LayerNorm,
    LeakyReLU,
    MLPClassifier,
    MLPRegressor,
    Network,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    SplitConformalClassifier,
    SplitConformalRegressor,
    TableClassifier,
    TableEncoder,
    TableRegressor,
    Tanh,
    TemperatureScaling,
    initializers,
    save,
    schedules,
    train,
)
from thinnet.commands.conformal import columns, is_conformal
from thinnet.commands.fitting import FitJob, fit
from thinnet.tables.reading import read_table

EXPECTED, TABLE, CHECKPOINT = "expected.npz", "table.csv", "run.ckpt"
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 3}
SMALL_TABLE = {**SMALL, "dropout": 0.2, "n_networks": 2, "batch_size": 32}
ROWS = 90
DAY = np.timedelta64(86_400, "s")
CLASSES, NUMBERS = ["size"], ["price", "weight"]
ORDERS = {
    "command-classifier": ("size", {"class_weight": "balanced"}),
    "command-regressor": ("price", {}),
}
CONFORMAL_ORDERS = {
    "command-classifier-sets": ("sold", {"threshold_for": "f1"}),
    "command-regressor-intervals": ("price", {}),
}


def table():
    """Numbers, whole numbers, truths, categories, dates, times, texts, row numbers, holes."""
    rng = np.random.default_rng(11)
    weight = rng.gamma(2.0, 10.0, ROWS)
    colour = rng.choice(["red", "green", "blue, dark", "Ünï"], ROWS)
    price = 100 * weight + 500 * (colour == "red") + rng.normal(scale=50, size=ROWS)
    words = rng.choice(["small", "old", "new", "rare", "used", "boxed", "signed"], (ROWS, 3))
    found = pd.DataFrame(
        {
            "row": np.arange(1, ROWS + 1),
            "weight": weight.round(3),
            "count": rng.poisson(30, ROWS),
            "sold": rng.choice(["true", "false"], ROWS),
            "colour": colour,
            "since": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(900, size=ROWS), "D"),
            "note": [" ".join(three) + f" {i}" for i, three in enumerate(words)],
            "same": "always",
            "price": price.round(2),
            "size": np.where(weight > 25, "large", np.where(weight > 12, "medium", "small")),
        }
    )
    for name in ("weight", "colour", "since", "note"):
        found.loc[rng.choice(ROWS, 9, replace=False), name] = None
    return found


def a_network():
    """A layer of every kind that knows how to be saved."""
    layers = [
        GaussianNoise(0.1), Dense(8, initializer=initializers.Orthogonal(), l2=0.01, max_norm=2.0),
        BatchNorm(), ELU(0.5), Dropout(schedules.Linear(0.1, 0.4, n_steps=20)), Dense(7),
        LeakyReLU(0.2), LayerNorm(), AlphaDropout(0.1), DropConnect(Dense(6), 0.3), GELU(), SELU(),
        SiLU(), ConcreteDropout(Dense(6), 0.2), Tanh(), FixedMasks(0.5), GaussianDropout(0.2),
        Identity(), Flatten(), Dense(5), Softplus(), Dropout(0.3, share="batch"), Dense(4),
        Sigmoid(), Dense(4), ReLU(), Dense(3), Softmax(),
    ]  # fmt: skip
    return Network(layers, features=4, seed=2**63 + 11)


def trained(network):
    train(network, X, X[:, :3], epochs=3, batch_size=8, progress=False)
    return network


def run(folder, epochs, resume=False):
    """A training that stops in the middle where `epochs` is small, and goes on with `resume`."""
    layers = [Dense(6), BatchNorm(), ReLU(), Dropout(0.3), Dense(3)]
    network = Network(layers, features=4, seed=7, dtype=np.float64)
    train(
        network, X, PLACE, optimizer=Adam(0.02), epochs=6, batch_size=8, progress=False,
        callbacks=[StopAt(epochs)], checkpoint=Path(folder) / CHECKPOINT, resume=resume,
    )  # fmt: skip
    return network


class StopAt:
    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, training):
        return "stopped here" if len(training.history) >= self.epochs else None


def models(folder):
    frame, path = table(), Path(folder) / TABLE
    inputs = frame.drop(columns=[*CLASSES, *NUMBERS])
    noisy = {"dropout": 0.2, "loss": "gaussian_nll", **SMALL}
    return {
        "network": trained(a_network()),
        "columns": a_network_of_columns(),
        "mlp-classifier": MLPClassifier(dropout=0.2, **SMALL).fit(X, WORDS[PLACE]),
        "mlp-classifier-float32": MLPClassifier(
            batch_norm=True, dtype="float32", input_dropout=0.1, **SMALL
        ).fit(X, PLACE),
        "mlp-classifier-labels": MLPClassifier(**SMALL).fit(X, (X > 0).astype(int)),
        "mlp-regressor": MLPRegressor(dropout=0.2, precision=2.0, **SMALL).fit(X, Y),
        "mlp-regressor-nll": MLPRegressor(**noisy).fit(X, Y),
        "mlp-regressor-two": MLPRegressor(solver="lbfgs", **SMALL).fit(X, np.stack([Y, -Y], 1)),
        "ensemble-classifier": EnsembleClassifier(
            MLPClassifier(**SMALL), n_networks=2, random_state=0
        ).fit(X, PLACE),
        "ensemble-regressor": EnsembleRegressor(
            MLPRegressor(**SMALL), n_networks=2, random_state=0
        ).fit(X, Y),
        "pipeline": a_pipeline(),
        "table-encoder": TableEncoder().fit(inputs, frame["price"]),
        "table-classifier": TableClassifier(**SMALL_TABLE).fit(inputs, frame["size"]),
        "table-regressor": TableRegressor(**SMALL_TABLE).fit(inputs, frame["price"]),
        "table-regressor-nll": TableRegressor(loss="gaussian_nll", **SMALL_TABLE).fit(
            inputs, np.log(frame["price"] + 100)
        ),
        "table-regressor-quantile": TableRegressor(loss="quantile", **SMALL_TABLE).fit(
            inputs, frame["price"]
        ),
        **untexted(inputs, frame),
        "table-classifier-file": TableClassifier(**SMALL_TABLE).fit(path, "size"),
        **{name: ordered(path, *order) for name, order in ORDERS.items()},
        **{name: ordered(path, *order, True) for name, order in CONFORMAL_ORDERS.items()},
        **wrapped(inputs, frame),
    }


def untexted(inputs, frame):
    """Models that have a form in ONNX, with mean targets."""
    inputs, settings = inputs.drop(columns="note"), {"encoder": TableEncoder(max_categories=3)}
    return {
        "table-classifier-untexted": TableClassifier(**SMALL_TABLE, **settings).fit(
            inputs, frame["size"]
        ),
        "table-regressor-untexted": TableRegressor(**SMALL_TABLE, **settings).fit(
            inputs, frame["price"]
        ),
    }


def wrapped(inputs, frame):
    """Models around others, learned from rows apart."""
    labels, half = WORDS[PLACE], len(X) // 2
    classifier = MLPClassifier(**SMALL).fit(X[:half], labels[:half])
    regressor = MLPRegressor(dropout=0.2, **SMALL).fit(X[:half], Y[:half])
    table_regressor = TableRegressor(**SMALL_TABLE).fit(inputs[:60], frame["price"][:60])
    return {
        "sets": SplitConformalClassifier(classifier).calibrate(X[half:], labels[half:]),
        "sets-aps": SplitConformalClassifier(classifier, method="aps").calibrate(
            X[half:], labels[half:]
        ),
        "intervals": SplitConformalRegressor(regressor).calibrate(X[half:], Y[half:]),
        "intervals-normalised": SplitConformalRegressor(regressor, normalise=True).calibrate(
            X[half:], Y[half:]
        ),
        "table-intervals": SplitConformalRegressor(table_regressor).calibrate(
            inputs[60:], frame["price"][60:]
        ),
        "temperature": TemperatureScaling(classifier).calibrate(X[half:], labels[half:]),
    }


def ordered(path, target, settings, conformal=False):
    """What `thinnet fit` makes."""
    seeded = {name: value for name, value in SMALL_TABLE.items() if name != "random_state"}
    settings = {**seeded, **settings}
    return fit(FitJob(path, target, seed=3, settings=settings, conformal=conformal)).estimator


def inputs_of(name, folder):
    """The rows that a model predicts."""
    if name == "columns":
        return encoded_rows()
    if name == "pipeline":
        return np.column_stack([np.arange(60) % 3, NEW[:60, 1:]])
    if "table" not in name and "command" not in name:
        return NEW[:60]
    if name.startswith("command") or name.endswith("file"):
        return read_table(Path(folder) / TABLE)[0]
    return table().drop(columns=[*CLASSES, *NUMBERS])


def predictions(model, rows):
    """By the names of the methods that give them, as numbers or text."""
    if isinstance(model, Network):
        return {"outputs": model.outputs(rows.astype(model.dtype))}
    if isinstance(model, TableEncoder):
        return {"transform": np.asarray(model.transform(rows))}
    if isinstance(model, SplitConformalClassifier):
        return {"predict_set": model.predict_set(rows, 0.8)}
    found = {"predict": model.predict(rows)}
    if isinstance(model, SplitConformalRegressor):
        return found | {"predict_interval": model.predict_interval(rows, 0.8)}
    if is_conformal(model):
        found |= columns(model, rows, 0.8)
    if hasattr(model, "predict_proba"):
        found["predict_proba"] = model.predict_proba(rows)
    elif not hasattr(model, "steps") and model.get_params(deep=False).get("dropout", 0.2):
        found["std"] = model.predict(rows, return_std=True)[1]
    return {method: _plain(values) for method, values in found.items()}


def _plain(values):
    return values.astype(str) if np.asarray(values).dtype == object else np.asarray(values)


def write(folder, *names):
    """The models of these names, or all; names may have an asterisk for any letters."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    warnings.simplefilter("ignore")  # of the few epochs, and of orders of layers that are meant
    table().to_csv(folder / TABLE, index=False)
    expected = {}
    for name, model in models(folder).items():
        if not any(fnmatch(name, wanted) for wanted in names or "*"):
            continue
        save(model, folder / f"{name}.thinnet")
        for method, values in predictions(model, inputs_of(name, folder)).items():
            expected[f"{name}/{method}"] = values
    whole = run(folder, epochs=6)
    (folder / CHECKPOINT).unlink()
    run(folder, epochs=3)
    np.savez_compressed(folder / EXPECTED, **expected, **{"run/theta": whole.theta})


def expected(folder) -> NpzFile:
    return np.load(Path(folder) / EXPECTED, allow_pickle=False)


if __name__ == "__main__":
    write(*sys.argv[1:])
