"""Columns to learn from whose numbers are written as people write them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from exported_models import exported
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import TableClassifier, TableEncoder, TableRegressor, load, save
from thinnet.tables.columns.preparing import prepared
from thinnet.tables.reading import read_table

N = 60
ORDER = np.random.default_rng(0).permutation(N)
VALUES = 900 + 12.5 * ORDER
FORMS = {
    "dollars": ([f"${x:,.2f}" for x in VALUES], "."),
    "per cent": ([f"{x}%" for x in VALUES], "."),
    "euros": ([f"{x:_.2f} €".replace(".", ",").replace("_", ".") for x in VALUES], ","),
    "thousands": ([f"{x:,}" for x in VALUES], "."),
    "a few signs": ([*(str(x) for x in VALUES[:-3]), *(f"{x:,} USD" for x in VALUES[-3:])], "."),
}
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "n_networks": 2, "random_state": 0}


def table(cells):
    return pd.DataFrame({"price": cells, "size": np.arange(N) % 7})


def read(encoder, frame):
    return prepared(frame, encoder.columns_, encoder.missing_)["price"].to_numpy()


@pytest.mark.parametrize(("cells", "form"), FORMS.values(), ids=FORMS)
def test_amounts_are_numbers_to_learn_from(cells, form):
    encoder = TableEncoder().fit(table(cells))
    column = encoder.columns_[0]
    assert (column.kind, column.form) == ("number", form)
    assert column.why.startswith("cells such as ")
    assert_array_equal(read(encoder, table(cells)), VALUES)
    assert_array_equal(encoder.transform(table(cells)), TableEncoder().fit_transform(table(VALUES)))


@pytest.mark.parametrize("cells", [cells for cells, _ in FORMS.values()], ids=FORMS)
def test_plain_numbers_stand_in_for_amounts_later(cells):
    encoder = TableEncoder().fit(table(cells))
    assert_array_equal(read(encoder, table(VALUES)), VALUES)
    assert_array_equal(read(encoder, table([f"{x:.2f}" for x in VALUES])), VALUES)


def test_files_and_frames_of_all_libraries_mean_the_same_amounts(tmp_path):
    frame, path = table(FORMS["dollars"][0]), tmp_path / "t.csv"
    frame["sold"] = np.where(VALUES > 1200, "yes", "no")
    frame.to_csv(path, index=False)
    model = TableClassifier(**SMALL).fit(path, "sold")
    save(model, tmp_path / "m.thinnet")
    found = model.predict_proba(path)
    for same in (frame, pl.from_pandas(frame), frame.assign(price=VALUES)):
        assert_array_equal(model.predict_proba(same), found)
        assert_array_equal(load(tmp_path / "m.thinnet").predict_proba(same), found)
    assert not model.drift(path)["drifts"].any()
    frame["price"] = "dear"
    drift = model.drift(frame)
    assert drift[drift["column"].eq("price") & drift["fault"].eq("unreadable")]["drifts"].all()


def test_amounts_are_numbers_to_exported_models(tmp_path):
    frame = table(FORMS["euros"][0])
    model = TableRegressor(**SMALL).fit(frame, VALUES % 100)
    feed = {"price": VALUES[:, None], "size": frame[["size"]].to_numpy(float)}
    found = exported(model, feed, tmp_path / "m.onnx")["variable"][:, 0]
    assert_allclose(found, model.predict(frame), rtol=1e-5)


def test_a_model_with_an_unknown_decimal_mark_is_no_model_file(tmp_path):
    model = TableRegressor(**SMALL).fit(table(FORMS["dollars"][0]), VALUES % 100)
    model.target_decimal_ = "?"
    with pytest.raises(ValueError, match="target_decimal_ must be a mark for each target"):
        save(model, tmp_path / "m.thinnet")
    model.target_decimal_ = None
    save(model, tmp_path / "m.thinnet")
    price, size = model.encoder_.columns_
    model.encoder_.columns_ = (price._replace(form="?"), size)
    with pytest.raises(ValueError, match="columns_ must be Columns"):
        save(model, tmp_path / "m.thinnet")


def test_a_few_cells_may_be_no_amounts():
    cells = [*FORMS["dollars"][0][:-3], "-", None, "soon"]
    encoder = TableEncoder().fit(table(cells))
    assert encoder.columns_[0].kind == "number"
    assert encoder.columns_[0].why.endswith("cells such as 'soon' are taken as missing")
    assert_array_equal(np.isnan(read(encoder, table(cells))), [False] * (N - 3) + [True] * 3)


def test_amounts_are_numbers_where_that_is_asked_for():
    cells = ["$5", "7.50 USD", "free", "gift"] * (N // 4)
    assert TableEncoder().fit(table(cells)).columns_[0].kind == "category"
    encoder = TableEncoder(kinds={"price": "number"}).fit(table(cells))
    assert_array_equal(read(encoder, table(cells))[:4], [5, 7.5, np.nan, np.nan])
    with pytest.raises(ValueError, match="column 'price' must be of numbers, as asked for"):
        TableEncoder(kinds={"price": "number"}).fit(table(["free", "gift"] * (N // 2)))


CODES = {
    "digits behind a zero": ["020", "030", "$5"],
    "sizes": ["S", "M", "5"],
    "versions": ["1.2.3", "1.2.4", "2.0.1"],
    "numbers with a unit": ["5 kg", "7 kg", "8 kg"],
    "ranges": ["1-2", "3-4", "5-6"],
}


@pytest.mark.parametrize("cells", CODES.values(), ids=CODES)
def test_codes_stay_categories(cells):
    assert TableEncoder().fit(table(cells * (N // 3))).columns_[0].kind == "category"


COMMAS = {"money": "{:d},250 €", "numbers": "{:d},250"}


@pytest.mark.parametrize("cell", COMMAS.values(), ids=COMMAS)
def test_what_may_be_thousands_goes_by_the_decimal_mark_of_the_table(cell, tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{cell.format(k + 1)};{k % 7},5;{k % 3}" for k in ORDER]
    path.write_text("\n".join(["price;size;y", *rows]))
    model = TableRegressor(**SMALL).fit(path, "y")
    assert_array_equal(read(model.encoder_, read_table(path, typed=False)[0]), ORDER + 1.25)


def test_a_decimal_comma_of_the_table_is_no_thousand_beside_money(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"1.{k + 100},50 €;{k},5;{k % 3}" for k in ORDER]
    path.write_text("\n".join(["price;size;y", *rows]))
    model = TableRegressor(**SMALL).fit(path, "y")
    path.write_text("price;size\n1,234;0,5\n1.234 €;0,5\n")
    frame = read_table(path, model.dialect_, typed=False)[0]
    assert_array_equal(read(model.encoder_, frame), [1.234, 1234])


def test_the_kind_of_a_long_column_of_words_with_digits_is_found_in_a_moment():
    assert TableEncoder().fit(table([f"A{k}" for k in range(N)])).columns_[0].kind == "left out"


def test_several_targets_may_be_amounts():
    frame = table(FORMS["euros"][0]).assign(age=np.arange(N), share=FORMS["per cent"][0])
    model = TableRegressor(**SMALL).fit(frame, ["age", "price", "share"])
    assert len(model.notes_) >= 2
    plain = frame.assign(price=VALUES, share=VALUES)
    numbers = TableRegressor(**SMALL).fit(plain, ["age", "price", "share"])
    assert_array_equal(model.predict(frame), numbers.predict(frame))
    assert model.score(frame, ["age", "price", "share"]) == numbers.score(
        plain, ["age", "price", "share"]
    )


def test_targets_that_are_no_numbers_are_named():
    frame = table([f"n{k}" for k in range(N)])
    for names in ("price", ["size", "price"]):
        with pytest.raises(ValueError, match="y must hold numbers, got 'n0'"):
            TableRegressor(**SMALL).fit(frame.assign(x=VALUES), names)


def test_digits_behind_a_zero_are_numbers_to_a_regressor_which_says_so():
    frame = table(["00501", "01234"] * (N // 2))
    note = TableRegressor(**SMALL).fit(frame, "price").notes_[0]
    assert note == "target cells such as '00501' are read as 501"
