"""Numbers along axes, as people read them."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure

from thinnet.displays import ticks

TICKS = {
    "large": ([0, 2e5, 4e5], ["0", "200k", "400k"]),
    "millions": ([-1.5e6, 0, 1.5e6], ["\N{MINUS SIGN}1.5M", "0", "1.5M"]),
    "years": ([1990, 2000, 2010], ["1990", "2000", "2010"]),
    "shares": ([0.25, 0.5, 0.75], ["0.25", "0.50", "0.75"]),
    "far away": ([1e6, 1e6 + 5, 1e6 + 10], ["1,000,000", "1,000,005", "1,000,010"]),
    "small": ([1e-9, 2e-9], ["1e-09", "2e-09"]),
    "one": ([30_000.0], ["30k"]),
}


@pytest.mark.parametrize(("values", "texts"), TICKS.values(), ids=TICKS)
def test_ticks_are_labelled_in_one_unit_and_no_more_digits_than_needed(values, texts):
    assert ticks.Readable().format_ticks(values) == texts


def test_whatever_the_numbers_no_two_ticks_read_alike_and_each_is_what_it_says():
    rng = np.random.default_rng(0)
    for _ in range(300):
        start, step = rng.normal() * 10.0 ** rng.integers(-3, 9), 10.0 ** rng.integers(-4, 8)
        step *= rng.choice([1, 2, 2.5, 5])
        values = np.round(start / step) * step + step * np.arange(5)
        texts = ticks.Readable().format_ticks(values)
        assert len(set(texts)) == 5, values
        back = [_number(word) for word in texts]
        np.testing.assert_allclose(back, values, rtol=1e-6, atol=step / 100)


def _number(word):
    word = word.replace(",", "").replace("\N{MINUS SIGN}", "-")
    sizes = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    return float(word[:-1]) * sizes[word[-1]] if word[-1] in sizes else float(word)


def test_dates_are_dates():
    figure = Figure()
    axes = figure.subplots()
    axes.plot(np.array(["2020-01-01", "2020-12-31"], "datetime64[D]").astype(int), [0, 1])
    ticks.readable(axes.xaxis, dated=True)
    figure.savefig(io.BytesIO())
    texts = " ".join(label.get_text() for label in axes.get_xticklabels())
    assert "Mar" in texts or "2020-03" in texts


def test_a_legend_covers_no_data():
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], label="a line")
    axes.set(xlabel="name")
    ticks.legend(axes)
    figure.savefig(io.BytesIO())
    below = axes.get_legend().get_window_extent()
    assert below.y1 <= axes.xaxis.label.get_window_extent().y0
    assert below.y0 >= 0
