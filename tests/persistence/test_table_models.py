"""Models of tables whose parts do not fit together are neither saved nor loaded."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import ColumnTransformer

from thinnet import (
    Columns,
    Dense,
    Network,
    TableClassifier,
    TableEncoder,
    TableRegressor,
    load,
    save,
)
from thinnet.tables.columns.parts import ColumnParts

ROWS = 40
SMALL = {"hidden_layer_sizes": (2,), "max_iter": 1, "n_networks": 1, "random_state": 0}


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=ROWS), "b": rng.choice(["x", "y"], ROWS)})
    goals = {"threshold_for": "f1", "class_weight": "balanced"}
    classifier = TableClassifier(**SMALL, **goals).fit(X, np.where(X.a > 0, "yes", "no"))
    return {"classifier": classifier, "regressor": TableRegressor(**SMALL).fit(X, X.a.to_numpy())}


def encoder_with(model, **values):
    encoder = copy.copy(model.encoder_)
    vars(encoder).update(values)
    return encoder


def without_columns(parts):
    return ColumnParts((parts.parts[0]._replace(columns=()), *parts.parts[1:]))


def with_column(model, **values):
    first, *rest = model.encoder_.columns_
    return encoder_with(model, columns_=(first._replace(**values), *rest))


def with_holes_for_holes(model):
    encoder = copy.deepcopy(model.encoder_)
    fill = next(part.transformer[0] for part in encoder.parts_.parts if part.name == "piece")
    fill.statistics_ = np.full_like(fill.statistics_, np.nan)
    return encoder


def card(**values):
    plain = {"table": "t", "target": "y", "rows": 1, "tested on": None, "plain": [0.5, 0.5],
             "seed": 0, "thinnet": "0", "scores": []}  # fmt: skip
    return plain | values


SPOILED = {
    "too many weights": ("classifier", "class_weights_", lambda m: np.ones(3), "a number >= 0"),
    "a weight below 0": ("classifier", "class_weights_", lambda m: np.array([1.0, -1.0]), ">= 0"),
    "a threshold of nothing": ("classifier", "decision_", lambda m: 0.5, "a threshold of two"),
    "a threshold above 1": (
        "classifier", "decision_", lambda m: m.decision_._replace(threshold=2.0),
        "a threshold of two classes"),
    "no scores": ("classifier", "conformal_", lambda m: (np.ones(0),), "finite numbers of held"),
    "scores that are none": (
        "regressor", "conformal_", lambda m: (np.array([np.nan]),), "finite numbers of held-out"),
    "notes of numbers": ("classifier", "notes_", lambda m: (1,), "notes_ must be text"),
    "no encoder": ("classifier", "encoder_", lambda m: 3, "encoder_"),
    "no columns": (
        "classifier", "encoder_", lambda m: encoder_with(m, columns_=()), "must be Columns"),
    "a kind of column that is none": (
        "classifier", "encoder_", lambda m: with_column(m, kind="smell"), "must be Columns"),
    "a form of number that is none": (
        "classifier", "encoder_", lambda m: with_column(m, form="?"), "must be Columns"),
    "other names": (
        "classifier", "encoder_", lambda m: encoder_with(m, names_in_=np.array(["b", "a"], object)),
        r"names_in_ must be \['a', 'b'\]"),
    "holes filled with holes": (
        "classifier", "encoder_", with_holes_for_holes, "must make finite numbers of the shape"),
    "columns that drift, and are none": ("classifier", "drift_", lambda m: (), "have the columns"),
    "drift of a range that is none": (
        "classifier", "drift_", lambda m: (m.drift_[0]._replace(low="x"), *m.drift_[1:]),
        "drift_ must hold ranges"),
    "more strange cells than rows": (
        "classifier", "drift_", lambda m: (m.drift_[0]._replace(missing=10**6), *m.drift_[1:]),
        "drift_ must hold counts of its rows"),
    "a dialect that is none": ("classifier", "dialect_", lambda m: ",", "dialect_ must be"),
    "histories of others": ("classifier", "histories_", lambda m: [1], "histories_ must be"),
    "no networks": ("classifier", "networks_", lambda m: [], "a network at least, got none"),
    "a network of other rows": (
        "classifier", "networks_", lambda m: [Network([Dense(2)], features=99, seed=0)],
        "networks_ must take"),
    "a network of features": (
        "classifier", "networks_", lambda m: [Network([Dense(2)], m.encoder_.width, seed=0)],
        "networks_ must have the encoder's columns"),
    "a network of other columns": (
        "classifier", "networks_", lambda m: [
            Network([Columns(m.encoder_.encodings_[::-1], Dense(2))], m.encoder_.width, seed=0)],
        "networks_ must have the encoder's columns"),
    "parts of nothing": (
        "classifier", "encoder_", lambda m: encoder_with(m, parts_=ColumnParts(())),
        "must have ColumnParts or a ColumnTransformer"),
    "a part without columns": (
        "classifier", "encoder_",
        lambda m: encoder_with(m, parts_=without_columns(m.encoder_.parts_)),
        "must have ColumnParts or a ColumnTransformer"),
    "parts and a transformer": (
        "classifier", "encoder_", lambda m: encoder_with(m, transformer_=ColumnTransformer([])),
        "must have ColumnParts or a ColumnTransformer"),
    "a scale of other targets": (
        "regressor", "target_scale_", lambda m: m.target_scale_._replace(center=np.zeros(2)),
        r"target_scale_ must hold numbers of the shape \(1,\)"),
    "marks of other targets": (
        "regressor", "target_decimal_", lambda m: "..", "target_decimal_ must be a mark"),
    "knots that fall": (
        "regressor", "calibration_", lambda m: m.calibration_._replace(
            shape=m.calibration_.shape._replace(scores=m.calibration_.shape.scores[::-1])),
        "calibration_ must have increasing knots"),
    "a card without its table": (
        "classifier", "card_", lambda m: card(table=1), "card_ must have 'table'"),
    "plain answers that are no numbers": (
        "classifier", "card_", lambda m: card(plain=["a", "b"]), "plain must be numbers"),
    "plain answers of other classes": (
        "classifier", "card_", lambda m: card(plain=[1.0]), "plain must be 2 numbers"),
    "figures of classes that are texts": (
        "classifier", "card_", lambda m: card(classes=[{"label": "a"}]), "classes must have label"),
    "holes of no column": (
        "classifier", "card_", lambda m: card(holes={"z": 1}), "holes must be counts of rows"),
    "more holes than rows": (
        "classifier", "card_", lambda m: card(holes={"a": 2}), "holes must be counts of rows"),
    "a date that is none": (
        "classifier", "card_", lambda m: card(trained=3), "card_ must have 'trained'"),
    "importances of other columns": (
        "classifier", "importances_", lambda m: dataclasses.replace(
            m.importances_, columns=("b", "a")), "importances_ must be of log loss and"),
    "importances of another loss": (
        "regressor", "importances_", lambda m: dataclasses.replace(
            m.importances_, measure="log loss"), "importances_ must be of squared error and"),
    "importances without repeats": (
        "regressor", "importances_", lambda m: dataclasses.replace(
            m.importances_, values=np.zeros((2, 0))), "importances_ must have numbers for each"),
    "importances of half a row": (
        "regressor", "importances_", lambda m: dataclasses.replace(m.importances_, rows=0.5),
        "importances_ must have a loss of rows"),
    "scores of other names": (
        "classifier", "card_", lambda m: card(scores=[{"name": "accuracy"}]), "scores must have"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "spoil", "message"), SPOILED.values(), ids=SPOILED)
def test_a_part_that_does_not_fit_is_named_and_nothing_is_written(
    kind, name, spoil, message, models, path
):
    model = copy.copy(models[kind])
    setattr(model, name, spoil(models[kind]))
    with pytest.raises(ValueError, match=message) as caught:
        save(model, path)
    assert "\n" not in str(caught.value)
    assert not path.exists()


def test_a_model_whose_encoder_gives_frames_is_saved(path):
    table = pd.DataFrame({"a": np.arange(40.0), "b": ["x", "y"] * 20})
    encoder = TableEncoder().set_output(transform="pandas")
    model = TableRegressor(**SMALL, encoder=encoder).fit(table, table["a"])
    save(model, path)
    assert_array_equal(load(path).predict(table), model.predict(table))


def test_an_encoder_with_parts_alone_is_refused(path, models):
    encoder = copy.copy(models["classifier"].encoder_)
    del encoder.columns_, encoder.names_in_
    with pytest.raises(ValueError, match="TableEncoder must have columns_ and names_in_, got none"):
        save(encoder, path)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_parts_that_fit_are_written(kind, models, path):
    model = copy.copy(models[kind])
    model.card_ = card(plain=[0.5] * (2 if kind == "classifier" else 1))
    save(model, path)
    assert path.exists()
