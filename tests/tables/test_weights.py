"""Weights of a table's rows: in the loss, on rows held out, and in what is learned from these."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, r2_score
from trying import given_few_or_many

from thinnet import (
    Dense,
    GaussianNLL,
    Network,
    Run,
    SoftmaxCrossEntropy,
    SquaredError,
    TableClassifier,
    TableRegressor,
    evaluate,
    load,
    save,
)
from thinnet.checks import DataFileError
from thinnet.tables import splitting
from thinnet.tables.beside import of_mean_one
from thinnet.tables.calibrating import _of_mean
from thinnet.tables.deciding import decision
from thinnet.uncertainty.draws.noise import noise_of
from thinnet.uncertainty.draws.shapes import shape_of

QUICK = {"n_networks": 2, "max_iter": 4, "random_state": 0, "hidden_layer_sizes": (8,)}
ROWS = 160
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": RNG.normal(size=ROWS), "b": RNG.choice(list("xyz"), ROWS)})
NUMBERS = TABLE["a"].to_numpy() ** 2 + 0.1 * RNG.normal(size=ROWS)
CLASSES = np.where(NUMBERS > 0.5, "high", "low")
WEIGHTS = RNG.integers(0, 4, ROWS)
KINDS = {
    "numbers": (TableRegressor(**QUICK), NUMBERS),
    "numbers and their noise": (TableRegressor(**QUICK, loss="gaussian_nll"), NUMBERS),
    "classes": (TableClassifier(**QUICK), CLASSES),
    "weighed classes": (
        TableClassifier(**QUICK, class_weight={"high": 3, "low": 0.5}, threshold_for="f1"),
        CLASSES,
    ),
}
kinds = pytest.mark.parametrize(("model", "y"), KINDS.values(), ids=KINDS)


def answers(model):
    if isinstance(model, TableClassifier):
        return model.predict_proba(TABLE)
    return np.column_stack([model.predict(TABLE), *model.predict_interval(TABLE).T])


@kinds
@pytest.mark.parametrize("size", [1.0, 0.25, 7e300])
def test_equal_weights_are_no_weights_bit_for_bit(model, y, size):
    plain = answers(model.fit(TABLE, y))
    assert_array_equal(answers(model.fit(TABLE, y, sample_weight=np.full(ROWS, size))), plain)


@kinds
def test_only_ratios_of_weights_matter(model, y):
    found = answers(model.fit(TABLE, y, sample_weight=WEIGHTS))
    assert_array_equal(answers(model.fit(TABLE, y, sample_weight=4096.0 * WEIGHTS)), found)
    assert (answers(model.fit(TABLE, y)) != found).any()


@kinds
def test_rows_of_weight_0_are_as_if_they_were_not_there(model, y):
    there = WEIGHTS > 0
    expected = answers(model.fit(TABLE[there], y[there], sample_weight=WEIGHTS[there]))
    strange = TABLE.assign(a=np.where(there, TABLE["a"], 1e9), b=TABLE["b"].where(there, "new"))
    other = np.where(there, y, 1e9 if y.dtype.kind == "f" else "third")
    found = model.fit(strange, other, sample_weight=WEIGHTS)
    assert_array_equal(answers(found), expected)
    assert f"{(~there).sum()} rows are left out: their weight is 0" in found.notes_


@given_few_or_many(
    20, 200, st.lists(st.integers(0, 5), min_size=2, max_size=12).filter(any), st.integers(0, 9)
)
def test_a_row_of_an_integer_weight_is_as_many_equal_rows(weights, seed):
    rng, w = np.random.default_rng(seed), np.array(weights, float)
    x, repeated = rng.normal(size=(len(w), 3)), np.repeat(np.arange(len(w)), weights)
    for loss, y in (
        (SoftmaxCrossEntropy(), rng.integers(0, 2, len(w))),
        (SquaredError(), rng.normal(size=(len(w), 2))),
        (GaussianNLL(), rng.normal(size=(len(w), 1))),
    ):
        found = []
        for rows, of_rows in ((slice(None), w), (repeated, None)):
            network = Network([Dense(2)], 3, seed=seed, dtype="float64", executor="reference")
            outputs, cache = network.forward(x[rows], Run.predict())
            value, dy = loss(outputs, y[rows], of_rows)
            network.backward(cache, dy)
            found.append((value, network.gradient.copy()))
        (value, gradient), (other, of_repeated) = found
        assert_allclose(value, other, rtol=1e-12)
        assert_allclose(gradient, of_repeated, rtol=1e-9, atol=1e-12)


def test_weights_of_rows_and_of_their_classes_are_multiplied():
    of_classes = {"high": 3.0, "low": 0.5}
    both = TableClassifier(**QUICK, class_weight=of_classes).fit(
        TABLE, CLASSES, sample_weight=WEIGHTS + 1
    )
    products = (WEIGHTS + 1) * np.where(CLASSES == "high", 3.0, 0.5)
    one = TableClassifier(**QUICK).fit(TABLE, CLASSES, sample_weight=products)
    for network, other in zip(both.networks_, one.networks_, strict=True):
        assert_allclose(network.theta, other.theta, rtol=1e-3, atol=1e-5)
    only = TableClassifier(**QUICK, class_weight=of_classes).fit(TABLE, CLASSES)
    assert np.abs(only.networks_[0].theta - both.networks_[0].theta).max() > 1e-3


def test_the_loss_that_training_stops_by_is_weighed():
    settings = QUICK | {"n_networks": 1, "max_iter": 1}
    model = TableRegressor(**settings).fit(TABLE, NUMBERS, sample_weight=WEIGHTS + 1)
    _, held = next(splitting.splits(model, NUMBERS, np.random.RandomState(0)))
    X = model.encoder_.encoded(model.encoder_.table(TABLE.iloc[held]))
    y = model.target_scale_.forward(NUMBERS[held, None])
    network, (epoch,) = model.networks_[0], model.history_.epochs
    weighed = evaluate(network, X, y, sample_weight=WEIGHTS[held] + 1.0)
    assert_allclose((epoch.validation_loss, epoch.validation_score), weighed, rtol=1e-6)
    assert evaluate(network, X, y)[0] != pytest.approx(epoch.validation_loss, rel=1e-3)


def test_a_column_of_weights_is_taken_out_of_the_table_and_may_stay_there_later():
    table = TABLE.assign(y=NUMBERS, w=WEIGHTS.astype(str))
    model = TableRegressor(**QUICK).fit(table, "y", sample_weight="w")
    other = TableRegressor(**QUICK).fit(TABLE, NUMBERS, sample_weight=WEIGHTS)
    assert_array_equal(model.predict(table), other.predict(TABLE))
    assert list(model.feature_names_in_) == ["a", "b"]
    expected = r2_score(NUMBERS, model.predict(TABLE), sample_weight=WEIGHTS)
    assert model.score(table, "y", sample_weight="w") == pytest.approx(expected)
    assert model.score(table, "y", WEIGHTS) == pytest.approx(expected)
    assert not hasattr(model.fit(TABLE, NUMBERS), "weight_name_")


def test_rows_without_a_target_need_no_weight():
    table = TABLE.assign(y=CLASSES, w=WEIGHTS.astype(object))
    table.loc[3, "y"], table.loc[3, "w"] = None, None
    model = TableClassifier(**QUICK).fit(table, "y", sample_weight="w")
    known = np.arange(ROWS) != 3
    expected = accuracy_score(
        CLASSES[known], model.predict(TABLE[known]), sample_weight=WEIGHTS[known]
    )
    assert model.score(table, "y", sample_weight="w") == pytest.approx(expected)
    with pytest.raises(ValueError, match="'w' must hold numbers >= 0, got 'a' in row 5"):
        TableClassifier(**QUICK).fit(
            table.assign(w=["a" if i == 5 else 1 for i in range(ROWS)]), "y", sample_weight="w"
        )


def test_weights_come_from_a_file_and_stay_with_the_model(tmp_path):
    TABLE.assign(y=NUMBERS, w=WEIGHTS).to_csv(tmp_path / "t.csv", index=False)
    model = TableRegressor(**QUICK).fit(tmp_path / "t.csv", "y", sample_weight="w")
    save(model, tmp_path / "m.thinnet")
    again = load(tmp_path / "m.thinnet")
    assert again.weight_name_ == "w"
    assert_array_equal(again.predict(tmp_path / "t.csv"), model.predict(TABLE))


def test_held_out_rows_of_an_own_table_are_weighed_by_the_same_column():
    table = TABLE.assign(y=NUMBERS, w=WEIGHTS)
    model = TableRegressor(**QUICK)
    found = model.fit(table, "y", eval_set=(table, "y"), sample_weight="w").histories_[0]
    there = table[table["w"] > 0]
    only = model.fit(table, "y", eval_set=(there, "y"), sample_weight="w").histories_[0]
    assert_array_equal(found["validation_loss"], only["validation_loss"])
    plain = model.fit(table, "y", eval_set=(TABLE, NUMBERS), sample_weight="w").histories_[0]
    assert (found["validation_loss"] != plain["validation_loss"]).all()


BAD = {
    "negative": (np.r_[np.ones(ROWS - 1), -1.0], "finite and >= 0 everywhere, got -1 in row 159"),
    "a hole": (np.r_[np.nan, np.ones(ROWS - 1)], "finite and >= 0 everywhere, got nan in row 0"),
    "infinite": (np.r_[np.inf, np.ones(ROWS - 1)], "everywhere, got inf in row 0"),
    "all 0": (np.zeros(ROWS), "sample_weight must be above 0 somewhere, got zeros only"),
    "too few": (np.ones(3), "as many rows as X, got 3 and 160"),
    "two axes": (np.ones((ROWS, 1)), "sample_weight must be one-dimensional"),
    "texts": (["a"] * ROWS, "sample_weight must be an array of real numbers"),
    "no column": ("nosuch", "column of the table beside the target, got 'nosuch'"),
}


@pytest.mark.parametrize(("weights", "message"), BAD.values(), ids=BAD)
def test_weights_that_cannot_be_are_refused_in_a_sentence(weights, message):
    with pytest.raises(ValueError, match=message):
        TableRegressor(**QUICK).fit(TABLE, NUMBERS, sample_weight=weights)


CELLS = {
    "negative": ("-2", "got '-2' in row 7"),
    "missing": ("", "got a missing cell in row 7"),
    "a dash": ("-", "got a missing cell in row 7"),
    "a text": ("much", "got 'much' in row 7"),
    "infinite": ("inf", "got 'inf' in row 7"),
}


@pytest.mark.parametrize(("cell", "message"), CELLS.values(), ids=CELLS)
def test_cells_that_are_no_weight_are_refused_by_row(cell, message, tmp_path):
    weights = ["1"] * ROWS
    weights[7] = cell
    TABLE.assign(y=NUMBERS, w=weights).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises((ValueError, DataFileError), match=f"column 'w' must .*{message}"):
        TableRegressor(**QUICK).fit(tmp_path / "t.csv", "y", sample_weight="w")


def test_a_table_of_weights_alone_is_refused():
    with pytest.raises(ValueError, match="X must have columns beside 'a', got none"):
        TableRegressor(**QUICK).fit(TABLE[["a"]].abs(), NUMBERS, sample_weight="a")


@given_few_or_many(
    50,
    500,
    st.lists(
        st.tuples(st.integers(0, 9), st.booleans(), st.integers(1, 4)), min_size=1, max_size=30
    ),
    st.sampled_from(["f1", "balanced-accuracy", "recall=0.7", "precision=0.6"]),
)
def test_a_threshold_for_weighed_rows_is_that_for_repeated_ones(rows, goal):
    p, y, w = (np.array(part) for part in zip(*rows, strict=True))
    found = decision(goal, 1, p / 10, y.astype(bool), w.astype(float))
    repeated = decision(goal, 1, np.repeat(p / 10, w), np.repeat(y, w).astype(bool))
    assert_allclose(found[2:-1], repeated[2:-1], rtol=1e-12)
    assert found.rows == len(p)


def test_the_size_of_errors_is_that_of_repeated_rows():
    errors, y = RNG.normal(size=(5, 40, 1)), RNG.normal(size=(40, 1))
    w = RNG.integers(1, 5, 40)
    many = np.repeat(np.arange(40), w)
    repeated = noise_of(errors[:, many], y[many])
    assert_allclose(noise_of(errors, y, w.astype(float)), repeated, rtol=1e-4)
    owner = np.arange(40) % 5
    assert_allclose(
        _of_mean(errors, owner, w.astype(float)), _of_mean(errors[:, many], owner[many], None)
    )


@pytest.mark.parametrize("rows", [30, 2000])
def test_the_shape_of_errors_is_that_of_a_table_in_which_rows_stand_by_weight(rows):
    errors = np.random.default_rng(rows).standard_t(3, size=(rows, 2))
    plain, ones = shape_of(errors), shape_of(errors, np.full(rows, 3.0))
    assert_allclose(ones.errors, plain.errors, rtol=1e-9)
    assert_allclose(ones.scores, plain.scores)
    size = np.abs(errors[:, 0])
    weights = np.where(size > 1, 4.0, 1.0)
    wide = shape_of(errors[:, :1], weights).at(np.array([1.0]))
    many = shape_of(np.repeat(errors[:, :1], weights.astype(int), axis=0)).at(np.array([1.0]))
    assert_allclose(wide, many, rtol=0.1 if rows > 100 else 0.5)
    assert wide > 1.2 * plain.at(np.array([1.0]))[:, :1]


def test_weights_are_brought_to_a_mean_of_one_whatever_their_size():
    assert of_mean_one(np.full(4, 5.0)) is None
    assert_allclose(of_mean_one(np.array([1.0, 3.0])), [0.5, 1.5])
    assert_allclose(of_mean_one(np.array([1e308, 3e307])), [2 / 1.3, 0.6 / 1.3])
