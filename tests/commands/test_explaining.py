"""The page on a row: whole, escaped, and read without a network or scripts."""

import pathlib
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from thinnet import Dense, Network, ReLU, TableClassifier, TableRegressor, save
from thinnet.commands import explaining

SMALL = {"hidden_layer_sizes": (5,), "max_iter": 3, "n_networks": 2, "random_state": 0}
HOSTILE = ["<script>alert(1)</script>", "</style><script>alert(2)</script>",
           '"><img src=x onerror=alert(3)>']  # fmt: skip
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Elements with their attributes, the texts within, and whether every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def hostile():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({HOSTILE[0]: rng.normal(size=60).round(3)})
    frame[HOSTILE[1]] = rng.choice([*HOSTILE, "&amp;"], 60)
    y = np.where(frame[HOSTILE[0]] > 0, HOSTILE[2], "no & 'never'")
    return TableClassifier(**SMALL).fit(frame, y), frame


MATHS = {  # elements of formulas
    "math", "mrow", "mi", "mn", "mo", "mtext", "msub", "msup", "mfrac", "msqrt", "mtable", "mtr",
    "mtd",
}  # fmt: skip


def page_of(model, frame, row=3, member=0):
    frame.to_csv("t.csv", index=False)
    found = explaining.explained("m.thinnet", model, "t.csv", row, member)
    explaining.save_page("row.html", HOSTILE[0], found)
    text = pathlib.Path("row.html").read_text("utf-8")
    return text, Page(text), found


def test_texts_of_a_table_are_shown_and_never_run(hostile):
    text, page, _ = page_of(*hostile)
    names = {name for name, _ in page.elements}
    assert names <= {
        "html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2",
        "h3", "p", "div", "table", "thead", "tbody", "tr", "th", "td", "details",
        "summary", *MATHS}  # fmt: skip
    whole = "\n".join(page.texts)
    assert HOSTILE[0] in whole
    assert f"row 3 of {HOSTILE[0]}" in whole
    assert hostile[1][HOSTILE[1]][3][:20] in whole
    assert "<script" not in text
    assert not re.search(r"@import|url\(", text)
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "src")]


def test_a_page_runs_and_loads_nothing(hostile):
    _, page, _ = page_of(*hostile)
    metas = [attributes for name, attributes in page.elements if name == "meta"]
    policy = [meta["content"] for meta in metas if "http-equiv" in meta]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_a_page_has_all_that_the_screen_has(hostile):
    _, page, found = page_of(*hostile)
    whole = " ".join(" ".join(page.texts).split())
    head, *tables, sentences = explaining.parts(found)
    assert str(head).partition(": ")[2] in whole
    for shown in tables:
        assert str(shown.title) in whole
        for column in shown.columns:
            for cell in column.cells:
                assert " ".join(str(cell).split()) in whole
    for line in str(sentences).split("\n"):
        assert line in whole
    assert explaining.title_of_trace(found) in whole
    for part in found.of.trace.sections:
        assert part.title in whole
    assert str(found.of.trace) in explaining.text_of_trace(found)
    assert "by the TableClassifier m.thinnet" in whole


def test_rows_kept_apart_give_a_guarantee():
    frame = pd.DataFrame({"x": np.arange(80) % 9.0, "c": ["a", "b"] * 40})
    model = TableRegressor(**SMALL).fit(frame, frame["x"] * 2)
    from thinnet.commands import conformal

    conformal.learn(model, frame, frame["x"].to_numpy() * 2)
    found = page_of(model, frame)[2]
    low, high = (v[0] for v in conformal.columns(model, frame.iloc[[3]], None).values())
    assert f"prediction is {low:.4g} to {high:.4g} with probability 0.9" in found.guarantee
    assert found.guarantee in "\n".join(map(str, explaining.parts(found)))


def test_a_network_has_a_page_of_its_numbers():
    frame = pd.DataFrame({"<b>": [1.5, 2.5], "y": [3.0, 4.0]})
    network = Network([Dense(2), ReLU(), Dense(1)], features=2, seed=0)
    save(network, "net.thinnet")
    _, page, found = page_of(network, frame, row=1)
    assert "<b>" in page.texts
    assert found.of.numbers.tolist() == [2.5, 4.0]
    np.testing.assert_array_equal(found.of.outputs[0], network.outputs(frame.to_numpy()[1:])[0])


def test_a_network_from_elsewhere_may_be_shown_in_place_of_a_member(hostile):
    model, frame = hostile
    frame.to_csv("t.csv", index=False)
    given, placed = (
        explaining.explained("m.thinnet", model, "t.csv", 3, which)
        for which in (model.networks_[1], 1)
    )
    assert explaining.title_of_trace(given).startswith("The network, dropout off")
    text = explaining.text_of_trace(placed)
    assert explaining.text_of_trace(given) == text.replace("Network 1, ", "The network, ")
