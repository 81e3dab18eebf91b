"""Error bars at the command line: `thinnet predict` and `evaluate` with --uncertainty."""

import os
import pathlib

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from scipy import stats
from sklearn import metrics

from thinnet import load
from thinnet.commands import calibration, measuring
from thinnet.commands.error_bars import ErrorBars
from thinnet.commands.examples import Examples

ROWS = 150
FAST = ("--epochs", "15", "--networks", "2", "--hidden", "16", "--test-fraction", "0")
PNG = b"\x89PNG\r\n\x1a\n"
MEASURES = ["entropy", "expected_entropy", "mutual_information", "variation_ratio"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with a table and models of its number (skewed and never negative) and its label."""
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(0)
    size, kind = rng.normal(size=ROWS), rng.choice(["flat", "house"], ROWS)
    rent = np.exp(size + (kind == "house") + rng.normal(scale=0.2, size=ROWS)) * 100
    table = pd.DataFrame({"size": size.round(3), "kind": kind, "rent": rent.round(1)})
    table.loc[::11, "size"] = np.nan
    table["sold"] = np.where(size + rng.normal(size=ROWS) > 0, "yes", "no")
    table.to_csv(folder / "homes.csv", index=False)
    before = pathlib.Path.cwd()
    os.chdir(folder)
    for target in ("rent", "sold"):
        options = ("--target", target, "--out", f"{target}.thinnet", *FAST)
        assert thinnet_command("fit", "homes.csv", *options)[0] == 0
    sure = ("--dropout", "0", "--input-dropout", "0", "--networks", "1", "--epochs", "2")
    options = ("--target", "rent", "--out", "sure.thinnet", *sure)
    assert thinnet_command("fit", "homes.csv", *options)[0] == 0
    os.chdir(before)
    return folder


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(models, tmp_path, monkeypatch):
    for path in models.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)


def predicted(model, *options, out="p.csv", rows=ROWS):
    code, output = thinnet_command(
        "predict", f"{model}.thinnet", "homes.csv", "--out", out, "--uncertainty", *options
    )
    assert (code, output.strip()) == (0, f"{rows} predictions: {out}"), output
    return pd.read_csv(out)


def test_numbers_have_their_spread_and_interval_beside_them():
    found = predicted("rent", "--draws", 40, "--coverage", 0.8)
    model, table = load("rent.thinnet"), pd.read_csv("homes.csv")
    results = model.uncertainty(table, 40)
    interval = model.predict_interval(table, 0.8, n_draws=40)
    expected = {
        "rent": results.mean,
        "rent_std": results.std,
        "rent_epistemic": results.epistemic,
        "rent_aleatoric": results.aleatoric,
        "rent_low": interval[:, 0],
        "rent_high": interval[:, 1],
    }
    assert list(found.columns) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, err_msg=name)


def test_intervals_hold_nine_of_ten_unless_asked_otherwise():
    plain, seeded = (
        predicted("rent", "--draws", 9),
        predicted("rent", "--draws", 9, "--coverage", 0.9),
    )
    pd.testing.assert_frame_equal(plain, seeded)


def test_a_wider_coverage_widens_the_interval_and_nothing_else():
    narrow, wide = (predicted("rent", "--draws", 20, "--coverage", c) for c in (0.5, 0.95))
    above_0 = narrow["rent_low"] > 0  # below which no rent lies
    assert above_0.mean() > 0.5
    assert (narrow["rent_low"] > wide["rent_low"])[above_0].all()
    assert (narrow["rent_high"] < wide["rent_high"]).all()
    pd.testing.assert_frame_equal(narrow.iloc[:, :4], wide.iloc[:, :4])


def test_classes_have_their_entropies_beside_them():
    found = predicted("sold", "--draws", 30, "--proba")
    assert list(found.columns) == ["sold", "p(no)", "p(yes)", *MEASURES]
    p = found[["p(no)", "p(yes)"]].to_numpy()
    np.testing.assert_allclose(found["entropy"], stats.entropy(p, axis=1), rtol=1e-6)
    parts = found["expected_entropy"] + found["mutual_information"]
    np.testing.assert_allclose(found["entropy"], parts)
    assert (found["sold"] == np.where(p[:, 1] > 0.5, "yes", "no")).all()
    results = load("sold.thinnet").uncertainty(pd.read_csv("homes.csv"), 30)
    np.testing.assert_allclose(found["variation_ratio"], results.variation_ratio)
    np.testing.assert_allclose(p, results.probabilities, rtol=1e-5)
    assert list(predicted("sold", out="q.csv").columns) == ["sold", *MEASURES]


def only_rows(n):
    """Leave the first rows of the table."""
    lines = pathlib.Path("homes.csv").read_text().splitlines()
    pathlib.Path("homes.csv").unlink()
    pathlib.Path("homes.csv").write_text("\n".join(lines[: n + 1]))


@pytest.mark.parametrize("rows", [12, pytest.param(ROWS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("share", ["batch", "none"])
@pytest.mark.parametrize("model", ["rent", "sold"])
def test_the_file_does_not_depend_on_the_blocks(model, share, rows, monkeypatch):
    only_rows(rows)
    options = ("--share", share, "--draws", 12)
    predicted(model, *options, out="whole.csv", rows=rows)
    for block in (1, 7, rows - 1):
        monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 4 * block)
        predicted(model, *options, out="parts.csv", rows=rows)
        assert pathlib.Path("parts.csv").read_bytes() == pathlib.Path("whole.csv").read_bytes()


def test_rows_have_masks_of_their_own_by_their_place_in_the_file(monkeypatch):
    monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 28)
    found = predicted("rent", "--share", "none", "--draws", 10)
    table = pd.read_csv("homes.csv")
    results = load("rent.thinnet").uncertainty(table, 10, share=None, samples=range(ROWS))
    np.testing.assert_allclose(found["rent"], results.mean, rtol=1e-5)
    shared = predicted("rent", "--draws", 10)
    assert (abs(found["rent"] - shared["rent"]) > 1e-6).mean() > 0.9


def test_files_of_parquet_have_the_same_columns():
    options = ("--out", "p.parquet", "--uncertainty", "--draws", 4)
    assert thinnet_command("predict", "rent.thinnet", "homes.csv", *options)[0] == 0
    found = predicted("rent", "--draws", 4)
    assert list(pd.read_parquet("p.parquet").columns) == list(found.columns)


WRONG = {
    "coverage 0": (("--uncertainty", "--coverage", 0), "--coverage must be a number in (0, 1)"),
    "coverage 1": (("--uncertainty", "--coverage", 1), "--coverage must be a number in (0, 1)"),
    "coverage nan": (("--uncertainty", "--coverage", "nan"), "--coverage must be a number in (0"),
    "one draw": (("--uncertainty", "--draws", 1), "--draws must be an integer >= 2, got 1"),
    "share": (
        ("--uncertainty", "--share", "row"),
        "--share must be 'batch' or 'none', got 'row'",
    ),
    "share of before": (
        ("--uncertainty", "--share", "draw"),
        "--share must be 'batch' or 'none' ('draw' is now 'batch'), got 'draw'",
    ),
    "own masks of before": (
        ("--uncertainty", "--share", "element"),
        "--share must be 'batch' or 'none' ('element' is now 'none'), got 'element'",
    ),
    "draws alone": (("--draws", 5), "--draws is for --uncertainty"),
    "coverage alone": (("--coverage", 0.5), "--coverage is for --uncertainty"),
    "share alone": (("--share", "batch"), "--share is for --uncertainty"),
}


@pytest.mark.parametrize(("options", "sentence"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_in_one_sentence(options, sentence):
    before = sorted(pathlib.Path().iterdir())
    code, output = thinnet_command(
        "predict", "rent.thinnet", "homes.csv", "--out", "p.csv", *options
    )
    assert code == 2, output
    assert sentence in output
    assert len(output.strip().splitlines()) == 1
    assert sorted(pathlib.Path().iterdir()) == before


def test_classes_have_no_intervals_to_ask_for():
    pathlib.Path("p.csv").write_text("what stood here before")
    arguments = ("predict", "sold.thinnet", "homes.csv", "--out", "p.csv", "--uncertainty")
    code, output = thinnet_command(*arguments, "--coverage", 0.8)
    assert code == 2
    assert "--coverage must be left out for a model of classes" in output
    assert len(output.strip().splitlines()) == 1
    assert pathlib.Path("p.csv").read_text() == "what stood here before"


@pytest.mark.parametrize(
    "command", [("predict", "sure.thinnet", "homes.csv", "--out", "p.csv"),
                ("evaluate", "sure.thinnet", "homes.csv", "--report", "r")], ids=lambda c: c[0]
)  # fmt: skip
def test_one_network_without_dropout_has_no_error_bars(command):
    pathlib.Path("p.csv").write_text("what stood here before")
    before = sorted(pathlib.Path().iterdir())
    code, output = thinnet_command(*command, "--uncertainty", "--force")
    assert code == 2
    assert "the model must have active dropout to draw from, or several networks" in output
    assert len(output.strip().splitlines()) == 1
    assert sorted(pathlib.Path().iterdir()) == before
    assert pathlib.Path("p.csv").read_text() == "what stood here before"


def test_a_target_that_is_called_as_a_measure_is_refused():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=60), "entropy": rng.choice(["a", "b"], 60)})
    table.to_csv("odd.csv", index=False)
    assert thinnet_command("fit", "odd.csv", "--target", "entropy", *FAST)[0] == 0
    arguments = ("predict", "odd.thinnet", "odd.csv", "--out", "o.csv")
    code, output = thinnet_command(*arguments, "--uncertainty")
    assert (code, "target must be named other than entropy" in output) == (2, True)
    assert thinnet_command(*arguments)[0] == 0


def test_the_help_says_what_the_columns_are():
    output = thinnet_command("predict", "--help")[1]
    for words in ("mean over the draws", "NAME_std", "NAME_low", *MEASURES, "by default 0.9"):
        assert words in output


# evaluate


def test_a_models_error_bars_are_measured_and_drawn_for_numbers():
    code, output = thinnet_command(
        "evaluate", "rent.thinnet", "homes.csv", "--uncertainty", "--draws", 30, "--report", "r"
    )
    assert code == 0, output
    shown = (
        "RMSE",
        "homes.csv, 150 rows: how sure it is",
        "50 %",
        "95 %",
        "mean width",
        "interval score",
        "log likelihood",
        "rank correlation",
        "risk-coverage",
    )
    for words in shown:
        assert words in output
    for name in ("pit", "error-bars", "risk-coverage", "predicted-against-true"):
        assert pathlib.Path("r", f"{name}.png").read_bytes().startswith(PNG)
        assert f"picture: r/{name}.png" in output
    found = pd.read_csv("r/uncertain-rows.csv")
    assert list(found.columns) == ["row", "prediction", "true", "std", "why"]
    table = pd.read_csv("homes.csv")
    results = load("rent.thinnet").uncertainty(table, 30)
    assert list(found["row"]) == list(np.argsort(-results.std)[: measuring.MOST_UNCERTAIN])
    np.testing.assert_allclose(found["true"], table["rent"][found["row"]])
    np.testing.assert_allclose(found["prediction"], results.mean[found["row"]], rtol=1e-5)
    assert found["why"].str.startswith(("size = ", "size is", "kind = ")).mean() > 0.5


def test_a_models_error_bars_are_measured_and_drawn_for_classes():
    code, output = thinnet_command(
        "evaluate", "sold.thinnet", "homes.csv", "--uncertainty", "--draws", 30, "--report", "r"
    )
    assert code == 0, output
    for words in ("accuracy", "dropout off", "30 draws", *calibration.CLASS_FIGURES):
        assert words in output
    for name in ("risk-coverage", "calibration", "confusion"):
        assert pathlib.Path("r", f"{name}.png").read_bytes().startswith(PNG)
    found = pd.read_csv("r/uncertain-rows.csv")
    names = ["row", "prediction", "true", "predictive_entropy", "mutual_information", "why"]
    assert list(found.columns) == names
    assert (np.diff(found["predictive_entropy"]) <= 0).all()


def test_true_labels_are_in_the_words_of_the_model():
    table = pd.read_csv("homes.csv").assign(sold=lambda t: t["sold"] + ".")
    pathlib.Path("homes.csv").unlink()
    table.to_csv("homes.csv", index=False)
    _, found = measured("sold", least_certain=True)
    rows = found.least_certain
    assert (rows["true"] + "." == table["sold"][rows["row"]].to_numpy()).all()


def test_without_a_report_only_figures_are_given():
    before = sorted(pathlib.Path().iterdir())
    code, output = thinnet_command("evaluate", "sold.thinnet", "homes.csv", "--uncertainty")
    assert (code, "100 draws" in output) == (0, True)
    assert sorted(pathlib.Path().iterdir()) == before
    code, output = thinnet_command("evaluate", "sold.thinnet", "homes.csv")
    assert (code, "draws" in output) == (0, False)
    code, output = thinnet_command("evaluate", "sold.thinnet", "homes.csv", "--draws", 9)
    assert (code, "--draws is for --uncertainty" in output) == (2, True)


def measured(name, least_certain=False):
    model = load(f"{name}.thinnet")
    kept = Examples(model) if least_certain else None
    return model, measuring.measure(model, "homes.csv", ErrorBars(40), examples=kept)


def test_figures_of_numbers_are_those_of_the_estimators_own_methods():
    model, found = measured("rent")
    table = pd.read_csv("homes.csv")
    y = table["rent"].to_numpy()
    results = model.uncertainty(table, 40)
    for nominal, coverage, width, score in calibration.intervals(y, found.draws):
        low, high = model.predict_interval(table, nominal, n_draws=40).T
        assert coverage == pytest.approx(((y >= low) & (y <= high)).mean())
        assert width == pytest.approx((high - low).mean(), rel=1e-5)
        a = 1 - nominal
        losses = [
            metrics.mean_pinball_loss(y, low, alpha=a / 2),
            metrics.mean_pinball_loss(y, high, alpha=1 - a / 2),
        ]
        assert score == pytest.approx(2 / a * sum(losses), rel=1e-5)
    others = calibration.number_figures(found)
    density = model.log_likelihood(table, y, n_draws=40)
    assert others["log likelihood of a row (nats)"] == pytest.approx(density.mean(), rel=1e-5)
    rmse = metrics.root_mean_squared_error
    assert others["RMSE, dropout off"] == pytest.approx(rmse(y, model.predict(table)), rel=1e-5)
    assert others["RMSE, mean of the draws"] == pytest.approx(rmse(y, results.mean), rel=1e-5)
    rank = stats.spearmanr(abs(y - results.mean), results.std).statistic
    assert others["rank correlation of |error| and std"] == pytest.approx(rank, rel=1e-4)


def test_where_numbers_fell_is_where_the_quantile_of_that_level_is():
    model, found = measured("rent")
    table = pd.read_csv("homes.csv").iloc[:8]
    for i, below in enumerate(found.draws.below[:8]):
        there = model.predict_quantiles(table.iloc[[i]], [float(below)], n_draws=40)
        assert there.item() == pytest.approx(table["rent"].iloc[i], rel=1e-4)


def test_figures_of_classes_are_those_of_scikit_learn():
    model, found = measured("sold")
    table = pd.read_csv("homes.csv")
    y = (table["sold"] == "yes").to_numpy().astype(int)
    figures = {figure.name: figure for figure in calibration.class_figures(found)}
    both = model.predict_proba(table), model.uncertainty(table, 40).probabilities
    for column, p in zip(("dropout_off", "over_draws"), both, strict=True):
        p = p / p.sum(axis=1, keepdims=True)  # of float32
        nats = getattr(figures["negative log likelihood (nats)"], column)
        assert nats == pytest.approx(metrics.log_loss(y, p), rel=1e-5)
        brier = getattr(figures["Brier score"], column)
        assert brier == pytest.approx(2 * metrics.brier_score_loss(y, p[:, 1]), rel=1e-5)
        wrong, unsure = p.argmax(axis=1) != y, stats.entropy(p, axis=1)
        area = getattr(figures["AUROC of errors by entropy"], column)
        assert area == pytest.approx(metrics.roc_auc_score(wrong, unsure), rel=1e-4)
        risks = np.cumsum(wrong[np.argsort(unsure)]) / np.arange(1, ROWS + 1)
        abstaining = getattr(figures["area under risk-coverage"], column)
        assert abstaining == pytest.approx(risks.mean(), abs=5e-3)  # ties are answered together


def test_rows_that_are_all_right_have_no_auroc():
    y, p = np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]])
    assert np.isnan(calibration.auroc_of_errors(y, p))
    assert calibration._number_or_dash(np.nan) == "-"
    assert np.isnan(calibration._rank_correlation(np.ones(3), np.arange(3.0)))


@pytest.mark.parametrize("name", ["rent", "sold"])
def test_what_is_measured_does_not_depend_on_the_blocks(name, monkeypatch):
    _, whole = measured(name, least_certain=True)
    monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 4 * 37)
    _, parts = measured(name, least_certain=True)
    for a, b in zip(whole.draws, parts.draws, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    np.testing.assert_array_equal(whole.answers.y, parts.answers.y)
    # What is typical is that of the blocks, so reasons may differ a little; the rows do not.
    keys = ["row", "true", "prediction"]
    pd.testing.assert_frame_equal(whole.least_certain[keys], parts.least_certain[keys])


def test_rows_without_a_target_are_passed_over_and_keep_their_places():
    table = pd.read_csv("homes.csv")
    unsure = int(np.argmax(load("rent.thinnet").uncertainty(table, 40).std))
    table.loc[table.index != unsure, "rent"] = np.where(np.arange(ROWS - 1) % 2, np.nan, 5.0)
    pathlib.Path("homes.csv").unlink()
    table.to_csv("homes.csv", index=False)
    _, found = measured("rent", least_certain=True)
    assert len(found.answers.y) == table["rent"].notna().sum()
    assert found.least_certain["row"][0] == unsure


def test_probabilities_of_numbers_are_refused():
    code, output = thinnet_command(
        "predict", "rent.thinnet", "homes.csv", "--out", "n.csv", "--proba"
    )
    assert code == 2
    assert "--proba is for models of classes" in output
    assert not pathlib.Path("n.csv").exists()


def test_a_place_that_cannot_be_written_to_is_refused_at_once():
    code, output = thinnet_command("predict", "rent.thinnet", "homes.csv", "--out", "no/such/n.csv")
    assert code == 2
    assert "--out must be in a folder that can be written to" in output
