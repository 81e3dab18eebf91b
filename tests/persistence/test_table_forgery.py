"""Forged models of tables: refused in a sentence, or predictions that do no harm."""

import copy
import re
import warnings
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from forging import forged
from model_files import refused
from promises import done_within

from thinnet import (
    Columns,
    Dense,
    ModelFileError,
    Network,
    TableClassifier,
    TableEncoder,
    TableRegressor,
    load,
    save,
    snapshots,
)
from thinnet.persistence import files
from thinnet.persistence.tables import MOST_HASHED
from thinnet.snapshots import Snapshot

ROWS, SECONDS = 60, 20
RNG = np.random.default_rng(0)
PLACES = np.arange(ROWS)
TABLE = pd.DataFrame(
    {
        "number": np.where(PLACES % 9 == 0, np.nan, RNG.normal(size=ROWS)),
        "few": RNG.choice(["x", "y", "z"], ROWS),
        "many": [f"c{i}" for i in RNG.integers(0, 12, ROWS)],
        "day": pd.date_range("2020-01-01", periods=ROWS).astype(str),
        "note": [" ".join(RNG.choice(["old", "new", "rare"], 3)) + f" {i}" for i in PLACES],
    }
)


@pytest.fixture(scope="module")
def models():
    encoder = TableEncoder(max_categories=5, min_frequency=3)
    small = {"hidden_layer_sizes": (3,), "max_iter": 1, "n_networks": 1, "random_state": 0}
    y = RNG.normal(size=ROWS)
    return {
        "classifier": TableClassifier(**small, encoder=encoder).fit(TABLE, y > 0),
        "regressor": TableRegressor(**small, encoder=encoder).fit(TABLE, y),
        "encoder": clone_fitted(encoder, y),
    }


def clone_fitted(encoder, y):
    return copy.deepcopy(encoder).fit(TABLE, y)


def part(model, name):
    return next(p.last for p in model.encoder_.parts_.parts if p.name == name)


def change_edges(change):
    def spoil(model):
        pieces = part(model, "piece")
        pieces.edges_ = [change(edges) for edges in pieces.edges_]

    return spoil


def of_other_columns(make):
    """Another network that takes as many numbers: only what they mean has changed."""

    def spoil(model):
        columns = list(model.encoder_.encodings_)
        layers = [Columns(make(columns), Dense(1 if hasattr(model, "n_outputs_") else 2))]
        model.networks_ = [Network(layers, model.encoder_.width, seed=0)]

    return spoil


def first_with_more(field):
    def make(columns):
        i = next(i for i, each in enumerate(columns) if getattr(each, field))
        columns[i] = replace(columns[i], **{field: getattr(columns[i], field) + 1})
        return columns

    return make


def add_a_category(model):
    codes = part(model, "category")
    codes.categories_ = [np.append(names, "zz") for names in codes.categories_]


def hash_more(model):
    part(model, "text").n_features = MOST_HASHED + 1


def hash_others(model):
    part(model, "text").n_features *= 2


def drop_columns(model):
    codes = part(model, "piece")
    codes.edges_ = codes.edges_[:-1]


OTHERS = "networks_ must have the encoder's columns"
EDGES = "edges_ must be two ascending numbers or more for each column"
SPOILED = {
    "falling edges": (change_edges(lambda edges: edges[::-1].copy()), EDGES),
    "equal edges": (change_edges(np.zeros_like), EDGES),
    "an endless edge": (change_edges(lambda edges: np.append(edges, np.inf)), EDGES),
    "an edge that is none": (change_edges(lambda edges: np.append(edges, np.nan)), EDGES),
    "one edge": (change_edges(lambda edges: edges[:1]), EDGES),
    "edges of another type": (change_edges(lambda edges: edges.astype("f4")), EDGES),
    "edges in rows": (change_edges(lambda edges: edges[None]), EDGES),
    "edges as text": (change_edges(str), EDGES),
    "no edges": (lambda model: setattr(part(model, "piece"), "edges_", []), EDGES),
    "edges of fewer columns": (drop_columns, "shorter|longer"),
    "a bin more than the table has": (
        change_edges(lambda edges: np.append(edges, edges[-1] + 1)), "the means of ColumnParts"),
    "a network of more bins": (of_other_columns(first_with_more("bins")), OTHERS),
    "a network of more categories": (of_other_columns(first_with_more("categories")), OTHERS),
    "a category more than the table has": (add_a_category, "OneHotEncoder|categor|columns"),
    "more hashed parts than memory is for": (
        hash_more, "n_features must be an integer from 1 to 1048576, got 1048577"),
    "more hashed parts than the network has": (hash_others, "networks_ must take"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize(("spoil", "message"), SPOILED.values(), ids=SPOILED)
def test_parts_that_disagree_are_refused_when_saved_and_when_read(
    kind, spoil, message, models, path, monkeypatch
):
    model = copy.deepcopy(models[kind])
    spoil(model)
    with pytest.raises(ValueError, match=message):
        save(model, path)
    assert not path.exists()
    with monkeypatch.context() as patch:  # as somebody would forge it
        patch.setattr(files, "_model_of", lambda snapshot: None)
        save(model, path)
    assert re.search(message, refused(path))


def test_as_many_hashed_parts_as_there_may_be_are_read(path):
    """At the limit itself."""
    encoder = TableEncoder().fit(TABLE)
    model = type("Holder", (), {"encoder_": encoder})
    part(model, "text").n_features = MOST_HASHED
    save(encoder, path)
    assert load(path).width > MOST_HASHED


@pytest.mark.parametrize("kind", ["classifier", "regressor", "encoder"])
def test_a_forged_file_is_refused_or_predicts_without_harm(kind, models, path, rng):
    """40 of each, and 2,000 under attack/."""
    save(models[kind], path)
    snapshot = snapshots.read_as(files._form(), path)
    for _ in range(40):
        snapshots.write_as(files._form(), path, Snapshot(*forged(rng, snapshot)))
        with warnings.catch_warnings(), done_within(SECONDS), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                found = load(path)
            except ModelFileError as error:
                assert "\n" not in str(error)  # noqa: PT017
                continue
            for table in (TABLE[:5], TABLE):
                with suppress(ValueError):
                    found.transform(table) if kind == "encoder" else found.uncertainty(table, 3)
