"""The page of a report: whole, escaped, and read without a network or scripts."""

import base64
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command

from thinnet import load, save
from thinnet.commands import examples, places, reporting
from thinnet.commands.evaluating import Answers
from thinnet.commands.examples import Examples
from thinnet.console import markup
from thinnet.console.markup import Markup, escaped, tag

RNG = np.random.default_rng(0)
FAST = ("--epochs", "60", "--networks", "2", "--hidden", "8")
ROWS = 150
X = RNG.normal(size=ROWS)
HOSTILE = [
    "<script>alert(1)</script>", "</style><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>', "$x^$", "a & b", "</title><script>alert(4)</script>",
]  # fmt: skip
LABELS = np.array(["<script>yes</script>", "no & 'never'"])
SECTIONS = ["Scores", "Training", "Predictions", "How sure it is", "Which columns matter",
            "What predictions depend on", "Columns", "Hardest rows", "Settings"]  # fmt: skip
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Elements with their attributes, the texts within, and whether every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return "\n".join(self.texts)


def read(path):
    page = Page(path.read_text("utf-8"))
    assert page.open == []
    return page


def homes():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": X.round(3),
            "kind": rng.choice(["flat", "house"], ROWS),
            "age": np.where(rng.random(ROWS) < 0.2, np.nan, rng.integers(0, 90, ROWS)),
            "id": [f"h{i:03d}" for i in range(ROWS)],
        }
    )
    frame["rent"] = 500 + 100 * frame["size"] + 50 * (frame["kind"] == "house")
    return frame.assign(sold=np.where(frame["size"] > 0, "yes", "no"))


def fit(target, *options):
    code, output = thinnet_command(
        "fit", "homes.csv", "--target", target, *FAST, "--report", "r", "--out", "m.thinnet",
        *options,
    )  # fmt: skip
    assert code == 0, output
    return output


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """For each target a folder with a table, its model, their report, and what was printed."""
    made = {}
    for target, other in (("rent", "sold"), ("sold", "rent")):
        folder = tmp_path_factory.mktemp(target)
        homes().to_csv(folder / "homes.csv", index=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            made[target] = folder, fit(target, "--leave-out", other)
    return made


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    homes().to_csv("homes.csv", index=False)
    return homes()


@pytest.fixture
def fitted(fits, tmp_path):
    """Takes what was fitted to a target to the folder of a test."""

    def take(target):
        folder, _ = fits[target]
        shutil.copytree(folder / "r", tmp_path / "r")
        shutil.copy(folder / "m.thinnet", tmp_path)
        return read(tmp_path / "r" / "report.html")

    return take


@pytest.mark.parametrize("target", ["rent", "sold"])
def test_fit_writes_a_page_with_all_there_is_to_see(target, fits, fitted, tmp_path):
    assert "report: r/report.html" in fits[target][1]
    page, model = fitted(target), load_model()
    headings = [text for text in page.texts if text in SECTIONS]
    assert headings == SECTIONS
    for words in (f"{target} of homes.csv", "trained on 120 rows", "measured on homes.csv, 30 rows",
                  "column 'id' is left out", "max_iter", "importance", "n_networks"):  # fmt: skip
        assert words in page.text
    for score in model.card_["scores"]:
        assert score["name"] in page.texts
    holes = model.card_["holes"]["age"]
    assert f"{holes} ({holes / 120:.1%})" in page.texts
    assert len(page.of("img")) == len(list((tmp_path / "r").glob("*.png"))) >= 4


def load_model():
    return load("m.thinnet")


def test_evaluate_writes_one_with_its_error_bars(fitted, tmp_path):
    fitted("rent")
    code, output = thinnet_command(
        "evaluate", "m.thinnet", "homes.csv", "--uncertainty", "--draws", 5, "--report", "e"
    )
    assert code == 0, output
    page = read(tmp_path / "e" / "report.html")
    for words in ("intervals meant to hold", "interval score", "The least certain rows", "std",
                  "measured on homes.csv, 150 rows"):  # fmt: skip
        assert words in page.text
    assert len(page.of("img")) == len(list((tmp_path / "e").glob("*.png")))
    plain = tmp_path / "p" / "report.html"
    assert thinnet_command("evaluate", "m.thinnet", "homes.csv", "--report", "p")[0] == 0
    assert "interval score" not in read(plain).text


@pytest.mark.parametrize("target", ["rent", "sold"])
def test_a_page_needs_nothing_else_and_runs_nothing(target, fitted, tmp_path):
    page = fitted(target)
    text = (tmp_path / "r" / "report.html").read_text("utf-8")
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"@import|url\(", text)
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "href"]
    for image in page.of("img"):
        kind, data = image["src"].split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(data).startswith(b"<?xml")
        assert len(image["alt"]) > 20
    policy = [m["content"] for m in page.of("meta") if "http-equiv" in m]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.of("meta")
    assert text.startswith("<!DOCTYPE html>")


def test_texts_of_a_table_are_shown_and_never_run(tmp_path):
    frame = pd.DataFrame({name: RNG.normal(size=ROWS).round(3) for name in HOSTILE[:5]})
    frame[HOSTILE[5]] = RNG.choice(HOSTILE[:3], ROWS)
    frame["<b>y</b>"] = np.where(frame[HOSTILE[0]] > 0, *LABELS)
    frame.to_csv("homes.csv", index=False)
    fit("<b>y</b>")
    page = read(tmp_path / "r" / "report.html")
    names = {name for name, _ in page.elements}
    assert names <= {
        "html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1", "h2",
        "h3", "p", "ul", "li", "div", "table", "caption", "thead", "tbody", "tr", "th", "td",
        "figure", "figcaption", "img"}  # fmt: skip
    for text in (*HOSTILE, *LABELS):
        assert any(text in shown for shown in page.texts), text
    for image in page.of("img"):
        assert b"<script" not in base64.b64decode(image["src"].split(",", 1)[1])


def test_a_page_of_nobody_else_is_replaced(fitted, tmp_path):
    fitted("rent")
    page = tmp_path / "r" / "report.html"
    assert places.is_page(page)
    page.write_text("<html>mine</html>")
    options = ("evaluate", "m.thinnet", "homes.csv", "--report", "r")
    code, output = thinnet_command(*options)
    assert code == 2
    assert "a report of thinnet's (or use --force), got 'r/report.html'" in output
    assert page.read_text() == "<html>mine</html>"
    assert thinnet_command(*options, "--force")[0] == 0
    assert places.is_page(page)
    assert [path.name for path in tmp_path.glob("r/.*")] == []


def test_a_page_that_cannot_be_written_leaves_the_old_one(fitted, tmp_path, monkeypatch):
    fitted("rent")
    before = (tmp_path / "r" / "report.html").read_bytes()

    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(reporting, "write_atomically", full)
    code, output = thinnet_command("evaluate", "m.thinnet", "homes.csv", "--report", "r")
    assert code == 1
    assert "report.html" in output
    assert (tmp_path / "r" / "report.html").read_bytes() == before


def test_the_same_report_is_the_same_file(fitted, tmp_path):
    fitted("sold")
    for folder in ("a", "b"):
        options = ("evaluate", "m.thinnet", "homes.csv", "--report", folder)
        assert thinnet_command(*options)[0] == 0
    first, second = (tmp_path / folder / "report.html" for folder in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_a_model_without_rows_to_measure_on_has_a_page_too(tmp_path):
    fit("rent", "--test-fraction", "0")
    page = read(tmp_path / "r" / "report.html")
    assert "No rows were held out to measure on." in page.texts
    assert "Hardest rows" not in page.texts
    assert "What predictions depend on" in page.texts


def test_one_network_without_dropout_has_a_page_without_draws(tmp_path):
    code, output = thinnet_command(
        "fit", "homes.csv", "--target", "sold", "--networks", 1, "--epochs", 2, "--dropout", 0,
        "--input-dropout", 0, "--report", "r",
    )  # fmt: skip
    assert code == 0, output
    page = read(tmp_path / "r" / "report.html")
    assert "How sure it is" not in page.texts
    assert "Hardest rows" in page.texts


def test_a_model_of_before_has_a_page_of_what_it_has(fitted, tmp_path):
    fitted("sold")
    model = load_model()
    del model.importances_
    for name in ("trained", "holes", "classes"):
        del model.card_[name]
    save(model, "old.thinnet")
    code, output = thinnet_command("evaluate", "old.thinnet", "homes.csv", "--report", "e")
    assert code == 0, output
    page = read(tmp_path / "e" / "report.html")
    assert "Which columns matter" not in page.texts
    assert "missing" not in page.texts
    assert "Hardest rows" in page.texts


@pytest.fixture
def model(fitted):
    fitted("sold")
    return load_model()


def test_hardest_rows_are_those_with_the_largest_losses(model, table):
    kept = Examples(model)
    places_of = model.head_.known(table["sold"])
    for start in range(0, ROWS, 40):
        rows = table.iloc[start : start + 40]
        answers = Answers(places_of[start : start + 40], model.predict_proba(rows))
        kept.add(rows, answers)
    p = model.predict_proba(table)[np.arange(ROWS), places_of]
    worst = np.argsort(p, kind="stable")[: examples.HARDEST]
    np.testing.assert_array_equal(kept.hardest.rows.index, worst)
    np.testing.assert_allclose(kept.hardest.losses, -np.log(p[worst]), rtol=1e-5)
    found = examples.hardest_rows(kept)
    assert list(found["row"]) == list(worst)
    assert list(found["true"]) == list(table["sold"].iloc[worst])
    np.testing.assert_allclose(found["probability of the true one"], p[worst], rtol=1e-5)
    at, why = next((at, why) for at, why in zip(worst, found["why"], strict=True) if why)
    name, fall = re.match(r"(\w+) (?:=|is) .*?\(-(\d+) %\)", why).groups()
    typical = {"kind": table["kind"].mode()[0]} | {
        column: table[column].dropna().sort_values().iloc[(table[column].notna().sum() - 1) // 2]
        for column in ("size", "age")
    }
    changed = model.predict_proba(table.iloc[[at]].assign(**{name: typical[name]}))
    after = -np.log(changed[0, places_of[at]])
    assert 100 * (1 - after / -np.log(p[at])) == pytest.approx(float(fall), abs=0.51)
    assert "size = " in found["cells"].iloc[0]


def test_a_sample_does_not_depend_on_how_rows_are_cut(model, monkeypatch):
    monkeypatch.setattr(examples, "SOME_ROWS", 20)
    frame = pd.DataFrame({"size": np.arange(400.0)})
    whole, parts = Examples(model), Examples(model)
    whole.add(frame)
    for start in range(0, 400, 33):
        parts.add(frame.iloc[start : start + 33])
    pd.testing.assert_frame_equal(whole.sample, parts.sample)
    assert len(whole.sample) == 20
    assert whole.sample["size"].is_monotonic_increasing
    assert whole.hardest is None


def test_losses_of_numbers_are_their_errors(fitted):
    fitted("rent")
    found = examples.row_losses(load_model(), Answers(np.array([1.0, 5.0]), np.array([2, 2])))
    np.testing.assert_array_equal(found, [1, 3])


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#x27;"), ("a\x00b\x1b[31m", "a\ufffdb\ufffd[31m"),
     ("\ud800", "\\ud800"), (3.5, "3.5"), (Markup("<b>"), "<b>"), ("one\ntwo", "one\ntwo")],
)  # fmt: skip
def test_texts_are_escaped_unless_they_are_html(text, shown):
    assert escaped(text) == shown
    escaped(text).encode()


def test_an_element_has_its_attributes_escaped_too():
    made = tag("p", "<", tag("b", 1), class_='"x"', data_head="<y>")
    assert made == '<p class="&quot;x&quot;" data-head="&lt;y&gt;">&lt;<b>1</b>\n</p>\n'
    assert tag("img", alt="a") == '<img alt="a">'


def test_a_table_says_where_words_stand():
    page = Page(markup.table(["name", "rows"], [["<a>", 1]], {"name"}, "of", stacks=True))
    assert [cell["class"] for cell in page.of("td")] == ["w", "n"]
    assert [cell["data-head"] for cell in page.of("td")] == ["name", "rows"]
    assert page.texts.count("<a>") == 1
