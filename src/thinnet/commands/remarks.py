"""Remarks on scores: the rows that they are of, and what these cannot show."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import quoted

SHOWN: Final = 4  # the largest number of classes that are named
LITTLE: Final = "these scores say little of new rows"


def content(table: str | os.PathLike[str]) -> str:
    """A checksum of a file's bytes; another form of the same table has another."""
    with Path(table).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def of_test(card: dict[str, Any], test: str | os.PathLike[str]) -> str:
    """The remark on a --test file that is the training table itself; else empty."""
    if content(test) != card["content"]:
        return ""
    return f"--test holds the rows that the model has learned from: {LITTLE}"


def of_table(card: dict[str, Any], table: str | os.PathLike[str], rows: int) -> str:
    """The remark on a table that the model was trained on, by its card; else empty."""
    if "content" not in card or content(table) != card["content"]:
        return ""
    most = ", or most of them" if rows > card["rows"] else ""
    return (
        f"{table} is the table that the model was trained on: it has learned from these rows"
        f"{most}, so {LITTLE}"
    )


def of_weights(estimator: Any, weights: Array | None) -> str:
    """The remark on scores without the weights that the model has learned with; else empty."""
    name = vars(estimator).get("weight_name_")
    if name is None or weights is not None:
        return ""
    return f"these scores are not weighed, since the table has no column {quoted(name)}"


def of_classes(classes: Array, y: Array) -> str:
    """The remark on classes that no row of `y` has; empty where all are there."""
    missing = np.delete(classes, np.unique(y))
    if not len(missing):
        return ""
    named = ", ".join(quoted(str(label)) for label in missing[:SHOWN])
    others = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return (
        f"no row that was measured is of class {named}{others}: nothing is known of how well it is "
        "found, and balanced accuracy, F1, ROC AUC and PR AUC of all can't be measured"
    )
