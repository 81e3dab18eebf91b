"""A row of a table explained: what columns add, what networks answer, and what moves it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mixed_table import mixed
from numpy.testing import assert_allclose, assert_array_equal
from paths import VECTORS
from sklearn.exceptions import NotFittedError

from thinnet import MLPClassifier, Network, TableClassifier, TableRegressor, explain_row, load
from thinnet.layers import Columns, Dense
from thinnet.layers.encodings import expanded, places_of
from thinnet.tables.explained import passes

ROWS = 120
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 4, "n_networks": 2, "random_state": 3}
PLACES = (0, 3, 7, 8, 50)  # of rows with holes, unreadable and infinite cells among them
GOLDEN = [
    path for path in sorted(VECTORS.glob("models/*/*.thinnet"))
    if path.name.startswith(("table-classifier", "table-regressor", "command"))
]  # fmt: skip
pytestmark = [
    pytest.mark.filterwarnings("ignore:(?s).*has parts of scikit-learn"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


def table():
    return mixed(ROWS).assign(
        amount=np.random.default_rng(5).exponential(900, ROWS).round(2),
        grade=np.random.default_rng(6).choice(["low", "middle", "high"], ROWS, p=[0.6, 0.3, 0.1]),
        sold=np.random.default_rng(7).choice(["yes", "no"], ROWS),
    )


MODELS = {
    "classes": (TableClassifier, "grade", {}),
    "two classes": (
        TableClassifier, "sold", {"class_weight": "balanced", "threshold_for": "f1"},
    ),
    "deep": (
        TableClassifier,
        "grade",
        {"hidden_layer_sizes": (6, 5), "batch_norm": True, "dropout": 0.0, "input_dropout": 0.0},
    ),
    "weighed": (TableClassifier, "grade", {"class_weight": "balanced"}),
    "numbers": (TableRegressor, "amount", {}),
    "own noise": (TableRegressor, "amount", {"loss": "gaussian_nll"}),
    "quantiles": (TableRegressor, "amount", {"loss": "quantile"}),
    "one quantile": (TableRegressor, "amount", {"loss": "quantile", "quantile": 0.7}),
}  # fmt: skip


@pytest.fixture(scope="module")
def fitted():
    """Models by name, in float64, each fitted once."""
    made = {}

    def fit(name):
        if name not in made:
            kind, target, settings = MODELS[name]
            others = [n for n in ("amount", "grade", "sold") if n != target]
            X = table().drop(columns=others)
            model = kind(**SMALL | {"dtype": "float64"} | settings)
            made[name] = model.fit(X, target), X
        return made[name]

    return fit


def golden(path):
    frame = pd.read_csv(path.parent / "table.csv", parse_dates=["since"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(path), frame


def answers(model, X):
    found = model.predict_proba(X) if hasattr(model, "classes_") else model.predict(X)
    return np.asarray(found).reshape(len(X), -1)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("row", PLACES)
def test_what_columns_add_and_the_bias_are_what_the_network_has(name, row, fitted):
    model, X = fitted(name)
    found = explain_row(model, X, row, member=1, n_draws=2)
    first = found.first_layer
    assert_allclose(first.added.sum(axis=0) + first.bias, first.sums, rtol=0, atol=1e-12)
    seen = []
    network = model.networks_[1]
    _ = network.forward(found.encoded[None], passes.Run.predict(), lambda s, y: seen.append(y[0]))
    assert_array_equal(first.sums, seen[0])
    number = next(q for q in found.trace.quantities if q.key.word == "y")
    assert_array_equal(first.sums, number.values[0])


@pytest.mark.parametrize("row", PLACES)
def test_a_column_adds_its_inputs_times_their_weights(row, fitted):
    model, X = fitted("classes")
    found = explain_row(model, X, row, n_draws=2)
    layer, W = model.networks_[0].layers[0], model.networks_[0].sites[0].p.W
    z = expanded(layer.columns, found.encoded[None])[0]
    parts = {}
    names = model.encoder_.parts_.layout.columns
    for name, place in zip(names, places_of(layer.columns), strict=True):
        column = name.split(":")[0]
        parts[column] = parts.get(column, 0) + W[:, place.inputs] @ z[place.inputs]
    assert set(parts) == set(found.first_layer.columns)
    for name, added in zip(found.first_layer.columns, found.first_layer.added, strict=True):
        assert_allclose(added, parts[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_the_answer_is_that_of_predict_to_the_bit(name, fitted):
    model, X = fitted(name)
    wanted, labels = answers(model, X), model.predict(X)
    for row in PLACES:
        answer = explain_row(model, X, row, n_draws=2).answer
        assert_array_equal(answer.mean, wanted[row])
        if hasattr(model, "classes_"):
            assert answer.label == labels[row]
            assert_allclose(answer.members.sum(axis=1), 1, rtol=1e-12)
            assert_allclose(answer.members.mean(axis=0), answer.mean, rtol=1e-12)
        else:
            assert answer.label is None
            z = model.head_.predict(answer.outputs).mean(axis=0)
            assert_allclose(model.target_scale_.back(z[None])[0], answer.mean, rtol=1e-12)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_model_of_an_earlier_version_is_explained_too(path):
    model, frame = golden(path)
    wanted = answers(model, frame)
    found = explain_row(model, frame, 4, n_draws=2)
    assert_array_equal(found.answer.mean, wanted[4])
    first = found.first_layer
    scale = np.abs(first.added).sum(axis=0).max()
    assert_allclose(first.added.sum(axis=0) + first.bias, first.sums, rtol=0, atol=1e-6 * scale)
    whole = np.concatenate([step.places for cell in found.cells for step in cell.steps])
    assert_array_equal(np.sort(whole), np.arange(len(found.encoded)))
    assert len(found.to_frame()) == len(first.columns)
    assert str(found)


@pytest.mark.parametrize("name", MODELS)
def test_an_effect_is_the_slope_of_the_answer_by_the_columns_weights(name, fitted):
    """Its inputs' weights times 1 + h move the answer by h times the effect."""
    model, X = fitted(name)
    found, head, h = explain_row(model, X, 50, n_draws=2), model.head_, 1e-6
    network = model.networks_[0]
    layer, W = network.layers[0], network.sites[0].p.W
    names = model.encoder_.parts_.layout.columns
    before, places = W.copy(), list(found.answer.places)

    def answer():
        outputs = head.predict(network.outputs(found.encoded[None]))
        of = outputs if hasattr(model, "classes_") else model.target_scale_.back(outputs)
        return of[0, places]

    for column, effects in zip(found.first_layer.columns, found.first_layer.effects, strict=True):
        each = [
            place.inputs
            for n, place in zip(names, places_of(layer.columns), strict=True)
            if n.split(":")[0] == column
        ]
        both = []
        for factor in (1 + h, 1 - h):
            for inputs in each:
                W[:, inputs] = before[:, inputs] * factor
            both.append(answer())
            W[:] = before
        slope = (both[0] - both[1]) / (2 * h)
        assert_allclose(effects, slope, rtol=1e-5, atol=1e-6 * np.abs(answer()).max())


@pytest.mark.parametrize("name", ["classes", "two classes", "numbers", "quantiles"])
def test_an_answer_moves_as_if_the_cell_were_replaced(name, fitted):
    model, X = fitted(name)
    days = (X["day"] - pd.Timestamp(0)).dt.days
    typical = {
        "whole": X["whole"].median(),
        "flag": bool(X["flag"].mode()[0]),
        "rare": "often",
        "kind": X["kind"].mode()[0],
        "code": X["code"].mode()[0],
        "text": None,
        "day": np.datetime64(int(np.floor(days.median())), "D"),
    }
    for row in (5, 50):
        found = explain_row(model, X, row, n_draws=2)
        moves = dict(zip(found.typical.columns, found.typical.moves, strict=True))
        for column, cell in typical.items():
            changed = X.iloc[[row]].assign(**{column: [cell]})
            wanted = answers(model, changed)[0] - answers(model, X.iloc[[row]])[0]
            assert_allclose(moves[column], wanted, rtol=1e-9, atol=1e-12)


def test_columns_that_move_the_answer_most_come_first(fitted):
    model, X = fitted("numbers")
    found = explain_row(model, X, 9, n_draws=2)
    frame = found.to_frame()
    assert (np.diff(frame["move"].abs()) <= 0).all()
    assert list(frame.columns) == ["column", "kind", "cell", "typical", "norm", "effect", "move"]
    by_name = dict(zip(found.typical.columns, found.typical.moves[:, 0], strict=True))
    assert frame.set_index("column")["move"].to_dict() == by_name


def test_a_row_is_explained_alike_wherever_it_stands(fitted):
    model, X = fitted("classes")
    whole, alone = (explain_row(model, t, r, n_draws=5) for t, r in ((X, 7), (X.iloc[[7]], 0)))
    assert str(whole).partition("\n")[2] == str(alone).partition("\n")[2]
    assert_array_equal(whole.typical.answers, alone.typical.answers)


def test_a_row_of_a_file_is_found_in_any_block(fitted, tmp_path, monkeypatch):
    frame = pd.DataFrame({"x": np.arange(60.0), "c": ["a", "b", "b"] * 20, "y": np.arange(60) % 2})
    frame.to_csv(tmp_path / "t.csv", index=False)
    model = TableClassifier(**SMALL).fit(tmp_path / "t.csv", "y")
    monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 21)  # 7 rows
    found = explain_row(model, tmp_path / "t.csv", 33, n_draws=2)
    assert_array_equal(found.answer.mean, model.predict_proba(frame)[33])
    assert (found.row, found.is_target_known, found.cells[0].text) == (33, True, "33")
    with pytest.raises(ValueError, match=r"row must be in \[0, 59\] for a table of 60 rows"):
        explain_row(model, tmp_path / "t.csv", 60)


@pytest.mark.parametrize("name", MODELS)
def test_every_formula_of_the_trace_holds_with_a_target_and_without(name, fitted):
    model, X = fitted(name)
    target = MODELS[name][1]
    for rows in (X, X.drop(columns=target)):
        found = explain_row(model, rows, 50, n_draws=2)
        assert found.is_target_known == (target in rows)
        gradients = [q for q in found.trace.quantities if q.kind == "gradient"]
        assert bool(gradients) == found.is_target_known
        small = [q for q in found.trace.quantities if q.values.size < 200]
        assert len(small) > 4
        for section in found.trace.sections:
            section.quantities[:] = [q for q in section.quantities if q in small]
        assert found.trace.check(1e-12) > 0


def test_the_loss_of_the_trace_is_that_of_the_rows_target(fitted):
    model, X = fitted("two classes")
    other = {"yes": "no", "no": "yes"}[X["sold"][50]]
    for y, label in ((None, X["sold"][50]), (other, other)):
        found = explain_row(model, X, 50, y=y, n_draws=2)
        loss = float(found.trace["E"])
        z = found.answer.outputs[0].astype(float)
        place = list(model.classes_).index(label)
        assert loss == pytest.approx(np.log(np.exp(z).sum()) - z[place], rel=1e-9)
    with pytest.raises(ValueError, match="y must hold the classes 'no', 'yes', got 'maybe'"):
        explain_row(model, X, 50, y="maybe")
    strange = X.assign(sold="maybe")
    assert not explain_row(model, strange, 50, n_draws=2).is_target_known


def test_numbers_are_targets_in_their_own_units(fitted):
    model, X = fitted("numbers")
    known = explain_row(model, X, 50, n_draws=2)
    given = explain_row(model, X.drop(columns="amount"), 50, y=X["amount"][50], n_draws=2)
    assert float(known.trace["E"]) == float(given.trace["E"])
    (t,) = model.target_scale_.forward(np.array([[X["amount"][50]]]))[0]
    z = known.answer.outputs[0, 0]
    assert float(known.trace["E"]) == pytest.approx((z - t) ** 2, rel=1e-9)


def steps_of(found, column):
    (cell,) = (cell for cell in found.cells if cell.column.name == column)
    return cell


def test_cells_are_read_as_the_encoder_reads_them(fitted):
    model, X = fitted("numbers")
    for row in PLACES:
        found = explain_row(model, X, row, n_draws=2)
        places = np.concatenate([step.places for cell in found.cells for step in cell.steps])
        assert_array_equal(np.sort(places), np.arange(len(found.encoded)))
        numbers = np.concatenate([step.numbers for cell in found.cells for step in cell.steps])
        assert_array_equal(found.encoded[places], numbers)
        assert [cell.column for cell in found.cells] == list(model.encoder_.columns_)


def test_words_for_cells_hold_the_numbers_that_they_become(fitted):
    model, X = fitted("numbers")
    found = explain_row(model, X, 50, n_draws=2)
    line = steps_of(found, "whole").lines[0]
    values = np.sort(X["whole"])
    center, scale = np.median(values), np.subtract(*np.quantile(values, [0.75, 0.25]))
    z = (X["whole"][50] - center) / scale
    assert f"({X['whole'][50]} - {center:.4g}) / {scale:.4g} = {z:.4g}" in line
    assert f"clipped smoothly to {z / np.sqrt(1 + z * z / 9):.4g}" in line
    codes = sorted(X["code"].unique())
    assert steps_of(found, "code").lines == [f"category {codes.index(X['code'][50]) + 1} of 3"]
    day = steps_of(found, "day")
    assert len(day.lines) == 7
    assert f"({X['day'][50].date()})" in day.lines[0]
    words = steps_of(found, "text").lines[0]
    used = np.count_nonzero(steps_of(found, "text").steps[0].numbers)
    assert words == f"{used} of 256 hashed counts of its parts are not 0"


def test_the_bin_of_a_number_has_the_fraction_that_lies_below():
    x, z = np.random.default_rng(0).permutation(400), np.random.default_rng(0).normal(size=400)
    X = pd.DataFrame({"x": x, "z": z})
    model = TableRegressor(**SMALL).fit(X, X["z"])
    width = 399 / 4
    for value in (25.0, 130.0, 250.0, 399.0):
        own = min(int(value / width), 3)
        low, high = own * width, (own + 1) * width
        (cell, _) = explain_row(model, pd.DataFrame({"x": [value], "z": [0.0]}), n_draws=2).cells
        ends = f"{low:.4g} to {high:.4g}"
        share = (value - low) / width
        assert f"bin {own + 1} of 4, {ends}: {share:.4g} of it" in cell.lines[0]


@pytest.mark.parametrize(
    ("row", "column", "words", "fault"),
    [
        (0, "number", "in its place", "missing"),
        (1, "number", "the end of the range learned", ""),
        (7, "written", "in its place", "missing"),
        (8, "written", "unreadable: it counts as missing", "unreadable"),
        (9, "written", "marked as missing", "missing"),
    ],
)
def test_holes_and_strange_cells_are_named(row, column, words, fault, fitted):
    model, X = fitted("classes")
    cell = steps_of(explain_row(model, X.astype({"written": object}), row, n_draws=2), column)
    if row == 1:
        cell = steps_of(explain_row(model, X.assign(number=1e6), row, n_draws=2), column)
    assert words in "; ".join(cell.lines)
    assert cell.fault == fault


def test_labels_of_no_row_of_training_are_named(fitted):
    model, X = fitted("classes")
    found = explain_row(model, X.assign(kind="new"), 3, n_draws=2)
    assert steps_of(found, "kind").lines[0].startswith("not seen in training: ")


def test_the_error_bar_is_that_of_uncertainty(fitted):
    model, X = fitted("numbers")
    found = explain_row(model, X, 50, n_draws=30, coverage=0.8).error_bar
    bars = model.uncertainty(X, 30)
    for name in ("mean", "std", "epistemic", "aleatoric"):
        assert found.measures[name][0] == getattr(bars, name)[50]
    wanted = model.predict_interval(X, 0.8, n_draws=30)[50]
    assert_array_equal(found.interval[:, 0], wanted)
    assert_allclose(found.errors, model.calibration_.shape.at(found.scores))
    model, X = fitted("classes")
    found, bars = explain_row(model, X, 50, n_draws=30).error_bar, model.uncertainty(X, 30)
    assert found.interval is None
    assert_array_equal(found.measures["std"], bars.std[50])
    assert found.measures["predictive_entropy"][0] == bars.predictive_entropy[50]


def test_where_nothing_draws_there_is_no_error_bar(fitted):
    X = table()[["whole", "kind"]]
    plain = {"dropout": 0.0, "input_dropout": 0.0, "n_networks": 1}
    model = TableClassifier(**SMALL | plain).fit(X, table()["sold"])
    found = explain_row(model, X, 3)
    assert found.error_bar is None
    assert "nothing draws" in str(found)
    model, X = fitted("one quantile")
    found = explain_row(model, X, 3)
    assert found.error_bar is None
    assert "one quantile is learned" in str(found)


def test_several_targets_are_explained_together():
    X = table()[["whole", "kind", "skewed"]]
    Y = np.column_stack([X["whole"] * 2.0, X["skewed"]])
    model = TableRegressor(**SMALL).fit(X, Y)
    found = explain_row(model, X, 3, y=Y[3], n_draws=4)
    assert_array_equal(found.answer.mean, model.predict(X)[3])
    assert found.is_target_known
    names = ["prediction 0", "prediction 1"]
    wanted = [f"{what} {name}" for name in names for what in ("effect", "move")]
    assert list(found.to_frame().columns[5:]) == wanted
    assert all(name in str(found) for name in names)


def test_the_model_stays_as_it_is(fitted):
    model, X = fitted("deep")
    before = [(n.theta.copy(), n.state.copy(), n.gradient.copy()) for n in model.networks_]
    explain_row(model, X, 50, n_draws=2)
    for network, arrays in zip(model.networks_, before, strict=True):
        for now, then in zip((network.theta, network.state, network.gradient), arrays, strict=True):
            assert_array_equal(now, then)


def test_a_network_of_the_same_form_may_take_the_place_of_a_member(fitted):
    model, X = fitted("classes")
    other = model.networks_[1]
    given, placed = explain_row(model, X, 3, member=other), explain_row(model, X, 3, member=1)
    assert (given.member, placed.member) == (None, 1)
    assert_array_equal(given.first_layer.added, placed.first_layer.added)
    assert str(given.trace) != str(explain_row(model, X, 3, member=0).trace)
    with pytest.raises(ValueError, match=r"member must be of .* as the model's networks"):
        explain_row(model, X, 3, member=Network([Dense(2)], 4))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row": ROWS}, rf"row must be in \[0, {ROWS - 1}\] for a table of {ROWS} rows"),
        ({"row": -1}, "row must be an integer >= 0, got -1"),
        ({"row": 1.5}, "row must be an integer >= 0"),
        ({"member": 2}, "member must be an integer from 0 to 1, got 2"),
        ({"n_draws": 1}, "n_draws must be an integer >= 2"),
        ({"coverage": 1.0}, r"coverage must be a number in \(0, 1\)"),
        ({"table": pd.DataFrame({"whole": [1] * 9})}, "column 'number' must be in the table"),
    ],
)
@pytest.mark.usefixtures("untyped")
def test_bad_settings_are_refused_in_a_sentence(changes, message, fitted):
    model, X = fitted("classes")
    with pytest.raises(ValueError, match=message):
        explain_row(model, **{"table": X, "row": 3} | changes)


def test_what_is_no_fitted_model_of_a_table_is_refused():
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(NotFittedError):
        explain_row(TableClassifier(), X)
    other = MLPClassifier((3,), max_iter=2, random_state=0).fit(X, X[:, 0] > 0)
    with pytest.raises(ValueError, match="estimator must be a TableClassifier or TableRegressor"):
        explain_row(other, X)


def test_names_and_cells_are_shown_as_they_are():
    names = ["[bold]x[/bold]", "<script>alert(1)</script>"]
    X = pd.DataFrame({names[0]: np.arange(40.0) % 7, names[1]: ["\x1b[31mb", "[red]a"] * 20})
    model = TableClassifier(**SMALL).fit(X, np.where(X[names[0]] > 3, "[u]yes", "no"))
    found = explain_row(model, X, 1, n_draws=2)
    for text in (*names, "[red]a", "\N{REPLACEMENT CHARACTER}[31mb"):
        assert text in str(found)
    assert "\x1b" not in str(found)
    assert "<script>" not in found._repr_html_()


STRANGE = [
    None, np.nan, np.inf, -1e308, -0.0, 3, 10**30, True, "-", "?", "", " Ulm ", "many", "1e400",
    "$1,000.50", "020", "true", "9999-12-31", "2020-02-30", "2021-05-06", "0001-01-01 00:00",
    "red old new rough", "\0", "x" * 300, pd.Timestamp("1700-01-01"), "\N{GREEK SMALL LETTER PI}",
]  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["classes", "numbers"]))
def test_whatever_stands_in_a_row_it_is_explained_as_it_is_predicted(data, name, fitted):
    model, X = fitted(name)
    some = st.one_of(st.sampled_from(STRANGE), st.none())
    columns = data.draw(st.sets(st.sampled_from(list(X.columns))))
    cells = {column: [data.draw(some)] for column in columns}
    row = X.iloc[[data.draw(st.integers(0, ROWS - 1))]].astype(object).assign(**cells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = answers(model, row)[0]
        found = explain_row(model, row, n_draws=2)
    assert_array_equal(found.answer.mean, wanted)
    first = found.first_layer
    assert_allclose(first.added.sum(axis=0) + first.bias, first.sums, rtol=0, atol=1e-12)
    assert np.isfinite(found.typical.moves).all()
    assert len(str(found).splitlines()) > 20


def test_rows_of_arrays_have_names_too():
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = TableRegressor(**SMALL).fit(X, X[:, 0])
    found = explain_row(model, X, np.int64(5), n_draws=2)
    assert found.first_layer.columns == ("x0", "x1", "x2")
    assert found.answer.mean[0] == model.predict(X)[5]


def test_first_layers_are_lookups_here_and_dense_in_earlier_models(fitted):
    assert isinstance(fitted("classes")[0].networks_[0].layers[0], Columns)
    earlier = [golden(path)[0] for path in GOLDEN if path.parent.name != "4"]
    assert all(isinstance(model.networks_[0].layers[1], Dense) for model in earlier)
