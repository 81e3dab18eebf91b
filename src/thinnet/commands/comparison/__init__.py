"""The same network without and with dropout: trained, told apart, drawn."""

from thinnet.commands.comparison.curves import learning_curves
from thinnet.commands.comparison.running import WITH, WITHOUT, Entry, Outcome, entries, fit, run
from thinnet.commands.comparison.surface import decision_surface
from thinnet.commands.comparison.telling import table, verdict

__all__ = [
    "WITH",
    "WITHOUT",
    "Entry",
    "Outcome",
    "decision_surface",
    "entries",
    "fit",
    "learning_curves",
    "run",
    "table",
    "verdict",
]
