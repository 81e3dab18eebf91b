"""Quantiles together with weights, metrics, fits that go on, importances and reports."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from fitted_tables import FAST
from numpy.testing import assert_allclose
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from thinnet import TableRegressor, load, save
from thinnet.tables import calibrating
from thinnet.tables.members import TableRows

ROWS = 400
QUICK = {"loss": "quantile", "hidden_layer_sizes": (16,), "max_iter": 12, "random_state": 0}
LEVELS = [(0.1, 0.5, 0.9), 0.9]


def table_of(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=rows), "w": rng.integers(1, 5, rows)})
    return frame.assign(y=2 * frame["x"] + rng.exponential(size=rows))


@pytest.mark.parametrize("quantile", LEVELS)
@pytest.mark.parametrize("targets", ["y", ["y", "x"]])
def test_training_stops_by_a_metric_of_what_is_predicted(quantile, targets):
    train, held = table_of(), table_of(seed=1)
    model = TableRegressor(quantile=quantile, eval_metric="absolute_error", n_networks=1, **QUICK)
    model.fit(train[["w"]].assign(u=train["x"]), train[targets],
              (held[["w"]].assign(u=held["x"]), held[targets]))  # fmt: skip
    history = model.history_
    best = history["validation_score"][history.best_epoch]
    predicted = model.predict(held[["w"]].assign(u=held["x"]))
    assert best == pytest.approx(-mean_absolute_error(held[targets], predicted), rel=1e-5)


MEASURES = {LEVELS[0]: "squared error", LEVELS[1]: "pinball loss at 0.9"}


@pytest.mark.parametrize("quantile", LEVELS)
def test_importances_are_in_the_loss_of_what_is_predicted(quantile, tmp_path):
    train, held = table_of(), table_of(seed=1)
    model = TableRegressor(quantile=quantile, n_networks=2, **QUICK)
    model.fit(train, "y", (held, "y"), sample_weight="w")
    found, predicted, w = model.importances_, model.predict(held), held["w"]
    assert found.measure == MEASURES[quantile]
    wanted = np.average(np.square(held["y"] - predicted), weights=w)
    if quantile == 0.9:
        wanted = mean_pinball_loss(held["y"], predicted, sample_weight=w, alpha=0.9)
    assert_allclose(found.loss, wanted, rtol=1e-5)
    save(model, tmp_path / "m.thinnet")
    assert load(tmp_path / "m.thinnet").importances_.measure == MEASURES[quantile]


@pytest.mark.parametrize("n_networks", [1, 2])
def test_rows_of_weight_0_say_nothing_of_the_shape(n_networks):
    train, held = table_of(), table_of(seed=1)
    model = TableRegressor(n_networks=n_networks, **QUICK).fit(train[["x"]], train["y"])
    head, networks = model.head_, model.networks_
    X, y = model.encoder_.lookups(held[["x"]]), head.targets(held["y"])
    own = (np.arange(ROWS) % 4 > 0).astype(float)
    y = np.where(own[:, None] > 0, y, y + 100)
    rows, some = TableRows(X, y, own, own), np.flatnonzero(own)
    fewer = TableRows(X[some], y[some], None)
    of_all = calibrating.curves_of_others(head.curves, rows, networks).shape
    of_some = calibrating.curves_of_others(head.curves, fewer, networks).shape
    assert_allclose(of_all.errors, of_some.errors, rtol=1e-6)
    if n_networks == 2:
        pair = [rows.part(slice(0, 200)), rows.part(slice(200, ROWS))]
        apart = [TableRows(part.X[part.own > 0], part.y[part.own > 0], None) for part in pair]
        of_all, of_some = (
            calibrating.curves_of_folds(head.curves, parts, networks) for parts in (pair, apart)
        )
        assert_allclose(of_all.shape.errors, of_some.shape.errors, rtol=1e-6)
        assert_allclose(of_all.held, of_some.held)


def test_quantiles_go_on_from_the_same_number_of_levels():
    table = table_of()
    model = TableRegressor(warm_start=True, n_networks=2, **QUICK).fit(table[["x"]], table["y"])
    before = [history["validation_loss"].min() for history in model.histories_]
    model.fit(table[["x"]], table["y"])
    after = [history["validation_loss"].min() for history in model.histories_]
    assert all(np.array(after) <= before)
    assert (model.predict_quantiles(table[["x"]]).shape) == (ROWS, 3)
    with pytest.raises(ValueError, match="the layers must be"):
        model.set_params(quantile=0.5).fit(table[["x"]], table["y"])


@pytest.mark.parametrize("levels", ["0.1,0.5,0.9", "0.9"])
def test_a_report_knows_quantiles_and_weights(levels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train, held = table_of(), table_of(seed=1)
    train.to_csv("train.csv", index=False)
    held.to_csv("held.csv", index=False)
    code, output = thinnet_command(
        "fit", "train.csv", "--target", "y", "--weight", "w", "--loss", "quantile", "--quantile",
        levels, "--test", "held.csv", "--out", "m.thinnet", "--report", "r", *FAST,
    )  # fmt: skip
    assert code == 0, output
    page, model = Path("r", "report.html").read_text("utf-8"), load("m.thinnet")
    scores = {score["name"]: score for score in model.card_["scores"]}
    w, predicted = held["w"], model.predict(held)
    one = levels == "0.9"
    if one:
        found = scores["pinball loss at 0.9"]
        wanted = mean_pinball_loss(held["y"], predicted, sample_weight=w, alpha=0.9)
        plain = np.quantile(train["y"], 0.9, weights=train["w"], method="inverted_cdf")
        assert model.card_["plain"] == [plain]
    else:
        found = scores["mean absolute error"]
        wanted = mean_absolute_error(held["y"], predicted, sample_weight=w)
    assert found["model"] == pytest.approx(wanted)
    for text in ("Hardest rows", "Settings", "quantile", "weighed by", "pinball losses"):
        assert (text in page) == (one or text != "pinball losses")
    assert ("The least certain rows" in page) != one
    assert ("the same for all rows" in page) == one
    code, output = thinnet_command("evaluate", "m.thinnet", "held.csv", "--report", "r2")
    assert code == 0, output
