"""Numbers as people write them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from promises import done_within

from thinnet import TableClassifier, TableRegressor
from thinnet.tables.columns.amounts import decimal_of, read

AMOUNTS = {
    "dollars": (["$1,023.45", "$5"], [1023.45, 5]),
    "per cent": (["50.1%", "3 %"], [50.1, 3]),
    "euros": (["1 234,5 €", "5,25 €"], [1234.5, 5.25]),
    "thousands of euros": (["1.234 €", "950 €"], [1234, 950]),
    "thousands of dollars": (["$1,234"], [1234]),
    "decimals of per cent": (["5,125%"], [5.125]),
    "no thousands": (["0.125 €"], [0.125]),
    "losses": (["(5.00)", "-$5", "$-5", "\N{MINUS SIGN}5 €"], [-5, -5, -5, -5]),
    "millions": (["1.234.567,8 €"], [1234567.8]),
    "Swiss": (["CHF 1'234.50"], [1234.5]),
    "codes": (["EUR 5.5", "US$ 6"], [5.5, 6]),
    "narrow blanks": (["1\N{NARROW NO-BREAK SPACE}234,5 €"], [1234.5]),
}


@pytest.mark.parametrize(("cells", "numbers"), AMOUNTS.values(), ids=AMOUNTS)
def test_amounts_are_read_as_they_are_meant(cells, numbers):
    assert_array_equal(read(pd.Series(cells), decimal_of(cells)), numbers)


@pytest.mark.parametrize(
    "cells",
    [["12 kg"], ["A1"], ["$5", "five"], ["1,2,3"], ["1,5 €", "1.5 €"], [""], ["-"]],
    ids=str,
)
def test_what_is_no_amount_is_left_to_others(cells):
    assert decimal_of(cells) is None


@pytest.mark.parametrize("text", ["1" * 10**6 + "x", "1," * 10**6, "(" * 10**6, " " * 10**6 + "x"])
def test_long_cells_take_no_time(text):
    with done_within(10):
        assert decimal_of([text]) is None


def table(n=60):
    return pd.DataFrame({
        "x": np.arange(n) ** 2,
        "price": [f"${1000 + k:,}.50" for k in range(n)],
        "name": [f"n{k}" for k in range(n)],
    })  # fmt: skip


SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "n_networks": 2, "random_state": 0}


def test_a_regressor_reads_amounts_and_says_so():
    model = TableRegressor(**SMALL).fit(table(), "price")
    assert model.notes_[0] == "target cells such as '$1,000.50' are read as 1000.5"
    numbers = TableRegressor(**SMALL).fit(table().drop(columns="price"), 1000.5 + np.arange(60))
    assert_array_equal(model.predict(table()), numbers.predict(table()))


def test_rows_without_a_target_are_counted():
    rows = table()
    rows.loc[[3, 5], "price"] = None
    model = TableRegressor(**SMALL).fit(rows, "price")
    assert "2 rows are left out: their target is missing" in model.notes_


def test_labels_of_which_each_row_has_its_own_are_refused():
    with pytest.raises(ValueError, match="must hold labels that come again, got 60 different"):
        TableClassifier(**SMALL).fit(table(), "name")


def test_several_columns_are_targets_by_name():
    rows = pd.DataFrame({"x": np.arange(40.0) ** 2, "a": np.arange(40.0), "b": np.ones(40)})
    rows.loc[3, "a"] = np.nan
    model = TableRegressor(**SMALL).fit(rows, ["a", "b"])
    assert model.feature_names_in_.tolist() == ["x"]
    assert model.predict(rows).shape == (40, 2)
    known = rows.drop(index=3)
    assert model.score(rows, ["a", "b"]) == model.score(known, known[["a", "b"]])
    with pytest.raises(ValueError, match="y must be one column of labels, got 2 columns"):
        TableClassifier(**SMALL).fit(rows, ["a", "b"])


def labelled():
    return pd.DataFrame({"x": np.arange(40.0) ** 2, "Churn": ["no", "yes"] * 20})


def test_targets_are_named_wherever_there_are_targets(tmp_path):
    rows, path = labelled(), tmp_path / "rows.csv"
    rows.to_csv(path, index=False)
    model = TableClassifier(**SMALL).fit(rows, "Churn", eval_set=(rows, "Churn"))
    assert model.score(rows, "Churn") == model.score(rows, rows["Churn"])
    assert model.score(path, "Churn") == model.score(rows, rows["Churn"])
    assert_array_equal(
        model.log_likelihood(rows, "Churn"), model.log_likelihood(rows, rows["Churn"])
    )
    weights = np.arange(40.0)
    rows.loc[5, "Churn"] = None
    known = rows["Churn"].notna()
    named = model.score(rows, "Churn", weights)
    assert named == model.score(rows[known], rows["Churn"][known], weights[known])
    with pytest.raises(ValueError, match=r"got 'churn' \(did you mean 'Churn'\?\)"):
        model.score(rows, "churn")


@pytest.mark.parametrize("kind", [TableClassifier, TableRegressor])
@pytest.mark.parametrize("missing", [None, pd.NA, np.nan], ids=str)
def test_a_row_without_a_target_is_named(kind, missing):
    y = np.array([0, 1] * 20, object)
    y[7] = missing
    with pytest.raises(ValueError, match=r"y must hold a target for each row, got .* in row 7"):
        kind(**SMALL).fit(labelled()[["x"]], y)


def test_classifiers_return_the_spread_of_what_they_guess():
    model = TableClassifier(**SMALL).fit(labelled(), "Churn")
    guesses, std = model.predict(labelled(), return_std=True, n_draws=20)
    found = model.uncertainty(labelled(), 20)
    places = found.probabilities.argmax(axis=1)
    assert_array_equal(guesses, model.classes_[places])
    assert_array_equal(std, np.take_along_axis(found.std, places[:, None], 1)[:, 0])
    with pytest.raises(ValueError, match="return_std must be False with abstain"):
        model.predict(labelled(), abstain=0.5, return_std=True)
