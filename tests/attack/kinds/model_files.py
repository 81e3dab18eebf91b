"""Altered model files: a model that predicts, or a ModelFileError in one sentence.

Half of them have a right checksum over what was altered.  A damaged file is refused or holds the
same model.  Nothing on the disk changes.
"""

import warnings

import numpy as np
from altering import altered, one_sentence
from forging import forged, pick
from mangling import people
from model_files import X, a_perceptron, a_pipeline, assert_same, predictions

import thinnet as tn
from thinnet import load, save, snapshots
from thinnet.checks import ModelFileError
from thinnet.persistence import files
from thinnet.snapshots import Snapshot

ALONE, SECONDS = False, 20


def a_table():
    import pandas as pd

    head, *rows = people(np.random.default_rng(0), rows=40)
    return pd.DataFrame(rows, columns=head)


def a_table_classifier():
    model = tn.TableClassifier(n_networks=1, hidden_layer_sizes=(4,), max_iter=1, random_state=0)
    return model.fit(a_table(), "buys")


def a_table_regressor():
    model = tn.TableRegressor(n_networks=2, hidden_layer_sizes=(4,), max_iter=1, random_state=0)
    table = a_table()
    table["age"] = table["age"].astype(float)
    return model.fit(table, "age")


def a_network():
    chain = [tn.Dense(5), tn.BatchNorm(), tn.Softplus(), tn.Dropout(0.2), tn.Dense(2)]
    return tn.Network(chain, features=4, seed=1)


MODELS = {
    "perceptron": a_perceptron,
    "pipeline": a_pipeline,
    "table classifier": a_table_classifier,
    "table regressor": a_table_regressor,
    "network": a_network,
}


def prepare(folder):
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in MODELS.items():
            save(make(), folder / name)
            content = (folder / name).read_bytes()
            found[name] = content, snapshots.read_as(files._form(), folder / name)
    return found


def attempt(rng, made, folder):
    name = pick(rng, sorted(made))
    content, snapshot = made[name]
    path = folder / "model.thinnet"
    if rng.random() < 0.5:
        way = "right checksum"
        snapshots.write_as(files._form(), path, Snapshot(*forged(rng, snapshot)))
    else:
        way = "damaged"
        path.write_bytes(altered(rng, content))
    before = path.read_bytes()
    model = loaded(path)
    assert path.read_bytes() == before
    assert {other.name for other in folder.iterdir()} == {path.name}
    if model is None:
        return f"{way}, refused"
    if way == "damaged":
        check_same(model, content, folder)
    else:
        check_predicts(name, model)
    return f"{way}, loaded"


def loaded(path):
    """What a file holds, None where it is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "model file", UserWarning)
            return load(path)
    except ModelFileError as error:
        one_sentence(error, str(path))
        return None


def check_same(model, content, folder):
    (folder / "whole").write_bytes(content)
    assert_same(model, load(folder / "whole"))


def check_predicts(name, model):
    """What was forged may predict nonsense; what it can't predict, it says in one sentence."""
    rows = a_table().head(5) if "table" in name else X[:5]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = [model.outputs(rows)] if isinstance(model, tn.Network) else None
            assert found or predictions(model, rows)
        except (ValueError, ArithmeticError) as error:
            one_sentence(error, longest=10**5)
