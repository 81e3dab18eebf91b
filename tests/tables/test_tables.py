"""Mixed tables: what columns become, and the estimators that learn from them."""

import warnings

import numpy as np
import pandas as pd
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import estimator_checks_generator

from thinnet import TableClassifier, TableEncoder, TableRegressor, load, save
from thinnet.checks import DataFileError
from thinnet.tables.columns.kinds import column_of, label
from thinnet.tables.columns.noticing import notes
from thinnet.tables.columns.pieces import PiecewiseLinear
from thinnet.tables.targets import TargetScale

ROWS = 120
QUICK = {"n_networks": 2, "max_iter": 30, "random_state": 0, "hidden_layer_sizes": (16,)}


def mixed(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 10, rows),
            "income": np.where(rng.random(rows) < 0.2, np.nan, rng.lognormal(8, 1, rows)),
            "city": rng.choice(["Ulm", "Bonn", None], rows),
            "member": rng.random(rows) < 0.5,
            "born": pd.Timestamp("1980-01-01") + pd.to_timedelta(rng.integers(0, 9999, rows), "D"),
            "says": [" ".join(rng.choice(list("abcdefgh"), 5)) for _ in range(rows)],
        }
    )


def buys(table):
    return np.where((table["age"] > 40) == (table["city"] == "Ulm"), "yes", "no")


TABLE = mixed()
BUYS = buys(TABLE)
RENT = TABLE["age"].to_numpy() ** 2 + 100 * (TABLE["city"] == "Ulm").to_numpy()

COLUMNS = {
    "numbers": ([1.5, 2, None, 4], "number"),
    "numbers as text": (["1.5", "2", None, "4"], "number"),
    "whole numbers": ([3, 1, 2, 2], "number"),
    "mostly numbers": ([*map(str, range(5, 100, 3)), "many"], "number"),
    "words": (["a", "b", "a", None], "category"),
    "truth values": ([True, False, True, True], "category"),
    "categories": (pd.Categorical(["x", "y", "x", "x"]), "category"),
    "dates": (pd.to_datetime(["2020-01-01", "2021-05-01", None, "2022-01-01"]), "date"),
    "dates as text": (["2020-01-01", "2021-05-01", None, "2022-01-01"], "date"),
    "German dates": (["31.12.2020", "01.05.2021", "13.01.2022", None], "date"),
    "texts": ([f"the {i}th long note of many" for i in range(30)], "text"),
    "names": ([f"p{i}" for i in range(30)], "left out"),
    "row numbers": (list(range(30)), "left out"),
    "row numbers downwards": (list(range(30, 0, -1)), "left out"),
    "up and down by one": ([1, 2, 3, 2] * 10, "number"),
    "one value": ([7, 7, 7, 7], "left out"),
    "one value or none": (["x", None, "x", None], "category"),
    "nothing": ([None, None, None], "left out"),
    "infinite among numbers": ([np.inf, np.inf, *range(9), -np.inf], "number"),
    "infinite only": ([np.inf, -np.inf, np.inf], "left out"),
}


@pytest.mark.parametrize(("cells", "kind"), COLUMNS.values(), ids=COLUMNS)
def test_a_columns_kind_follows_from_its_cells(cells, kind):
    assert column_of("a", pd.Series(cells)).kind == kind


@pytest.mark.parametrize(
    "same", [(3, 3.0, "3", "3.0", " 3 "), (True, "true", "TRUE"), (1.5, "1.50")]
)
def test_the_same_label_in_another_type_is_the_same(same):
    assert len({label(value) for value in same}) == 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60), st.integers(1, 9))
def test_piecewise_shares_add_up_to_the_place_of_a_number(values, n_bins):
    x = np.array(values)[:, None]
    shares = PiecewiseLinear(n_bins).fit(x).transform(x)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert (np.diff(shares, axis=1) <= 1e-12).all()  # full bins stand before empty ones
    order = np.argsort(x[:, 0], kind="stable")
    assert (np.diff(shares.sum(axis=1)[order]) >= -1e-9).all()
    assert shares.shape[1] <= n_bins


def test_a_frequent_value_leaves_bins_for_the_others():
    x = np.concatenate([np.zeros(900), np.arange(1.0, 101)])[:, None]
    edges = PiecewiseLinear(16).fit(x).edges_[0]
    assert (edges > 10).sum() > 8


def test_encoded_columns_have_names_and_no_holes():
    encoder = TableEncoder().fit(TABLE, BUYS)
    encoded, names = encoder.transform(TABLE), encoder.get_feature_names_out()
    assert encoded.shape == (ROWS, len(names))
    assert encoded.dtype == np.float32
    assert np.isfinite(encoded).all()
    for wanted in ("age", "income is missing", "city_Ulm", "born: week, sine", "says #0"):
        assert wanted in names
    framed = clone(encoder).set_output(transform="pandas").fit(TABLE, BUYS).transform(TABLE)
    assert list(framed.columns) == list(names)


def test_what_was_never_seen_is_encoded_all_the_same():
    encoder = TableEncoder().fit(TABLE, BUYS)
    odd = TABLE.head(4).assign(
        age=[np.inf, -np.inf, np.nan, 1e300], city="Atlantis", says="", member=None, born=pd.NaT
    )
    encoded = encoder.transform(odd)
    assert np.isfinite(encoded).all()
    top = TABLE.head(1).assign(age=TABLE["age"].max())
    assert_array_equal(encoded[0, 0], encoder.transform(top)[0, 0])


def test_columns_go_by_their_names():
    encoder = TableEncoder().fit(TABLE, BUYS)
    turned = TABLE[TABLE.columns[::-1]].assign(new=1)
    assert_array_equal(encoder.transform(turned), encoder.transform(TABLE))
    with pytest.raises(ValueError, match="column 'city' must be in the table"):
        encoder.transform(TABLE.drop(columns="city"))


def test_cells_of_text_are_encoded_as_typed_ones():
    encoder = TableEncoder().fit(TABLE, BUYS)
    texts = TABLE.astype({"age": str, "member": str, "income": object})
    texts["income"] = [None if np.isnan(v) else repr(v) for v in TABLE["income"]]
    texts["born"] = TABLE["born"].dt.strftime("%Y-%m-%d")
    assert_allclose(encoder.transform(texts), encoder.transform(TABLE), atol=1e-6)


def test_many_categories_are_encoded_by_their_mean_target():
    rng = np.random.default_rng(0)
    towns = pd.DataFrame(
        {"town": [f"t{i}" for i in rng.integers(0, 150, 900)], "x": rng.normal(size=900)}
    )
    y = (towns["town"].str[1:].astype(int) > 75).astype(int).to_numpy()
    encoder = TableEncoder().fit(towns, y)
    assert "mean target of town" in encoder.get_feature_names_out()
    model = TableClassifier(**QUICK).fit(towns, y)
    assert model.score(towns, y) > 0.9


def test_each_of_many_categories_may_mean_something_of_its_own():
    rng = np.random.default_rng(0)
    town, x = rng.integers(0, 150, 4500), rng.normal(size=4500)
    effect = rng.choice([-1.0, 1.0], 150)
    y = np.where(x > 0, 1, -1) * effect[town]  # of all its rows a town's mean target is about 0
    towns = pd.DataFrame({"town": [f"t{i}" for i in town], "x": x})
    model = TableRegressor(n_networks=1, max_iter=100, random_state=0)
    model.fit(towns[:3600], y[:3600])
    (encoding,) = {each for each in model.encoder_.encodings_ if not each.bins}
    assert (encoding.values, encoding.categories) == (1, 150)
    assert model.score(towns[3600:], y[3600:]) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        TableClassifier((16,), learning_rate_init=0.03, max_iter=6, n_networks=1),
        TableRegressor((16,), learning_rate_init=0.03, max_iter=6, n_networks=2),
    ],
    ids=["classes", "numbers"],
)
def test_scikit_learns_checks_pass(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each, check in estimator_checks_generator(model):
            if "sample_weight_equivalence" in str(check):
                continue  # repeated rows make other folds, batches and bins
            try:
                check(each)
            except Exception as error:
                if type(error).__name__ != "SkipTest":
                    raise


def test_classes_are_learned_from_all_kinds_of_columns():
    table, fresh = mixed(rows=600, seed=1), mixed(rows=600, seed=2)
    model = TableClassifier(n_networks=2, max_iter=60, random_state=0).fit(table, buys(table))
    assert model.score(fresh, buys(fresh)) > 0.95
    p = model.predict_proba(TABLE)
    assert_allclose(p.sum(axis=1), 1)
    assert_allclose(np.exp(model.predict_log_proba(TABLE)), p)
    assert model.masks(step=0, samples=model.rows(0)[:1])[1].shape == (1, 128)
    shown = model.masks(step=3, purpose="predict", network=1, share="batch")[1]
    assert_array_equal(shown, model.networks_[1].masks(step=3, purpose="predict", share="batch")[1])
    assert shown.shape == (1, 128)


def test_numbers_are_learned_in_their_own_units():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = TableRegressor(**(QUICK | {"max_iter": 200})).fit(X, y)
    assert model.score(X, y) > 0.4
    both = TableRegressor(**QUICK).fit(X, np.c_[y, -y])
    assert both.predict(X).shape == (442, 2)


def test_a_skewed_target_is_learned_as_a_logarithm():
    y = np.random.default_rng(0).lognormal(3, 2, (500, 1))
    scale = TargetScale.of(np.hstack([y, -y]))
    assert_array_equal(scale.unit > 0, [True, False])
    both = np.hstack([y, -y])
    assert_allclose(scale.back(scale.forward(both)), both, rtol=1e-9)
    assert abs(scale.forward(both)[:, 0]).max() < 6


def test_fits_are_the_same_each_time_and_with_any_number_of_threads():
    fits = [TableClassifier(**QUICK, n_threads=n).fit(TABLE, BUYS) for n in (1, 2)]
    assert_array_equal(fits[0].predict_proba(TABLE), fits[1].predict_proba(TABLE))
    order = np.random.default_rng(0).permutation(ROWS)
    shuffled = fits[0].predict_proba(TABLE.iloc[order])
    assert_array_equal(shuffled, fits[0].predict_proba(TABLE)[order])


def test_a_saved_model_has_the_same_bits_with_another_number_of_threads(tmp_path, monkeypatch):
    numbers = TableRegressor(**QUICK).fit(TABLE, RENT)
    labels = TableClassifier(**QUICK).fit(TABLE, BUYS)
    expected = numbers.predict(TABLE), labels.predict_proba(TABLE)
    for model, name in ((numbers, "a"), (labels, "b")):
        save(model, tmp_path / name)
    monkeypatch.setenv("THINNET_NUM_THREADS", "2")
    assert_array_equal(load(tmp_path / "a").predict(TABLE), expected[0])
    assert_array_equal(load(tmp_path / "b").predict_proba(TABLE), expected[1])


def test_a_file_and_the_name_of_a_column_will_do(tmp_path):
    path = tmp_path / "table.csv"
    TABLE.assign(buys=BUYS).to_csv(path, index=False)
    model = TableClassifier(**QUICK).fit(path, "buys")
    assert_array_equal(model.predict(path), model.predict(str(path)))
    framed = TableClassifier(**QUICK).fit(TABLE.assign(buys=BUYS), "buys")
    assert framed.target_name_ == "buys"
    with pytest.raises(ValueError, match="target must be a column of the table, got 'sells'"):
        TableClassifier().fit(path, "sells")


def test_frames_of_polars_will_do():
    frame = polars.DataFrame(TABLE[["age", "income", "member"]].to_dict("list"))
    model = TableClassifier(**QUICK).fit(frame, BUYS)
    assert_allclose(model.predict_proba(frame), model.predict_proba(frame.to_pandas()))


def test_held_out_rows_of_ones_own_stop_all_networks():
    X, y = load_wine(return_X_y=True)
    model = TableClassifier(**QUICK).fit(X[::2], y[::2], eval_set=(X[1::2], y[1::2]))
    loss = model.history_["validation_loss"]
    assert loss.argmin() == model.history_.best_epoch
    assert model.score(X, y) > 0.9


def test_one_network_holds_a_part_out():
    model = TableClassifier(**(QUICK | {"n_networks": 1})).fit(TABLE, BUYS)
    assert len(model.networks_) == 1
    assert np.isfinite(model.history_["validation_loss"]).all()


def test_many_rows_are_learned_from_in_folds():
    X = np.random.default_rng(0).normal(size=(2500, 3))
    model = TableRegressor(**(QUICK | {"max_iter": 5})).fit(X, X[:, 0])
    assert model.history_.best_epoch >= 0
    assert len(model.networks_) == 2


def test_what_is_special_is_noticed():
    rare = np.where(np.arange(ROWS) % 20 == 0, "rare", "common")
    table = TABLE.assign(tells=rare, same=1)
    text = " ".join(TableClassifier(**QUICK).fit(table, rare).notes_)
    assert "column 'tells' predicts the target by itself" in text
    assert "column 'same' is left out: all its cells are the same" in text
    assert "class 'common' is 95% of the rows" in text


def test_a_class_of_nearly_all_rows_is_not_all_of_them():
    frame = pd.DataFrame({"a": np.arange(3000) % 5})
    y = np.where(np.arange(3000) == 7, "rare", "ok")
    (text,) = notes(frame, TableEncoder(n_bins=1).fit(frame), y, classes=True)
    assert text.startswith("class 'ok' is 99.97% of the rows")


def test_classes_can_be_weighed():
    rare = np.where(np.arange(ROWS) % 10 == 0, 1, 0)
    plain, weighed = (
        TableClassifier(**QUICK, class_weight=weight).fit(TABLE, rare)
        for weight in (None, "balanced")
    )
    assert weighed.predict(TABLE).mean() > plain.predict(TABLE).mean()
    for model in (plain, weighed):  # probabilities are of the rows as they come
        assert_allclose(model.predict_proba(TABLE)[:, 1].mean(), 0.1, atol=0.05)


WRONG = {
    "target": (TABLE, np.full(ROWS, "a"), "two classes at least, got only the class 'a'"),
    "nothing varies": (pd.DataFrame({"a": [1, 1]}), [0, 1], "column that differs from row to row"),
    "twice": (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), [0, 1], "'a' must stand once"),
    "lengths": (TABLE, BUYS[:5], "y must have as many rows"),
    "no rows": (TABLE.head(0), BUYS[:0], "2 rows at least, got 0"),
}


@pytest.mark.parametrize(("X", "y", "text"), WRONG.values(), ids=WRONG)
def test_tables_that_cannot_be_used_are_refused_in_one_sentence(X, y, text):
    with pytest.raises(ValueError, match=text):
        TableClassifier(**QUICK).fit(X, y)


BAD_SETTINGS = {
    "n_networks": 0, "max_iter": 0, "learning_rate_init": 0, "weight_decay": -1, "dtype": "int8",
    "activation": "step", "batch_size": 0, "validation_fraction": 0, "n_threads": 0,
    "hidden_layer_sizes": (0,), "dropout": 2,
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD_SETTINGS.items(), ids=BAD_SETTINGS)
def test_wrong_settings_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        TableClassifier(**{name: value}).fit(TABLE, BUYS)


def test_nothing_can_be_asked_before_fit():
    with pytest.raises(NotFittedError):
        TableClassifier().predict(TABLE)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataFileError, match="none"):
        TableClassifier().fit(tmp_path / "none.csv", "a")
