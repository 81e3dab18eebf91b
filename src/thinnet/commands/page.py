"""The page of a report: one file of HTML, with its pictures inside, without scripts."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from thinnet.checks import NothingDrawsError, quoted
from thinnet.commands import (
    calibration,
    cards,
    class_scores,
    coverage,
    evaluating,
    examples,
    remarks,
    scoring,
)
from thinnet.commands.error_bars import ErrorBars
from thinnet.commands.importances import texts_of
from thinnet.commands.pictures import DEPENDENCE, Findings, Picture
from thinnet.commands.styles import STYLE
from thinnet.console.documents import document, section
from thinnet.console.markup import Markup, joined, of_rich, table, tag
from thinnet.console.tables import counted
from thinnet.tables import drifting, importances, uncertain
from thinnet.tables.deciding import decision_message
from thinnet.tables.reading.cells import Frame
from thinnet.uncertainty.draws.heads import ClassHead

SALT: Final[dict[Any, Any]] = {
    "svg.hashsalt": "thinnet"
}  # so that the same pictures are the same files
LEAST_CERTAIN: Final = 10
LARGEST: Final = {  # what the hardest rows have, by the measure of importances
    "log loss": "the least probability for their class",
    "squared error": "the largest errors",
    "pinball loss": "the largest pinball losses",
}
WORDS: Final = ("column", "kind", "note", "setting", "value", "default")


def page(found: Findings, made: Sequence[Picture], bars: ErrorBars | None) -> str:
    """The page on findings, with the pictures that were made of them."""
    card = found.estimator.card_
    title = f"{card['target']} of {card['table']}"
    shown = {picture.stem: figure(picture) for picture in made}
    parts = [
        tag("header", tag("h1", title), _origin(found)),
        _notes(found),
        _scores(found),
        section("Training", shown.get("learning-curve")),
        section("Predictions", *_some(shown, "confusion", "predicted-against-true", "calibration")),
        _error_bars(found, bars, shown),
        section("Which columns matter", shown.get("importances"), _about_importances(found)),
        section("What predictions depend on", *_some(shown, *DEPENDENCE), _about_dependence(shown)),
        _columns(found),
        _hardest(found),
        _settings(found),
    ]
    return document(title, parts, STYLE)


def _some(shown: dict[str, Markup], *stems: str) -> Iterable[Markup]:
    found = [shown[stem] for stem in stems if stem in shown]
    return [tag("div", *found, class_="pictures")] if found else []


def figure(picture: Picture) -> Markup:
    """A picture within the page, and in words."""
    import matplotlib as mpl

    file = io.BytesIO()
    with mpl.rc_context(SALT):
        picture.figure.savefig(file, format="svg", metadata={"Creator": "thinnet", "Date": None})
    data = base64.b64encode(file.getvalue()).decode()
    wide = picture.figure.get_size_inches()[0] > 8
    image = tag("img", src=f"data:image/svg+xml;base64,{data}", alt=picture.alt,
                class_="wide" if wide else "plain")  # fmt: skip
    box = tag("div", image, class_="scrolls")
    return tag(
        "figure",
        box,
        tag("figcaption", picture.alt, aria_hidden="true"),
        class_="wide" if wide else "plain",
    )


def lines(title: str | None, texts: Iterable[Any]) -> Markup | None:
    """Sentences as a list, below a heading if there is one."""
    there = [tag("li", text) for text in texts if text]
    if not there:
        return None
    return section(title, tag("ul", *there)) if title else tag("ul", *there)


def _origin(found: Findings) -> Markup:
    estimator = found.estimator
    card, network = estimator.card_, estimator.networks_[0]
    when = f", on {cards.date_text(card['trained'])}" if "trained" in card else ""
    networks = counted(len(estimator.networks_), "network")
    texts = [
        card.get("task", ""),
        *cards.training_lines(estimator),
        f"trained on {card['rows']:,} rows by thinnet {card['thinnet']}, seed {card['seed']}{when}",
        f"{networks} of {network.theta.size:,} parameters, at most {int(estimator.n_iter_)} epochs",
        f"measured on {found.table}, {len(found.answers.y):,} rows{_weighed(found)}"
        if found.answers
        else "",
    ]
    return joined(tag("p", text) for text in texts if text)


def _weighed(found: Findings) -> str:
    assert found.answers is not None
    name = vars(found.estimator).get("weight_name_")
    return "" if found.answers.weights is None else f", weighed by {quoted(name)}"


def _notes(found: Findings) -> Markup | None:
    return lines("Notes", found.estimator.notes_)


def _scores(found: Findings) -> Markup | None:
    if (answers := found.answers) is None:
        return section("Scores", tag("p", "No rows were held out to measure on."))
    estimator = found.estimator
    head = estimator.head_
    of_classes = isinstance(head, ClassHead)
    plain = evaluating.plain_answer(estimator)
    decided = of_classes and head.is_decided
    scores = scoring.table("", evaluating.scores(estimator, answers), plain, is_decided=decided)
    parts = [of_rich(scores)]
    if each := evaluating.each_class(estimator, answers):
        parts.append(of_rich(class_scores.table(each)))
    if of_classes and head.decision is not None:
        parts.append(tag("p", decision_message(head.decision, head.classes)))
    missing = remarks.of_classes(head.classes, answers.y) if of_classes else ""
    weights = remarks.of_weights(estimator, answers.weights)
    return section("Scores", *parts, lines(None, [weights, missing]))


def _error_bars(found: Findings, bars: ErrorBars | None, shown: dict[str, Markup]) -> Markup | None:
    estimator, parts = found.estimator, list[Markup | None]()
    held, tested = (estimator.card_.get(name) for name in ("held", "tested on"))
    of_fit = f"{held}, of {tested}, when it was fitted" if held else ""
    parts.append(lines(None, [coverage.of_training(estimator), of_fit]))
    if found.measured is not None and bars is not None:
        parts += map(of_rich, calibration.tables(found.table, found.measured, bars.n_draws))
    parts += _some(shown, "pit", "error-bars", "risk-coverage")
    least = _least_certain(found)
    if least is not None:
        frame, where = least
        parts += [tag("h3", f"The least certain rows{where}"), of_frame(frame)]
        parts.append(_about_reasons("less uncertain"))
    return section("How sure it is", *parts)


def _least_certain(found: Findings) -> tuple[Frame, str] | None:
    """The least certain rows that were measured, or of the sample."""
    estimator = found.estimator
    if found.measured is not None and found.measured.least_certain is not None:
        return found.measured.least_certain.head(LEAST_CERTAIN), ""
    if found.examples is None or (sample := found.examples.sample) is None:
        return None
    head, used = estimator.head_, uncertain.used(estimator)
    if not isinstance(head, ClassHead) and not head.has_distributions:
        return None
    with drifting.reported_to(drifting.ignored):
        try:
            measure = uncertain.checked_measure(estimator, None)
            values = getattr(estimator.uncertainty(sample, progress=False), measure)
        except NothingDrawsError:
            return None
        rows = sample.iloc[uncertain.least_certain(values, LEAST_CERTAIN)]
        typical = uncertain.typical_row(sample, used, estimator.encoder_.missing_)
        frame = uncertain.frame_of(estimator, rows, typical, 100, measure)
    return frame, f" among {len(sample):,}"


def of_frame(frame: Frame) -> Markup:
    """A data frame as a table: numbers short, the rest as it is."""
    names = {name: str(name).replace("_", " ") for name in frame.columns}
    is_number = [frame[name].dtype.kind == "f" for name in names]
    rows = [
        [
            scoring.number_text(float(cell)) if number else cell
            for cell, number in zip(row, is_number, strict=True)
        ]
        for row in frame.itertuples(index=False)
    ]
    words = {shown for head, shown in names.items() if frame[head].dtype.kind not in "fiu"}
    return table(list(names.values()), rows, words, stacks=True)


def _about_reasons(better: str) -> Markup:
    words = (
        f"Rows count from 0. A cell is named if the row is {better} with the column's typical "
        "value (the median, or the most frequent label) in its place, and by how much; that is no "
        "cause."
    )
    return tag("p", words, class_="small")


def _about_importances(found: Findings) -> Markup | None:
    if texts_of(found.estimator) is None:
        return None
    known = found.estimator.importances_
    words = (
        f"How much the {known.measure} of {known.rows:,} rows, which no network that is asked has "
        f"learned from, rises where the cells of a column are shuffled; without it is "
        f"{scoring.number_text(known.loss)}. Error bars are standard deviations over "
        f"{known.values.shape[1]} shufflings. Columns that say the same share their importance."
    )
    return tag("p", words, class_="small")


def _about_dependence(shown: dict[str, Markup]) -> Markup | None:
    if DEPENDENCE[0] not in shown:
        return None
    words = (
        "The mean prediction where all rows of a sample get the same cell in one column; marks "
        "along the axis are quantiles of the column, bands and error bars 90 % of the draws with "
        "dropout on. Where columns are related, some of these rows can't be."
    )
    return tag("p", words, class_="small")


def _columns(found: Findings) -> Markup | None:
    estimator = found.estimator
    card, texts = estimator.card_, texts_of(estimator)
    holes = card.get("holes")
    heads = ["column", "kind"]
    heads += ["missing"] * (holes is not None) + ["importance"] * (texts is not None)
    rows, noted = [], any(column.why for column in estimator.encoder_.columns_)
    for column in estimator.encoder_.columns_:
        cells = [column.name, column.kind]
        if holes is not None:
            cells.append(cards.holes_text(holes.get(column.name, 0), card["rows"]))
        if texts is not None:
            cells.append(texts[column.name])
        rows.append([*cells, column.why] if noted else cells)
    encoder = estimator.encoder_
    inputs = len(encoder.get_feature_names_out())
    width = f"A row is {encoder.width:,} numbers, which stand for {inputs:,} inputs of a network."
    made = table([*heads, "note"] if noted else heads, rows, WORDS)
    return section("Columns", made, tag("p", width, class_="small"))


def _hardest(found: Findings) -> Markup | None:
    if found.examples is None or found.examples.hardest is None:
        return None
    frame = examples.hardest_rows(found.examples)
    what = LARGEST[importances.measure_of(found.estimator.head_).split(" at ")[0]]
    intro = tag("p", f"The rows with {what}, of all that were measured.")
    return section("Hardest rows", intro, of_frame(frame), _about_reasons("answered better"))


def _settings(found: Findings) -> Markup | None:
    return section("Settings", table(("setting", "value", "default"), _lines(found), WORDS))


def _lines(found: Findings) -> list[tuple[str, str, str]]:
    return [(name, value, usual or "the same") for name, value, usual in
            cards.settings(found.estimator)]  # fmt: skip
