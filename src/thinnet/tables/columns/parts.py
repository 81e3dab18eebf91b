"""The parts of a `TableEncoder`: each makes slots of some columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import TargetEncoder

from thinnet.arrays import Array
from thinnet.layers import ColumnEncoding
from thinnet.layers.encodings import centered
from thinnet.tables.columns.crossing import Folds, crossed, crossed_again
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.layout import Layout, laid_out, pieces_of
from thinnet.tables.reading.cells import Frame

BLOCK: Final = 2**16  # rows that are encoded at once, so that the result takes most of the memory


class ColumnPart(NamedTuple):
    """A transformer by its name, and the columns that it takes."""

    name: str
    transformer: Any
    columns: tuple[str, ...]

    @property
    def last(self) -> Any:
        """The transformer behind the one that fills holes."""
        return self.transformer[-1] if isinstance(self.transformer, Pipeline) else self.transformer

    def cells(self, ready: Frame) -> Any:
        """What the transformer takes of a table that has been prepared."""
        is_text = isinstance(self.transformer, HashedText)
        return ready[self.columns[0]] if is_text else ready[list(self.columns)]

    def slots(self, ready: Frame) -> Array:
        found = self.transformer.transform(self.cells(ready))
        return np.asarray(found.toarray() if isinstance(self.transformer, HashedText) else found)


@dataclass(frozen=True, eq=False)
class ColumnParts:
    """The parts of an encoder, one after the other."""

    parts: tuple[ColumnPart, ...]
    means: Array | None = None  # of the inputs of bins and categories, float64

    def with_means(self, rows: Array) -> ColumnParts:
        """The same, with the means of the inputs of some rows."""
        found = centered(self.layout.encodings, rows)
        return replace(self, means=np.array([mean for each in found for mean in each.means]))

    @property
    def centered(self) -> tuple[ColumnEncoding, ...]:
        """The columns with means; as they are in the layout if there are none."""
        if self.means is None:
            return self.layout.encodings
        if self not in _centered:
            counts = [each.bins + each.categories for each in self.layout.encodings]
            parts = np.split(self.means, np.cumsum(counts)[:-1])
            pairs = zip(self.layout.encodings, parts, strict=True)
            _centered[self] = tuple(replace(each, means=tuple(m.tolist())) for each, m in pairs)
        return _centered[self]

    def fit(self, ready: Frame, y: Array | None, folds: Folds = None) -> Array:
        """Fit each part; return the rows, with target means of other rows than their own.

        `folds` are the places of rows and of those whose means come from them, as in `crossed`.
        """
        means = dict[str, Array]()
        for part in self.parts:
            if isinstance(part.transformer, TargetEncoder):
                means[part.name] = crossed(part.transformer, part.cells(ready), y, folds)
            else:
                part.transformer.fit(part.cells(ready), y)
        return self._rows_with(means, ready)

    def again(self, ready: Frame, y: Array | None, folds: Folds = None) -> Array:
        """The rows to learn from of another table, as `fit` returns them, without fitting."""
        means = {
            part.name: crossed_again(part.transformer, part.cells(ready), y, folds)
            for part in self.parts
            if isinstance(part.transformer, TargetEncoder)
        }
        return self._rows_with(means, ready)

    def _rows_with(self, means: dict[str, Array], ready: Frame) -> Array:
        """Rows with other mean targets, by the names of their parts."""
        rows = self.rows(ready)
        for part, places in zip(self.parts, self.layout.places, strict=True):
            if part.name in means:
                rows[:, places] = means[part.name]
        return rows

    def rows(self, ready: Frame) -> Array:
        """A table that has been prepared as rows of slots, float32."""
        layout = self.layout
        rows = np.empty((len(ready), layout.slots), np.float32)
        for start in range(0, len(ready), BLOCK):
            block = slice(start, start + BLOCK)
            some = ready.iloc[block]
            for part, places in zip(self.parts, layout.places, strict=True):
                rows[block, places] = part.slots(some)
        return rows

    @property
    def layout(self) -> Layout:
        if self not in _layouts:
            _layouts[self] = laid_out([pieces_of(part.last, part.columns) for part in self.parts])
        return _layouts[self]


_layouts: WeakKeyDictionary[ColumnParts, Layout] = WeakKeyDictionary()
_centered: WeakKeyDictionary[ColumnParts, tuple[ColumnEncoding, ...]] = WeakKeyDictionary()
