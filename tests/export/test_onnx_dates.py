"""Dates in ONNX: seconds since 1970 become what dates are here, to the last bit."""

import numpy as np
import onnx
import pandas as pd
import pytest
from exported_models import runs
from exported_tables import (
    assert_table_is_alike,
    encoded_in_onnx,
    encoder_content,
    feed_of,
    seconds_of,
)
from golden_models import CLASSES, NUMBERS
from golden_models import table as golden_table
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from onnx.reference import ReferenceEvaluator
from paths import VECTORS
from trying import given_few_or_many

from thinnet import TableClassifier, TableEncoder, TableRegressor, export_onnx, load
from thinnet.export import onnx_dates
from thinnet.export.onnx_graph import Graph
from thinnet.tables.columns import dates
from thinnet.tables.columns.kinds import Column

SMALL = {"n_networks": 1, "max_iter": 2, "hidden_layer_sizes": (5,), "random_state": 0}
DAY = 86_400


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def parts_in_onnx(seconds, never=()):
    """All parts, by runtime and reference, which agree."""
    wanted = dates.parts("d", pd.Series(np.zeros(1, "M8[s]")), never)
    graph = Graph("dates", tuple(f"out {name}" for name in wanted))
    x = graph.input("d", np.float64, (1,))
    for name, (_, value) in onnx_dates.parts(Column("d", "date", never=never), x).items():
        graph.output(f"out {name}", value, (1,))
    feed = {"d": np.asarray(seconds, float)[:, None]}
    found = runs(graph.content(), feed)
    model = onnx.load_from_string(graph.content())
    again = ReferenceEvaluator(model).run(None, feed)
    for name, values in zip([each.name for each in model.graph.output], again, strict=True):
        assert_array_equal(values, found[name])
    return {name.removeprefix("out "): values[:, 0] for name, values in found.items()}


def assert_same_parts(cells, never=()):
    cells = pd.Series(cells)
    wanted = dates.parts("d", cells, never)
    found = parts_in_onnx(seconds_of(cells), never)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert_array_equal(found[name], values, err_msg=name)


def test_every_day_of_eight_centuries_is_what_it_is_here():
    assert_same_parts(np.arange("1596-01-01", "2405-01-01", dtype="M8[D]").astype("M8[s]"))


def test_days_of_leap_years_far_away_and_before_the_first_year_are_too():
    years = [-4, -1, 0, 1, 4, 99, 100, 400, 1000, 5000, 9996, 9999, 12_000, 40_000]
    days = [
        day
        for year in years
        for day in np.datetime64(0, "Y") + np.timedelta64(year - 1970, "Y")
        + np.arange(0, 366).astype("m8[D]")
    ]  # fmt: skip
    assert_same_parts(np.array(days).astype("M8[s]"))


def test_every_minute_and_its_ends_in_microseconds_are_too():
    minutes = np.arange("2023-03-01", "2023-03-02", dtype="M8[m]").astype("M8[us]")
    ends = np.array([0, 1, 30_000_000, 59_999_999], "m8[us]")
    assert_same_parts((minutes[:, None] + ends).ravel())
    others = ["NaT", "1969-12-31T23:59:59.999999", "1970-01-01"]
    assert_same_parts(np.array(others, "M8[us]"))


@given_few_or_many(
    10, 200, seconds=st.lists(st.integers(-(10**11), 4 * 10**11), min_size=1, max_size=30)
)
def test_any_seconds_are(seconds):
    assert_same_parts(np.array(seconds, "M8[s]"))


def test_what_is_no_date_is_missing():
    for value in (np.nan, np.inf, -np.inf, 1e300, -1e300, 1e13):
        found = parts_in_onnx([value, 0.0], (50.0,))
        assert found.pop("d: never").tolist() == ["no", "no"]
        assert all(np.isnan(v).tolist() == [True, False] for v in found.values())


def test_days_that_stand_for_never_are_labels():
    never = (2932896.0, -719162.0, 2932896.5)
    cells = [
        "9999-12-31",
        "0001-01-01",
        "2020-02-29",
        "NaT",
        "9999-12-31T12:00",
        "9999-12-31T12:01",
    ]
    found = parts_in_onnx(seconds_of(pd.Series(np.array(cells, "M8[s]"))), never)
    labels = ["9999-12-31", "0001-01-01", "no", "no", "9999-12-31", "no"]
    assert found["d: never"].tolist() == labels
    assert np.isnan(found["d: day"]).tolist() == [True, True, False, True, True, False]


def dated(rng, n=300):
    days = np.datetime64("2015-01-01", "s") + rng.integers(0, 3000 * DAY, n).astype("m8[s]")
    days[::11] = np.datetime64("NaT")
    whole = days.astype("M8[D]").astype("M8[s]")
    far = np.where(np.arange(n) % 7 == 0, np.datetime64("9999-12-31"), whole)
    table = pd.DataFrame(
        {"time": days, "day": whole, "until": far, "text": np.datetime_as_string(whole, "D")}
    )
    table.loc[table.text == "NaT", "text"] = None
    return table.assign(number=rng.normal(size=n), name=rng.choice(["a", "no"], n))


def with_surprises(table):
    found = table.copy()
    for row, day in enumerate(
        ["1600-02-29", "9999-12-31", "0001-01-01", "NaT", "2100-12-31T23:59"]
    ):
        for name in ("time", "day", "until"):
            found.loc[row, name] = np.datetime64(day, "s")
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [TableClassifier, TableRegressor])
def test_tables_with_dates_are_predicted_the_same(kind, dtype, path, rng):
    table = dated(rng)
    y = table.number + (table.time.dt.month > 6)
    y = np.where(y > 0.5, "high", "low") if kind is TableClassifier else y
    model = kind(**SMALL, dtype=dtype).fit(table, y)
    assert [c.kind for c in model.encoder_.columns_] == [*["date"] * 4, "number", "category"]
    assert_table_is_alike(model, with_surprises(table), path)


def test_dates_are_encoded_the_same(rng):
    table = dated(rng)
    encoder = TableEncoder(missing=("no",)).fit(table)
    new = with_surprises(table)
    found = encoded_in_onnx(encoder, new)
    assert_allclose(found, encoder.transform(new), rtol=1e-6, atol=1e-6)
    model = onnx.load_from_string(encoder_content(encoder))
    (again,) = ReferenceEvaluator(model).run(None, feed_of(encoder.columns_, new))
    assert_allclose(again, found, rtol=1e-6, atol=1e-6)


def test_a_column_may_be_called_like_a_part_of_a_date(path, rng):
    table = dated(rng)[["time", "number"]].rename(columns={"time": "born", "number": "born: day"})
    model = TableRegressor(**SMALL).fit(table, table["born: day"])
    assert_table_is_alike(model, table, path)


@pytest.mark.parametrize("name", ["table-classifier-untexted", "table-regressor-untexted"])
@pytest.mark.filterwarnings("ignore:model file:UserWarning")
def test_a_model_of_before_rows_were_lookups_is_exported_too(name, path):
    model = load(VECTORS / "models" / "3" / f"{name}.thinnet")
    assert model.encoder_.parts_ is None
    assert_table_is_alike(model, golden_table().drop(columns=[*CLASSES, *NUMBERS]), path)


def test_texts_are_refused_by_name(path, rng):
    table = pd.DataFrame({"note": [f"some words {i}" for i in range(60)], "a": rng.normal(size=60)})
    model = TableRegressor(**SMALL).fit(table, table.a)
    with pytest.raises(ValueError, match="column 'note' must be of numbers, categories or dates"):
        export_onnx(model, path)
