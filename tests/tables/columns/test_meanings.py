"""What cells mean is one thing, whatever they come from: kinds of columns, and missing cells."""

import io

import numpy as np
import pandas as pd
import polars as pl
import pytest
from commanding import thinnet_command
from exported_models import exported
from mangling import mangled
from numpy.testing import assert_array_equal
from sklearn.base import clone

from thinnet import (
    DataFileError,
    DriftWarning,
    TableClassifier,
    TableEncoder,
    TableRegressor,
    load,
    save,
)
from thinnet.commands.fitting import FitJob, fit
from thinnet.tables.columns.dates import as_dates
from thinnet.tables.columns.kinds import Column, column_of
from thinnet.tables.reading import read_table
from thinnet.tables.reading.cells import MISSING

FAST = {"n_networks": 1, "max_iter": 1, "hidden_layer_sizes": (4,), "random_state": 0}
N = 60


def table():
    """A row number, a ZIP code, a code, a number with dashes, a category, a date; and a target."""
    rng = np.random.default_rng(0)
    zips = rng.choice(["01234", "02139", "94110", "10001"], N)
    return pd.DataFrame(
        {
            "rownames": [str(i + 1) for i in range(N)],
            "zip": zips,
            "code": rng.choice(["020", "060", "190"], N),
            "n": ["-" if i % 5 == 0 else str(rng.integers(99)) for i in range(N)],
            "c": [["?", "NULL", "x", " y ", "#N/A"][i] for i in rng.integers(0, 5, N)],
            "day": [f"20{y:02d}-02-03" for y in rng.integers(10, 25, N)],
            "t": np.where(zips < "5", "yes", "no"),
        }
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "t.csv"
    table().to_csv(path, index=False)
    return path


KINDS = {"rownames": "left out", "zip": "category", "code": "category", "n": "number",
         "c": "category", "day": "date"}  # fmt: skip


def test_what_columns_are_is_decided_before_rows_are_held_out(path):
    assert kinds(fit(FitJob(path, "t", settings=settings()), progress=False).estimator) == KINDS
    parts = table().sample(frac=0.5, random_state=0)
    model = TableClassifier(**FAST).fit(parts.drop(columns="t"), parts["t"], whole=table())
    assert kinds(model) == KINDS


def settings():
    return {name: value for name, value in FAST.items() if name != "random_state"}


def kinds(model):
    return {column.name: column.kind for column in model.encoder_.columns_}


def test_row_numbers_are_found_where_some_targets_are_missing(path):
    frame = table()
    frame.loc[[3, 7, 20], "t"] = None
    assert kinds(TableClassifier(**FAST).fit(frame, "t"))["rownames"] == "left out"
    frame.to_csv(path, index=False)
    assert kinds(fit(FitJob(path, "t", settings=settings()), False).estimator) == KINDS


def test_a_code_keeps_its_zeros(path):
    encoder = TableEncoder().fit(pd.read_csv(path, dtype=str).drop(columns="t"))
    names = set(encoder.get_feature_names_out())
    assert {"zip_01234", "zip_94110", "code_020"} <= names


WANTED = {
    "number": ("zip", "number"),
    "category": ("n", "category"),
    "text": ("c", "text"),
    "drop": ("day", "left out"),
    "date": ("day", "date"),
}


@pytest.mark.parametrize(("wanted", "case"), WANTED.items(), ids=WANTED)
def test_a_kind_can_be_forced(wanted, case):
    name, kind = case
    model = clone(TableClassifier(**FAST, kinds={name: wanted})).fit(table(), "t")
    assert kinds(model) == KINDS | {name: kind}
    assert model.predict_proba(table()).shape == (N, 2)


def test_the_command_forces_kinds_and_adds_words_that_the_model_remembers(path, tmp_path):
    out = tmp_path / "m.thinnet"
    code, message = thinnet_command(
        "fit", path, "--target", "t", "--out", out, "--epochs", "1", "--networks", "1",
        "--kind", "zip=number", "--kind", "day=drop", "--missing", "x", "--missing", "-9",
    )  # fmt: skip
    assert code == 0, message
    model = load(out)
    assert kinds(model) == KINDS | {"zip": "number", "day": "left out"}
    assert set(model.encoder_.missing_) == {*MISSING, "x", "-9"}
    assert "c_x" not in model.encoder_.get_feature_names_out()


WRONG = {
    "no such column": (
        {"other": "number"},
        "kinds must be for columns to learn from, of .*'other'",
    ),
    "no such kind": ({"zip": "numbers"}, "the kind of column 'zip' must be one of number, categ"),
    "no dict": (["zip"], "kinds must be a dict of kinds by column, got"),
    "no numbers": ({"c": "number"}, "column 'c' must be of numbers, as asked for, got"),
    "no dates": ({"c": "date"}, "column 'c' must be of dates, as asked for, got"),
}


@pytest.mark.parametrize(("wanted", "message"), WRONG.values(), ids=WRONG)
def test_a_kind_that_cannot_be_is_refused_in_one_sentence(wanted, message):
    with pytest.raises(ValueError, match=message):
        TableClassifier(**FAST, kinds=wanted).fit(table(), "t")


@pytest.mark.parametrize("wanted", ["zip", "zip=", "=number", "zip=numbers", "t=number"])
def test_the_command_refuses_such_a_kind(path, wanted):
    code, message = thinnet_command("fit", path, "--target", "t", "--kind", wanted)
    assert (code, message.count("thinnet: ")) == (2, 1)


def test_a_columns_name_may_hold_an_equals_sign(path):
    _, message = thinnet_command("fit", path, "--target", "t", "--kind", "a=b=number")
    assert "got 'a=b'" in message


# --- missing cells -------------------------------------------------------------------------------


def as_objects(frame):
    return frame.astype(object)


def as_categories(frame):
    return frame.assign(c=frame["c"].astype("category"))


def through_parquet(frame):
    file = io.BytesIO()
    frame.to_parquet(file)
    return pd.read_parquet(file)


WAYS = {
    "str": lambda frame: frame.astype("str"),
    "object": as_objects,
    "string": lambda frame: frame.astype("string"),
    "arrow": lambda frame: frame.astype("string[pyarrow]"),
    "categorical": as_categories,
    "polars": pl.from_pandas,
    "polars, lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "Parquet": through_parquet,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Fitted to a file of the table."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    table().to_csv(path, index=False)
    return TableClassifier(**FAST).fit(path, "t")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_missing_cell_is_the_same_wherever_it_comes_from(way, model, path):
    mine = way(table().drop(columns="t"))
    assert_array_equal(model.predict_proba(mine), model.predict_proba(path))
    again = TableClassifier(**FAST).fit(mine, table()["t"].to_numpy())
    assert_array_equal(again.predict_proba(path), model.predict_proba(path))


def test_added_words_are_missing_everywhere(path, tmp_path):
    numbers = pd.DataFrame({"n": [-9, 1, 2, 3] * 15, "c": ["none", "a", "b", "a"] * 15})
    y = np.arange(N) % 2
    model = TableClassifier(**FAST, missing=("-9", "none")).fit(numbers, y)
    holes = numbers.replace({"n": {-9: None}, "c": {"none": None}})
    assert_array_equal(model.predict_proba(numbers), model.predict_proba(holes))
    assert_array_equal(model.predict_proba(numbers.astype(str)), model.predict_proba(holes))
    save(model, tmp_path / "m")
    assert_array_equal(load(tmp_path / "m").predict_proba(numbers), model.predict_proba(holes))
    feed = {"n": numbers[["n"]].to_numpy(float), "c": numbers[["c"]].to_numpy(object)}
    found = exported(model, feed, tmp_path / "m.onnx")["probabilities"]
    np.testing.assert_allclose(found, model.predict_proba(holes), atol=1e-6)


@pytest.mark.filterwarnings("ignore::thinnet.checks.DriftWarning")
def test_every_word_is_missing_in_onnx_too(tmp_path):
    words = sorted(MISSING)
    cells = pd.DataFrame({"c": ["a", "b", "a", None] * 15, "true": [True, False] * 30})
    model = TableClassifier(**FAST).fit(cells, np.arange(N) // 2 % 2)
    wanted = pd.DataFrame({"c": words, "true": "True"})
    feed = {name: wanted[[name]].to_numpy(object) for name in wanted}
    found = exported(model, feed, tmp_path / "m.onnx")["probabilities"]
    np.testing.assert_allclose(found, model.predict_proba(wanted), atol=1e-6)
    assert len(np.unique(found.round(6), axis=0)) == 1


# --- one reading ---------------------------------------------------------------------------------


def read_as_text(path):
    """What pandas makes of a file whose dialect is known."""
    dialect = read_table(path)[1]
    return pd.read_csv(
        path, dtype=str, sep=dialect.delimiter, encoding=dialect.encoding, index_col=False,
        names=list(dialect.names), header=0 if dialect.header else None,
        encoding_errors="strict",
    )  # fmt: skip


def outcome(attempt):
    """Columns and probabilities of a model, or that there is none."""
    try:
        model, rows = attempt()
    except (DataFileError, ValueError):
        return None
    return model.encoder_.columns_, model.predict_proba(rows)


def check_one_reading(path):
    def by_command():
        job = FitJob(path, "buys", "classification", test_fraction=0, settings=settings())
        return fit(job, progress=False).estimator, path

    def by_path():
        return TableClassifier(**FAST).fit(path, "buys"), path

    def by_pandas():
        frame = read_as_text(path)
        return TableClassifier(**FAST).fit(frame, "buys"), frame

    by = [by_command, by_path]
    try:
        read_as_text(path)
        by.append(by_pandas)
    except (UnicodeError, ValueError):
        pass  # not in UTF-8, or not a table for pandas
    first, *others = map(outcome, by)
    for other in others:
        assert (first is None) == (other is None)
        if first is not None:
            assert first[0] == other[0]
            assert_array_equal(first[1], other[1])
    return first is not None


@pytest.mark.filterwarnings("ignore")
def test_a_file_means_the_same_from_python_and_from_the_command(path):
    path.write_bytes(mangled(0))
    frame = table().rename(columns={"t": "buys"})
    frame.to_csv(path, index=False)
    assert check_one_reading(path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_mangled_file_means_the_same_from_python_and_from_the_command(path):
    worked = 0
    for seed in range(200):
        path.write_bytes(mangled(seed))
        worked += check_one_reading(path)
    assert worked > 50


# --- dates ---------------------------------------------------------------------------------------

YEARS = ["0001-01-01", "0476-09-04", "1582-10-15", "1969-12-31", "2024-02-29", "9999-12-31"]
DAYS = [-719162, -545421, -141427, -1, 19782, 2932896]
OF_DATES = {
    "text": YEARS,
    "text with times": [f"{day} 00:00:00" for day in YEARS],
    "German": [f"{day[8:]}.{day[5:7]}.{day[:4]}" for day in YEARS],
    "seconds": np.array(YEARS, "datetime64[s]"),
    "microseconds": np.array(YEARS, "datetime64[us]"),
    "dates": pd.Series([np.datetime64(day, "D").item() for day in YEARS], dtype=object),
    "datetimes": pd.Series([np.datetime64(day, "s").item() for day in YEARS], dtype=object),
    "periods": pd.PeriodIndex(YEARS, freq="D"),
    "Arrow": pd.Series(np.array(YEARS, "datetime64[s]")).astype("date32[pyarrow]"),
    "Arrow's seconds": pd.Series(np.array(YEARS, "datetime64[s]")).astype("timestamp[s][pyarrow]"),
    "polars": lambda: pl.Series(YEARS).str.to_date().to_pandas(),
}


@pytest.mark.parametrize("cells", OF_DATES.values(), ids=OF_DATES)
def test_dates_of_all_years_are_days_since_1970(cells):
    cells = cells() if callable(cells) else cells
    frame = pd.DataFrame({"a": pd.Series(cells), "b": range(6)})
    encoder = TableEncoder(n_bins=1).fit(frame)
    assert encoder.columns_[0].kind == "date"
    column = encoder.columns_[0]
    known = [day for day in DAYS if day not in column.never]
    assert (column.low, column.high) == (min(known), max(known))
    assert np.isfinite(encoder.transform(frame)).all()


def test_never_is_noticed_noted_and_leaves_the_scale_to_the_others():
    days = pd.date_range("2015-01-01", periods=N, freq="31D").astype(str).to_numpy(object)
    held = days.copy()
    held[::6] = "9999-12-31"
    plain, never = (pd.DataFrame({"end": cells, "x": np.arange(N) % 7}) for cells in (days, held))
    model = TableRegressor(**FAST).fit(never, np.arange(N) % 11.0)
    (note,) = model.notes_
    assert "'end' is read as date: 9999-12-31 stands in 10 rows" in note
    assert "'never'" in note
    (column, _) = model.encoder_.columns_
    assert (column.never, column.high < 20_000) == ((2932896.0,), True)
    names = model.encoder_.get_feature_names_out()
    assert "end: never_9999-12-31" in names
    without = TableEncoder().fit(plain)
    at = list(names).index("end: day"), list(without.get_feature_names_out()).index("end: day")
    rows = held != "9999-12-31"
    scaled = model.encoder_.transform(never)[rows, at[0]]
    assert np.corrcoef(scaled, without.transform(plain)[rows, at[1]])[0, 1] > 0.95


@pytest.mark.parametrize("cells", [
    ["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01"],
    ["1920-01-01", "1920-01-01", "1950-01-01", "1990-01-01"],
    ["0001-01-01", "2500-01-01", "5000-01-01", "7500-01-01", "9998-01-01"],
])  # fmt: skip
def test_dates_that_lie_beside_each_other_are_all_dates(cells):
    assert column_of("a", pd.Series(cells)).never == ()


def test_one_date_far_away_at_prediction_spoils_nothing():
    table = pd.DataFrame(
        {"day": pd.date_range("2020-01-01", periods=40).astype(str), "x": range(40)}
    )
    table["x"] %= 3
    model = TableRegressor(**FAST).fit(table, np.arange(40.0))
    later = table.assign(day="9999-12-31")
    with pytest.warns(DriftWarning, match="'day': 100.00% of the cells out of range"):
        assert np.isfinite(model.predict(later)).all()


def test_a_column_of_an_older_model_takes_texts_as_they_are():
    encoder = TableEncoder().fit(pd.DataFrame({"c": ["020", "?", "b"] * 9}))
    assert encoder.columns_ == (Column("c", "category", form="codes"),)
    encoder.columns_, encoder.missing_ = (Column("c", "category"),), None
    from thinnet.tables.columns.preparing import prepared

    found = prepared(pd.DataFrame({"c": ["020", "?"]}), encoder.columns_, encoder.missing_)
    assert found["c"].tolist() == ["20", "?"]


ODD = {
    "lists": ({"a": [[1, 2], [3]] * 10}, "column 'a' must hold single values, got the list"),
    "arrays": ({"a": [np.ones(2)] * 20}, "column 'a' must hold single values, got the ndarray"),
}


@pytest.mark.parametrize(("cells", "message"), ODD.values(), ids=ODD)
def test_cells_that_are_no_single_values_are_refused(cells, message):
    with pytest.raises(ValueError, match=message):
        TableEncoder().fit(pd.DataFrame(cells))


NUMBERS = {
    "near 10^25": [10**25 + i for i in range(20)],
    "near 10^25, as text": [str(10**25 + i) for i in range(20)],
    "one near 10^25": [10**25, *range(19)],
    "infinite": [np.inf, -np.inf, *range(18)],
    "infinite, as text": ["inf", "-Infinity", *map(str, range(18))],
    "the largest": [1.7e308, -1.7e308, *range(18)],
}


@pytest.mark.parametrize("cells", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("kind", [None, {"a": "number"}, {"a": "category"}])
def test_numbers_of_any_size_become_finite_ones(cells, kind):
    frame = pd.DataFrame({"a": cells, "b": np.arange(20) % 3})
    encoder = TableEncoder(kinds=kind).fit(frame)
    assert np.isfinite(encoder.transform(frame)).all()


def test_a_target_alone_is_no_table(path):
    with pytest.raises(ValueError, match=r"^X must have columns beside the target 't', got none$"):
        TableClassifier().fit(table()[["t"]], "t")
    table()[["t"]].to_csv(path, index=False)
    with pytest.raises(DataFileError, match=r"must have columns beside the target 't', got none$"):
        fit(FitJob(path, "t"))


ORDERS = {
    "month first": [f"{m:02}/{d:02}/2021" for m in range(1, 13) for d in (1, 20)],
    "day first": [f"{d:02}/{m:02}/2021" for m in range(1, 13) for d in (1, 20)],
    "month first, a dash": [f"{m:02}-{d:02}-2021" for m in range(1, 13) for d in (1, 20)],
    "day first but once": [*(f"{k % 12 + 1:02}/05/2021" for k in range(40)), "13/05/2021"],
}


@pytest.mark.parametrize("cells", ORDERS.values(), ids=ORDERS)
def test_days_above_12_settle_the_order_of_a_date(cells):
    encoder = TableEncoder(n_bins=1).fit(pd.DataFrame({"a": cells, "b": np.arange(len(cells))}))
    column = encoder.columns_[0]
    assert (column.kind, column.why) == ("date", "")


UNKNOWN = {"/": "month first", "-": "day first"}


@pytest.mark.parametrize("kinds", [None, {"a": "date"}], ids=["found", "wanted"])
@pytest.mark.parametrize(("mark", "order"), UNKNOWN.items(), ids=UNKNOWN)
def test_an_order_that_no_cell_shows_is_mentioned(mark, order, kinds):
    cells = [mark.join((f"{k % 12 + 1:02}", f"{k % 5 + 1:02}", "2021")) for k in range(30)]
    frame = pd.DataFrame({"a": cells, "b": np.arange(30) % 4})
    column = TableEncoder(n_bins=1, kinds=kinds).fit(frame).columns_[0]
    assert f"cells such as '06{mark}01{mark}2021' are read {order}, as no cell shows" in column.why
    months = as_dates(frame["a"], column.form).dt.month
    assert len(set(months)) == (12 if order == "month first" else 5)


def test_an_order_that_makes_no_difference_is_not_mentioned():
    frame = pd.DataFrame({"a": ["01/01/2021", "02/02/2021"] * 10, "b": np.arange(20) % 3})
    assert TableEncoder(n_bins=1).fit(frame).columns_[0].why == ""
