"""A mixed table as a matrix of numbers: scikit-learn's transformers, put together by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.utils.validation import check_is_fitted

from thinnet import checks
from thinnet.arrays import Array, TableLike, TargetLike, VectorLike
from thinnet.layers import ColumnEncoding
from thinnet.layers.encodings import expanded
from thinnet.tables.columns.division import Sizes, unfitted
from thinnet.tables.columns.few import FEW, Table
from thinnet.tables.columns.flat import flat_of
from thinnet.tables.columns.kinds import Column, columns_of, in_part
from thinnet.tables.columns.missing import cleaned, words
from thinnet.tables.columns.parts import ColumnPart, ColumnParts
from thinnet.tables.columns.preparing import parts_of, prepared
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.frames import as_frame, frame_of


class TableEncoder(TransformerMixin, BaseEstimator):
    """A transformer of columns of all kinds to float32 features that a network learns well from.

    Numbers are scaled by their quartiles and clipped smoothly, and encoded piecewise linearly
    beside that; holes are filled with the median and marked.  Categories get a feature each, rare
    ones and those never seen share one; where there are more than 100, or than `max_categories`,
    each has its mean target beside it.  Dates become days, and circles of year, week and day;
    "never", such as 9999-12-31, is a mark of its own.  Long texts are hashed by their parts.  A
    column that says nothing (constant, empty, a number or name for each row) is left out, and
    `columns_` says why.

    Parameters
    ----------
    n_bins : int or 'auto', default='auto'
        Of the piecewise linear encoding; 'auto' is from 4 to 64 by the number of rows.
    max_categories : int, default=1000
        Features for the categories of a column, at least 2; the least frequent share one.
    min_frequency : int or 'auto', default='auto'
        Rows that a category needs for a feature of its own; 'auto' is 1 % of them, from 2 to 10.
    kinds : dict, optional
        What columns are, by name, where that is not to be found out: 'number', 'category', 'date',
        'text', or 'drop' to leave a column out.
    missing : sequence of str, default=()
        Words that mean a missing cell beside those of docs/tables.md; "-9" is the number too.
    center : bool, default=False
        Whether `encodings_` takes off the means that the features of bins and of categories have
        over the rows of `fit`.  Networks then learn the details of functions in fewer steps.

    Attributes
    ----------
    columns_ : tuple of Column
        What each column holds.
    missing_ : tuple of str
        All words that mean a missing cell; None in a model of before there was one list, which
        takes texts as they are.
    parts_ : ColumnParts
        The fitted transformers; None in an earlier model, whose rows are features.
    transformer_ : ColumnTransformer
        That of an earlier model; None in others.
    n_features_in_, feature_names_in_

    Raises
    ------
    ValueError
        If no column says anything, or one is missing in transform; in fit, if a column is not of
        the kind that `kinds` gives it.

    Examples
    --------
    >>> import pandas as pd
    >>> from thinnet import TableEncoder
    >>> table = pd.DataFrame({"age": [20, 30, None, 50], "city": ["Ulm", "Bonn", "Ulm", "Bonn"]})
    >>> encoder = TableEncoder(n_bins=2).fit(table)
    >>> list(encoder.get_feature_names_out())
    ['age up to 30', 'age up to 50', 'age', 'age is missing', 'city_Bonn', 'city_Ulm']
    """

    missing_: tuple[str, ...] | None = None
    parts_: ColumnParts | None = None
    transformer_: ColumnTransformer | None = None

    def __init__(
        self,
        n_bins: int | str = "auto",
        max_categories: int = 1000,
        min_frequency: float | str = "auto",
        kinds: Mapping[str, str] | None = None,
        missing: Sequence[str] = (),
        center: bool = False,
    ) -> None:
        self.n_bins = n_bins
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.kinds = kinds
        self.missing = missing
        self.center = center

    def fit(self, X: TableLike, y: TargetLike = None) -> TableEncoder:
        """Find out what the columns hold, and how they become numbers.

        Parameters
        ----------
        X : data frame or array, shape (rows, columns)
        y : array, shape (rows,), optional
            Targets; without them categories have no mean target.
        """
        self.fit_part(X, y)
        return self

    def fit_transform(self, X: TableLike, y: TargetLike = None) -> Array:
        """`fit`, and the rows as numbers; target means come from other rows than their own."""
        rows = self.fit_part(X, y)
        return self._features(rows)

    def fit_part(
        self,
        X: TableLike,
        y: TargetLike = None,
        whole: TableLike = None,
        folds: Sequence[tuple[Array, Array]] | None = None,
    ) -> Array:
        """Fit to some rows of a table, whose columns have the kinds found in all rows.

        Parameters
        ----------
        X, y
            As for `fit`.
        whole : data frame or array, shape (more rows, columns), optional
            The table of which X is a part; X by default.
        folds : sequence of pairs of arrays, optional
            Places of rows, and of the rows whose mean targets come from these; rows in none of
            the latter get theirs from random folds of each other, as by default all rows do.

        Returns
        -------
        array of float32, shape (rows, slots)
            As of `lookups`; target means come from other rows than their own.
        """
        self._check()
        frame = as_frame(X, self, first=True)
        self.missing_ = words(self.missing)
        self.columns_ = self._columns(frame, whole)
        ready = prepared(frame, self.columns_, self.missing_)
        if not ready.shape[1]:
            raise ValueError("X must have a column that differs from row to row, got none")
        self.__dict__.pop("transformer_", None)  # if an encoder of an earlier model is fitted again
        parts = ColumnParts(tuple(self._parts(ready, y is not None)))
        rows = parts.fit(ready, y, folds)
        self.parts_ = parts.with_means(rows)
        return rows

    def transform(self, X: TableLike) -> Array:
        """The rows of a table with the columns of the one that was fitted, in any order.

        Parameters
        ----------
        X : data frame or array, shape (rows, columns)

        Returns
        -------
        array of float32, shape (rows, features)
        """
        check_is_fitted(self)
        rows = self.encoded(self.table(X))
        return rows if self.parts_ is None else self._features(rows)

    def _features(self, rows: Array) -> Array:
        """The inputs that rows stand for, before means are taken off."""
        assert self.parts_ is not None
        return expanded(self.parts_.layout.encodings, rows)

    @property
    def encodings_(self) -> tuple[ColumnEncoding, ...]:
        """What the columns are in the rows of `lookups`, for `thinnet.Columns`.

        A date is seven columns: its day, and the circles of year, week and day.
        """
        if self.parts_ is None:
            raise AttributeError("only a fitted TableEncoder that has parts_ has encodings_")
        return self.parts_.centered if self.center else self.parts_.layout.encodings

    def lookups(self, X: TableLike) -> Array:
        """The rows of a table as `thinnet.Columns` reads them: the same features in few numbers.

        A number's position among its bins stands for as many features as there are bins, and a
        category's code for as many as there are categories.  ``Columns(encoder.encodings_,
        Dense(n))`` has the parameters of ``Dense(n)`` on what `transform` gives, less their means
        with `center`, and trains up to three times as fast.  Mean targets are those of all rows of
        `fit`; in `fit_transform` they come from other rows than their own.

        Parameters
        ----------
        X : data frame or array, shape (rows, columns)

        Returns
        -------
        array of float32, shape (rows, slots)

        Raises
        ------
        ValueError
            If a column is missing, or the encoder is of an earlier model, which has features only.

        Examples
        --------
        >>> import pandas as pd
        >>> from thinnet import TableEncoder
        >>> table = pd.DataFrame({"age": [20, 30, 30, 50], "city": ["Ulm", "Bonn", "Ulm", "Bonn"]})
        >>> encoder = TableEncoder(n_bins=2).fit(table)
        >>> encoder.encodings_[1]
        ColumnEncoding(bins=0, values=0, categories=2, means=())
        >>> encoder.lookups(table)[:, 0]
        array([0., 1., 1., 2.], dtype=float32)
        """
        check_is_fitted(self)
        if self.parts_ is None:
            raise ValueError("the encoder must be fitted again: earlier models have no lookups")
        return self.encoded(self.table(X))

    def table(self, X: TableLike) -> Table:
        """A table to encode, with the columns of the one that was fitted."""
        return Table(as_frame(X, self, first=False), self.missing_)

    def encoded(self, table: Table) -> Array:
        """The rows that networks take: of slots, or of features where they have no lookups."""
        fitted = self.parts_ or self.transformer_
        assert fitted is not None
        if len(table) <= FEW and (flat := flat_of(fitted)) is not None:
            return flat.rows(parts_of(table, self.columns_), len(table))
        ready = prepared(table.frame, self.columns_, self.missing_)
        if isinstance(fitted, ColumnParts):
            return fitted.rows(ready)
        return np.asarray(fitted.transform(ready), np.float32)

    @property
    def width(self) -> int:
        """The length of a row that networks take."""
        if self.parts_ is not None:
            return self.parts_.layout.slots
        return len(self.get_feature_names_out())

    def get_feature_names_out(self, input_features: VectorLike = None) -> Array:
        """A name for each number of a row."""
        check_is_fitted(self)
        if self.parts_ is not None:
            return np.array(self.parts_.layout.names, object)
        assert self.transformer_ is not None
        found = [_plain(name) for name in self.transformer_.get_feature_names_out()]
        return np.array(found, object)

    def _columns(self, frame: Frame, whole: TableLike) -> tuple[Column, ...]:
        assert self.missing_ is not None
        if whole is None:
            return columns_of(frame, self.kinds, self.missing_)
        columns = columns_of(frame_of(whole)[list(frame.columns)], self.kinds, self.missing_)
        return tuple(
            in_part(column, cleaned(frame[column.name], self.missing_), self.missing_)
            for column in columns
        )

    def _check(self) -> None:
        if self.n_bins != "auto":
            checks.integer("n_bins", self.n_bins, 1)
        if self.min_frequency != "auto":
            checks.integer("min_frequency", self.min_frequency, 1)
        checks.integer("max_categories", self.max_categories, 2)
        checks.boolean("center", self.center)

    def _parts(self, ready: Frame, has_target: bool) -> list[ColumnPart]:
        """The parts, not yet fitted."""
        texts = {column.name for column in self.columns_ if column.kind == "text"}
        sizes = Sizes(self.n_bins, self.min_frequency, self.max_categories)
        return unfitted(ready, texts, sizes, has_target=has_target)


def _plain(name: str) -> str:
    """A feature's name without the steps that made it, as of `hole__missingindicator_age`."""
    part, feature = name.split("__", 1)
    if part == "hole":
        return f"{feature.removeprefix('missingindicator_')} is missing"
    return f"mean target of {feature}" if part == "mean" else feature
