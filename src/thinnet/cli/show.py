"""`thinnet show`: what a model is, what it was trained on, and its scores."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from thinnet.cli.common import note, one_sentence, say, screen
from thinnet.cli.models import Model, loaded, print_held, print_remarks, print_scores
from thinnet.console.tables import counted
from thinnet.layers.base import title


def show(model: Model) -> None:
    """Say what a model is, what it was trained on and with which settings, and its scores."""
    with one_sentence(f"the model {model}"):
        from thinnet.commands import conformal, coverage

        estimator = loaded(model)
        _print_origin(estimator)
        _print_columns(estimator)
        _print_networks(estimator)
        screen.print(_settings(estimator))
        for message in estimator.notes_:
            note(message)
        print_held(coverage.of_training(estimator))
        if conformal.is_conformal(estimator):
            say(f"conformal by {counted(len(estimator.conformal_[0]), 'row')} kept apart")
        _print_scores(estimator)


def _print_origin(estimator: Any) -> None:
    """Print the lines on the table, its rows, and when and by what the model was trained."""
    from thinnet.commands import cards

    card = estimator.card_
    say(f"{type(estimator).__name__} of {card['table']}, for {card['target']}")
    when = f", on {cards.date_text(card['trained'])}" if "trained" in card else ""
    rows = counted(card["rows"], "row")
    say(f"trained on {rows} by thinnet {card['thinnet']}, seed {card['seed']}{when}")
    if "task" in card:
        say(card["task"])
    for line in cards.training_lines(estimator):
        say(line)


def _print_networks(estimator: Any) -> None:
    network = estimator.networks_[0]
    chain = ", ".join(map(title, network.layers))
    networks = counted(len(estimator.networks_), "network")
    say(f"{networks} of {network.theta.size:,} parameters: {chain}")
    encoder = estimator.encoder_
    inputs = len(encoder.get_feature_names_out())
    say(f"a row is {counted(encoder.width, 'number')}, which stand for {counted(inputs, 'input')}")
    say(f"at most {counted(int(estimator.n_iter_), 'epoch')} were taken")


def _print_scores(estimator: Any) -> None:
    from thinnet.commands import class_scores, scoring

    card = estimator.card_
    classes = class_scores.from_values(card.get("classes", ()))
    print_scores(estimator, scoring.from_values(card["scores"]), classes)
    print_remarks(card.get("remarks", ()))
    print_held(card.get("held"))


def _print_columns(estimator: Any) -> None:
    """Print the columns with their kinds, holes and importances, if known; notes say more."""
    from thinnet.commands import cards
    from thinnet.commands.importances import texts_of

    card, shown = estimator.card_, Table("column", "kind")
    holes, importances = card.get("holes"), texts_of(estimator)
    for name, known in (("missing", holes), ("importance", importances)):
        if known is not None:
            shown.add_column(name, justify="right")
    for column in estimator.encoder_.columns_:
        cells = [column.name, column.kind]
        if holes is not None:
            cells.append(cards.holes_text(holes.get(column.name, 0), card["rows"]))
        if importances is not None:
            cells.append(importances[column.name])
        shown.add_row(*cells)
    screen.print(shown)
    if importances is not None:
        rise = estimator.importances_.measure
        say(f"importance: how much the {rise} of held-out rows rises with the column shuffled")


def _settings(estimator: Any) -> Table:
    """The chief settings and those that differ from their defaults."""
    from thinnet.commands import cards

    lines = cards.settings(estimator)
    shown = Table("setting", "value")
    if any(usual for *_, usual in lines):
        shown.add_column("default")
    for line in lines:
        shown.add_row(*line[: len(shown.columns)])
    return shown
