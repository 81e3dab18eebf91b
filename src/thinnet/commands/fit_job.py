"""The settings of `thinnet fit TABLE`, checked before a file is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from thinnet import checks
from thinnet.checks import SettingError
from thinnet.tables import members
from thinnet.tables.classifier import TableClassifier
from thinnet.tables.deciding import goal_of
from thinnet.tables.eval_metrics import CLASSES, LOSS, NUMBERS, spelt
from thinnet.tables.regressor import TableRegressor, check_loss

KINDS: Final[dict[str, tuple[type[Any], str]]] = {
    "classification": (TableClassifier, "classes"),
    "regression": (TableRegressor, "numbers"),
}


@dataclass(frozen=True)
class FitJob:
    """The settings of `thinnet fit TABLE`."""

    table: str | os.PathLike[str]
    target: str
    task: str = "auto"
    test: str | os.PathLike[str] | None = None
    test_fraction: float = 0.2
    leave_out: tuple[str, ...] = ()
    weight: str | None = None
    group: str | None = None
    time: str | None = None
    header: bool | None = None
    seed: int = 0
    conformal: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.one_of("--task", self.task, ("auto", "classification", "regression"))
        checks.below_one("--test-fraction", self.test_fraction)
        checks.integer("--seed", self.seed, 0, 2**32 - 1)
        others = "names of other columns than the target's"
        checks.must(self.target not in self.leave_out, "--leave-out", others, self.target)
        for option in ("weight", "group", "time"):
            other = "the name of another column than the target's"
            checks.must(getattr(self, option) != self.target, f"--{option}", other, self.target)
        if self.group is not None and self.time is not None:
            raise ValueError("--group must be left out with --time, got both")
        if (goal := self.settings.get("threshold_for")) is not None:
            goal_of(goal)
        elif "positive_class" in self.settings and self.settings.get("eval_metric") != "f1":
            raise ValueError("--positive is for --threshold-for or --eval-metric f1, got none")
        of_task = {"classification": CLASSES, "regression": NUMBERS}
        known = of_task.get(self.task, (*CLASSES, *NUMBERS[1:]))
        spelt(self.settings.get("eval_metric", LOSS), known)
        of_numbers = TableRegressor().get_params()
        given = {name: value for name, value in self.settings.items() if name in of_numbers}
        members.check(TableRegressor(**given))
        check_loss(TableRegressor(**given))
        if "quantile" in given and given.get("loss") != "quantile":
            raise ValueError("--quantile is for --loss quantile, got none")
        if self.task != "auto":
            check_of_task(self.settings, self.task, SettingError)

    @property
    def not_learned(self) -> tuple[str, ...]:
        """The columns beside the target that are taken out of the table, each once."""
        own = (name for name in (self.weight, self.group) if name is not None)
        return tuple(dict.fromkeys((*self.leave_out, *own)))


def check_of_task(settings: Mapping[str, Any], task: str, error: type[SettingError]) -> None:
    """Raise `error` for a setting that only models of the other task have."""
    kind, what = KINDS[task]
    for name in sorted(settings.keys() - kind().get_params()):
        raise error(name, f"left out for a target of {what}", repr(settings[name]))
