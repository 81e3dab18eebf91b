"""A trace as text, HTML and LaTeX: nothing is shown that disagrees with its number."""

import io
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

import thinnet
from thinnet import (
    Adam,
    BatchNorm,
    ColumnEncoding,
    Columns,
    ConcreteDropout,
    Dense,
    Dropout,
    LayerNorm,
    Network,
    ReLU,
    Softmax,
)

RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(3, 2)), np.array([0, 1, 1])


def of(*layers, names=None, features=2, dtype=np.float64, **settings):
    network = Network([*layers, Dense(2, l1=0.1, max_norm=0.4)], features, seed=0, dtype=dtype)
    settings = {"optimizer": Adam(), "step": 3} | settings
    return thinnet.trace(network, X, LABELS, names=names, **settings)


TRACES = {
    "dropout": lambda: of(Dense(3), ReLU(), Dropout(0.5)),
    "on paper": lambda: of(Dense(3), ReLU(), names="paper"),
    "normalised": lambda: of(BatchNorm(), Dense(2), LayerNorm()),
    "concrete": lambda: of(ConcreteDropout(Dense(2)), Softmax()),
    "float32": lambda: of(Dense(2), dtype=np.float32, show=[1]),
    "summarised": lambda: of(Dense(150), ReLU(), Dropout(0.5)),
    "one unit": lambda: of(Dense(150), ReLU(), Dropout(0.5)).unit(0, 7),
    "columns": lambda: of(Columns((ColumnEncoding(values=2),), Dense(2), 0.5)),
}
ALL = pytest.mark.parametrize("make", TRACES.values(), ids=TRACES)
LINE = re.compile(r"^ +(\S.*?) += (?:.* = )?(\S+)$")


def shown_numbers(text):
    for line in text.splitlines():
        found = LINE.match(line)
        try:
            yield found[1], float(found[2])
        except (TypeError, ValueError):
            continue


@ALL
def test_a_printed_number_is_the_number_to_the_digits_printed(make):
    trace = make()
    shown = dict(shown_numbers(str(trace)))
    assert len(shown) > 10
    for name, value in shown.items():
        try:
            exact = trace[name].value
        except KeyError:
            assert name.startswith("such as ")
            continue
        assert value == float(f"{exact:.6g}")


@ALL
def test_numbers_put_in_the_formula_give_the_value(make):
    """What stands behind a formula is arithmetic: read again it comes to the number."""
    frame = make().to_frame()
    plain = re.compile(r"^[-+*/^(). \de]+$")
    checked = 0
    for formula, value in zip(frame["with_numbers"], frame["value"], strict=True):
        if "..." in formula or not plain.match(formula) or not formula:
            continue
        found = eval(formula.replace("^", "**"))  # digits and signs alone
        assert found == pytest.approx(value, rel=1e-3, abs=1e-5)
        checked += 1
    assert checked > 3 or frame["formula"].eq("").all()


def test_colours_do_not_change_the_text():
    trace = TRACES["dropout"]()
    file = io.StringIO()
    console = Console(width=10_000, record=True, color_system="truecolor", file=file)
    console.print(trace)
    assert console.export_text().rstrip() == str(trace).rstrip()


ARITY = {"mfrac": 2, "msub": 2, "msup": 2}
KNOWN = {"math", "mrow", "mi", "mn", "mo", "mtext", "msqrt", "mtable", "mtr", "mtd", *ARITY}
TEXT = {"mi", "mn", "mo", "mtext"}


class Page(HTMLParser):
    """Elements with their children; what is out of place is noted."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.maths, self.tags = [], [], 0, set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if self.open:
            self.open[-1][1] += 1
        if tag not in ("meta", "img", "br"):
            self.open.append([tag, 0, bool(self.open) and (self.open[-1][2] or tag == "math")])
        self.maths += tag == "math"
        if self.open[-1][2] and tag not in KNOWN:
            self.faults.append(f"{tag} within math")

    def handle_endtag(self, tag):
        name, children, _ = self.open.pop()
        if name != tag:
            self.faults.append(f"{name} closed by {tag}")
        if children != ARITY.get(tag, children):
            self.faults.append(f"{tag} with {children} children")

    def handle_data(self, data):
        if self.open and self.open[-1][2] and data.strip() and self.open[-1][0] not in TEXT:
            self.faults.append(f"text {data!r} in {self.open[-1][0]}")


@ALL
def test_pages_are_valid_and_have_no_scripts(make):
    page = Page()
    page.feed(make().to_html())
    assert page.faults == []
    assert page.open == []
    assert page.maths > 20
    assert not page.tags & {"script", "link", "img", "iframe"}


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    trace = TRACES["dropout"]()
    path = tmp_path / "page.html"
    assert path.write_text("before", encoding="utf-8")
    with pytest.raises(ValueError, match="in a folder that can be written to"):
        trace.to_html(tmp_path / "nowhere" / "page.html")
    trace.to_html(path)
    assert path.read_text(encoding="utf-8") == trace.to_html()
    assert [found.name for found in tmp_path.iterdir()] == ["page.html"]


def test_notebooks_get_the_page_without_its_head():
    trace = TRACES["dropout"]()
    found = trace._repr_html_()
    assert "<details" in found
    assert "<html" not in found


def test_texts_of_others_are_shown_as_text():
    encoding = ColumnEncoding(values=2)
    trace = of(Columns((encoding,), Dense(2)))
    trace.sections[1].title = "<script>alert(1)</script> & $x_1$ \\input{x}"
    assert "<script" not in trace.to_html()
    assert r"\input" not in trace.latex()
    assert "<script>alert(1)</script>" in str(trace)


@pytest.mark.slow
@ALL
def test_documents_compile(make, tmp_path):
    assert shutil.which("pdflatex"), "needs pdflatex: apt-get install texlive-latex-recommended"
    (tmp_path / "trace.tex").write_text(make().latex(), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "trace.tex"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "trace.pdf").stat().st_size > 10_000
