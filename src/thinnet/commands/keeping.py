"""Columns of a table that its predictions carry along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from thinnet.checks import DataFileError, quoted
from thinnet.tables.columns import naming
from thinnet.tables.reading.cells import Frame

INSTEAD: Final = "predicted {}"  # the name of a prediction beside a kept column of its name


class Keep(NamedTuple):
    """The columns to keep: those between commas, or all."""

    texts: tuple[str, ...] = ()
    all: bool = False

    def columns(self, names: Sequence[str]) -> list[str]:
        """The columns of a table to keep, each once; DataFileError for one that is not there."""
        if self.all:
            return list(names)
        found = [name for text in self.texts for name in _between_commas(text, names)]
        for name in found:
            if name not in names:
                raise DataFileError(
                    f"--keep must name columns of the table, one of {naming.there(names)}; got "
                    f"{quoted(name)}{naming.meant(name, names)}"
                )
        return list(dict.fromkeys(found))


def _between_commas(text: str, names: Sequence[str]) -> list[str]:
    """The names in `text`, between commas; a name may have commas itself."""
    return [text] if text in names else [part.strip() for part in text.split(",")]


def beside(kept: Frame | None, answers: Frame) -> Frame:
    """Kept columns, then predictions; a prediction with the name of a kept column is renamed."""
    import pandas as pd

    if kept is None:
        return answers
    names = {name: INSTEAD.format(name) for name in answers.columns if name in kept.columns}
    for name in names.values():
        if name in kept.columns or name in answers.columns:
            raise DataFileError(
                f"--keep must leave the name {quoted(name)} to predictions, got it kept"
            )
    kept, answers = kept.reset_index(drop=True), answers.reset_index(drop=True)
    return pd.concat([kept, answers.rename(columns=names)], axis=1)
