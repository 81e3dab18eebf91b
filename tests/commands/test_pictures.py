"""Pictures of reports: what they are of, on which axis, and readable by all."""

import io

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from matplotlib.figure import Figure

from thinnet import load
from thinnet.commands import panels, reporting
from thinnet.commands.error_bars import Forecast
from thinnet.commands.evaluating import Answers
from thinnet.commands.measuring import LEVELS

RNG = np.random.default_rng(0)
FAST = ("--epochs", "60", "--networks", "2", "--hidden", "8")
HEADS = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF"}
CLASSES = np.array(["ash", "beech"])


def texts(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


@pytest.fixture
def numbers():
    y = RNG.uniform(1e5, 5e5, 300)
    return Answers(y, y + RNG.normal(scale=3e4, size=300))


@pytest.fixture
def forecast(numbers):
    spread = np.linspace(1e4, 9e4, 300)
    quantiles = numbers.predicted[:, None] + spread[:, None] * (2 * np.array(LEVELS) - 1)
    return Forecast(numbers.predicted, spread, spread, spread, quantiles, spread, spread)


def test_predictions_lie_along_x_and_observations_along_y_in_every_picture(numbers, forecast):
    axes = panels.agreement("rent", numbers, "title").axes[0]
    np.testing.assert_array_equal(
        np.unique(axes.collections[0].get_offsets(), axis=0),
        np.unique(np.c_[numbers.predicted, numbers.y], axis=0),
    )
    assert axes.get_xlabel().startswith("predicted")
    assert axes.get_ylabel().startswith("observed")
    axes = panels.error_bars("rent", numbers.y, forecast, "title").axes[0]
    drawn = np.vstack([bars.lines[0].get_xydata() for bars in axes.containers])
    assert len(drawn) == panels.MOST_BARS
    assert set(map(tuple, drawn)) <= set(zip(forecast.mean, numbers.y, strict=True))
    p = RNG.dirichlet([1, 1], 50)
    places = RNG.integers(0, 2, 50)
    axes = panels.confusion(CLASSES, places, places, "title").axes[0]
    assert axes.get_xlabel().startswith("predicted")
    axes = panels.calibration(CLASSES, RNG.integers(0, 2, 50), {"off": p}, "title").axes[0]
    assert axes.get_xlabel().startswith("predicted")


def test_intervals_are_coloured_by_whether_they_hold_the_number(numbers, forecast):
    axes = panels.error_bars("rent", numbers.y, forecast, "title").axes[0]
    held = {label.split("(")[0]: count for label, count in _counts(axes)}
    low, high = forecast.quantiles[:, panels.NINETY], forecast.quantiles[:, panels.NINETY + 1]
    holds = dict(zip(forecast.mean, (low <= numbers.y) & (numbers.y <= high), strict=True))
    for bars in axes.containers:
        here = [holds[x] for x in bars.lines[0].get_xdata()]
        assert all(here) if "holds" in bars.get_label() else not any(here)
    assert sum(held.values()) == panels.MOST_BARS


def _counts(axes):
    return [(bars.get_label(), len(bars.lines[0].get_xdata())) for bars in axes.containers]


def test_large_numbers_are_shown_in_thousands(numbers):
    figure = panels.agreement("rent", numbers, "title")
    figure.savefig(io.BytesIO())
    assert "200k" in texts(figure.axes[0]) or "300k" in texts(figure.axes[0])


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_curve_of_calibration_is_of_shares_that_were_counted(n_classes):
    p, y = RNG.dirichlet(np.ones(n_classes), 400), RNG.integers(0, n_classes, 400)
    axes = panels.calibration(np.arange(n_classes), y, {"off": p}, "title").axes[0]
    (bars,) = axes.containers
    x, share = bars.lines[0].get_data()
    stated = p[:, 1] if n_classes == 2 else p.max(axis=1)
    came = (y == 1) if n_classes == 2 else (p.argmax(axis=1) == y)
    parts = np.array_split(np.argsort(stated), panels.N_BINS)
    np.testing.assert_allclose(x, [stated[part].mean() for part in parts])
    np.testing.assert_allclose(share, [came[part].mean() for part in parts])


def test_two_curves_of_calibration_differ_without_colours():
    p, y = RNG.dirichlet([1, 1], 90), RNG.integers(0, 2, 90)
    axes = panels.calibration(CLASSES, y, {"off": p, "draws": p[::-1]}, "t").axes[0]
    lines = [bars.lines[0] for bars in axes.containers]
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 2


def test_a_rare_class_is_drawn_where_its_probabilities_can_be_read():
    rare = RNG.uniform(0, 0.04, 4000)
    p, y = np.c_[rare, 1 - rare], (RNG.random(4000) > rare).astype(int)
    axes = panels.calibration(CLASSES, y, {"off": p}, "title", positive=0).axes[0]
    assert axes.get_xlabel() == "predicted probability of 'ash'"
    assert axes.get_xlim() == (0, 0.1)
    (bars,) = axes.containers
    x, share = bars.lines[0].get_data()
    assert (x > 0).all()
    assert (x < 0.04).all()
    assert share.mean() == pytest.approx((y == 0).mean())
    p[:5] = [0.9, 0.1]
    legend = panels.calibration(CLASSES, y, {"off": p}, "t", positive=0).axes[0].get_legend()
    assert "off (5 above)" in [text.get_text() for text in legend.get_texts()]


def test_probabilities_that_spread_are_drawn_from_0_to_1():
    p, y = RNG.dirichlet([1, 1], 90), RNG.integers(0, 2, 90)
    assert panels.calibration(CLASSES, y, {"off": p}, "t").axes[0].get_xlim() == (0, 1)


@pytest.mark.parametrize(("options", "label"), [((), "ash"), (("f1", "--positive", "oak"), "oak")])
def test_the_class_that_is_drawn_is_the_rarer_or_the_one_named(tables, drawn, options, label):
    x = np.arange(150)
    frame = pd.DataFrame({"x": x % 30, "y": np.where(x % 30 < 6, "ash", "oak")})
    frame.to_csv("trees.csv", index=False)
    threshold = ("--threshold-for", *options) if options else ()
    code, output = thinnet_command(
        "fit", "trees.csv", "--target", "y", *threshold, *FAST, "--report", "r"
    )
    assert code == 0, output
    assert drawn["calibration"].axes[0].get_xlabel() == f"predicted probability of {label!r}"


def test_a_learning_curve_marks_the_epochs_that_were_taken_on_all_rows(tables, drawn):
    fit = ("fit", "homes.csv", "--target", "rent", *FAST, "--report", "r", "--out", "m.thinnet")
    assert thinnet_command(*fit)[0] == 0
    entry = load("m.thinnet").networks_[0].logbook.entries[0]
    epochs = entry.steps // -(-entry.rows // entry.batch_size)
    figure = drawn["learning-curve"]
    places = {line.get_label(): line.get_xdata() for line in figure.axes[0].lines}
    assert "weights kept" not in places
    assert list(places["epochs taken on all rows"]) == [epochs, epochs]
    assert "fold 1 of 2" in figure.get_suptitle()


def test_a_learning_curve_marks_the_weights_that_were_kept_of_a_single_network(tables, drawn):
    fit = ("fit", "homes.csv", "--target", "rent", "--epochs", 3, "--networks", 1)
    assert thinnet_command(*fit, "--report", "r", "--out", "m.thinnet")[0] == 0
    labels = [line.get_label() for line in drawn["learning-curve"].axes[0].lines]
    assert "weights kept" in labels
    assert "epochs taken on all rows" not in labels


PLACES = np.array([0, 1])


def test_days_in_names_of_classes_have_no_time_of_day_and_long_names_are_short():
    days = np.array(["2020-01-01 00:00:00", "2020-02-01 00:00:00"])
    assert texts(panels.confusion(days, PLACES, PLACES, "t").axes[0]) == [
        "2020-01-01",
        "2020-02-01",
    ]
    long = np.array(["a" * 200, "b"])
    assert max(map(len, texts(panels.confusion(long, PLACES, PLACES, "t").axes[0]))) <= 24


@pytest.fixture
def drawn(monkeypatch):
    """The figures that a command saves, by name."""
    kept = {}
    save = reporting.save_figure

    def keep(figure, path):
        kept[path.stem] = figure
        return save(figure, path)

    monkeypatch.setattr(reporting, "save_figure", keep)
    return kept


@pytest.fixture
def tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = RNG.normal(size=150)
    frame = pd.DataFrame({"x": x, "rent": 2e5 + 1e5 * x, "sold": np.where(x > 0, "yes", "no")})
    frame.to_csv("homes.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("target", ["rent", "sold"])
def test_every_picture_has_a_title_with_table_target_and_rows_and_a_legend(tables, drawn, target):
    options = ("--target", target, "--out", "m.thinnet", *FAST)
    assert thinnet_command("fit", "homes.csv", *options)[0] == 0
    code, output = thinnet_command(
        "evaluate", "m.thinnet", "homes.csv", "--report", "r", "--uncertainty", "--draws", 3
    )
    assert code == 0, output
    others = [name for name in drawn if "dependence" not in name]
    assert len(others) == (6 if target == "rent" else 5)
    assert len(drawn) > len(others)
    for name, figure in drawn.items():
        shown = " ".join([figure.get_suptitle(), *(ax.get_title() for ax in _all(figure))])
        of_training = name in ("learning-curve", "importances")
        rows = "120 rows" if of_training else "150 rows"
        for word in ("homes.csv", f"target {target}", rows):
            assert word in shown, name
        legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
        bars = {ax.get_xlabel() for ax in figure.axes} & {"rent", "sold"}
        assert legends or bars or name == "confusion"
    assert len(list((tables / "r").glob("*calibration*"))) == (target == "sold")


def _all(figure: Figure):
    return [*figure.axes, *(child for axes in figure.axes for child in axes.child_axes)]


@pytest.mark.parametrize("kind", HEADS)
def test_pictures_are_of_the_format_that_was_asked_for(tables, kind):
    fit = ("fit", "homes.csv", "--target", "sold", *FAST, "--report", "r", "--format", kind)
    code, output = thinnet_command(*fit)
    assert code == 0, output
    found = sorted((tables / "r").glob(f"*.{kind}"))
    assert [path.stem for path in found if "dependence" not in path.stem] == [
        "calibration", "confusion", "importances", "learning-curve"
    ]  # fmt: skip
    others = set((tables / "r").iterdir()) - set(found)
    assert [path.name for path in others] == ["report.html"]
    assert all(path.read_bytes().startswith(HEADS[kind]) for path in found)


REFUSED = {
    "another format": (("--report", "r", "--format", "gif"), "--format must be 'png' or"),
    "no report": (("--format", "svg"), "--format is for --report, got none"),
}


@pytest.mark.parametrize(("options", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_format_that_cannot_be_is_refused_before_work_begins(tables, options, sentence):
    code, output = thinnet_command("fit", "homes.csv", "--target", "sold", *FAST, *options)
    assert (code, sentence in output, len(output.strip().splitlines())) == (2, True, 1)
    assert not list(tables.glob("*.thinnet"))
