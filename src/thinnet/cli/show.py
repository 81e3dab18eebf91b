"""`thinnet show`: what a model is, what it was trained on, and its scores."""

from __future__ import annotations

from typing import Any, Final

from rich.table import Table

from thinnet.checks import quoted
from thinnet.cli.common import note, one_sentence, say, screen
from thinnet.cli.models import Model, loaded, print_held, print_remarks, print_scores
from thinnet.console.tables import counted
from thinnet.layers.base import title

ROLES: Final = {  # the names of columns that a fit was given, and what they were for
    "weight_name_": "rows are weighed by",
    "group_name_": "no fold parts a group of",
    "time_name_": "folds go forward in time by",
}


def show(model: Model) -> None:
    """Say what a model is, what it was trained on, and its scores."""
    with one_sentence(f"the model {model}"):
        from thinnet.commands import conformal, coverage, scoring

        estimator = loaded(model)
        card = estimator.card_
        say(f"{type(estimator).__name__} of {card['table']}, for {card['target']}")
        rows = counted(card["rows"], "row")
        say(f"trained on {rows} by thinnet {card['thinnet']}, seed {card['seed']}")
        if "task" in card:
            say(card["task"])
        if "split" in card:
            say(card["split"])
        for attribute, text in ROLES.items():
            if (name := vars(estimator).get(attribute)) is not None:
                say(f"{text} {quoted(name)}")
        screen.print(_columns(estimator))
        network = estimator.networks_[0]
        chain = ", ".join(map(title, network.layers))
        networks = counted(len(estimator.networks_), "network")
        say(f"{networks} of {network.theta.size:,} parameters: {chain}")
        if not estimator.stops_by_loss:
            say(f"stopped by {estimator.history_.score_name} of rows held out")
        for message in estimator.notes_:
            note(message)
        print_held(coverage.of_training(estimator))
        if conformal.is_conformal(estimator):
            say(f"conformal by {counted(len(estimator.conformal_[0]), 'row')} kept apart")
        print_scores(estimator, scoring.from_values(card["scores"]))
        print_remarks(card.get("remarks", ()))
        print_held(card.get("held"))


def _columns(estimator: Any) -> Table:
    """Print the columns of each kind; the notes say why."""
    shown = Table("column", "kind")
    for column in estimator.encoder_.columns_:
        shown.add_row(column.name, column.kind)
    return shown
