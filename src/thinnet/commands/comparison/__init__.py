"""The same network without and with dropout: trained, compared and plotted."""

from thinnet.commands.comparison.curves import learning_curves
from thinnet.commands.comparison.results import table, verdict
from thinnet.commands.comparison.surface import decision_surface
from thinnet.commands.comparison.training import (
    WITH,
    WITHOUT,
    Entry,
    Outcome,
    entries,
    fit,
    train_all,
)

__all__ = [
    "WITH",
    "WITHOUT",
    "Entry",
    "Outcome",
    "decision_surface",
    "entries",
    "fit",
    "learning_curves",
    "table",
    "train_all",
    "verdict",
]
