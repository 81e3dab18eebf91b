"""A mixed table as a matrix of numbers: scikit-learn's transformers, put together by kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, TargetEncoder
from sklearn.utils.validation import check_is_fitted

from thinnet import checks
from thinnet.arrays import Array, TableLike, TargetLike, VectorLike
from thinnet.layers import ColumnEncoding
from thinnet.tables.columns.few import FEW, Table
from thinnet.tables.columns.flat import flat_of
from thinnet.tables.columns.hashing import HashedText
from thinnet.tables.columns.kinds import Column, columns_of, in_part
from thinnet.tables.columns.lookups import lookups_of
from thinnet.tables.columns.missing import cleaned, words
from thinnet.tables.columns.pieces import PiecewiseLinear
from thinnet.tables.columns.preparing import parts_of, prepared
from thinnet.tables.reading.cells import Frame
from thinnet.tables.reading.frames import as_frame, frame_of

QUANTILES: Final = 1000
ROWS_A_BIN: Final = 150
TEXT_WIDTH: Final = 256


class TableEncoder(TransformerMixin, BaseEstimator):
    """A transformer of columns of all kinds to float32 features that a network learns well from.

    Numbers are brought to a normal distribution by their quantiles and encoded piecewise linearly
    beside it; holes are filled with the median and marked.  Categories get a column each, rare
    ones and those never seen share one; with more than `max_categories` of them their mean target
    takes its place.  Dates become days, and circles of year, week and day; "never", such as
    9999-12-31, is a mark of its own.  Long texts are hashed by their parts.  A column that says
    nothing (constant, empty, a number or name for each row) is left out, and `columns_` says why.

    Parameters
    ----------
    n_bins : int or 'auto', default='auto'
        Of the piecewise linear encoding; 'auto' is from 4 to 64 by the number of rows.
    max_categories : int, default=100
        Columns for the categories of a column, at least 2.
    min_frequency : int or 'auto', default='auto'
        Rows that a category needs for a column of its own; 'auto' is 1 % of them, from 2 to 10.
    kinds : dict, optional
        What columns are, by name, where that is not to be found out: 'number', 'category', 'date',
        'text', or 'drop' to leave a column out.
    missing : sequence of str, default=()
        Words that mean a missing cell beside those of docs/tables.md; "-9" is the number too.

    Attributes
    ----------
    columns_ : tuple of Column
        What each column holds.
    missing_ : tuple of str
        All words that mean a missing cell; None in a model of before there was one list, which
        takes texts as they are.
    encodings_ : tuple of ColumnEncoding
        What each column is in the rows of `lookups`.
    transformer_ : ColumnTransformer
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
    ['age', 'age up to 30', 'age up to 50', 'age is missing', 'city_Bonn', 'city_Ulm']
    """

    missing_: tuple[str, ...] | None = None

    def __init__(
        self,
        n_bins: int | str = "auto",
        max_categories: int = 100,
        min_frequency: float | str = "auto",
        kinds: Mapping[str, str] | None = None,
        missing: Sequence[str] = (),
    ) -> None:
        self.n_bins = n_bins
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.kinds = kinds
        self.missing = missing

    def fit(self, X: TableLike, y: TargetLike = None) -> TableEncoder:
        """Find out what the columns hold, and how they become numbers.

        Parameters
        ----------
        X : data frame or array, shape (rows, columns)
        y : array, shape (rows,), optional
            Targets; needed where a column has more than `max_categories` categories.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: TableLike, y: TargetLike = None) -> Array:
        """`fit`, and the rows as numbers; target means come from other rows than their own."""
        return self.fit_part(X, y)

    def fit_part(self, X: TableLike, y: TargetLike = None, whole: TableLike = None) -> Array:
        """`fit_transform` on some rows of a table, whose columns have the kinds found in all rows.

        Parameters
        ----------
        X, y
            As for `fit`.
        whole : data frame or array, shape (more rows, columns), optional
            The table of which X is a part; X by default.
        """
        self._check()
        frame = as_frame(X, self, first=True)
        self.missing_ = words(self.missing)
        self.columns_ = self._columns(frame, whole)
        ready = prepared(frame, self.columns_, self.missing_)
        if not ready.shape[1]:
            raise ValueError("X must have a column that differs from row to row, got none")
        self.transformer_ = self._transformer(ready, y is not None)
        return np.asarray(self.transformer_.fit_transform(ready, y), np.float32)

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
        return self.encoded(self.table(X))

    def table(self, X: TableLike) -> Table:
        """A table to encode, with the columns of the one that was fitted."""
        return Table(as_frame(X, self, first=False), self.missing_)

    def encoded(self, table: Table) -> Array:
        """The rows of a table as numbers."""
        if len(table) <= FEW and (flat := flat_of(self.transformer_)) is not None:
            return flat.features(parts_of(table, self.columns_), len(table))
        ready = prepared(table.frame, self.columns_, self.missing_)
        return np.asarray(self.transformer_.transform(ready), np.float32)

    @property
    def encodings_(self) -> tuple[ColumnEncoding, ...]:
        """What each column is in the rows of `lookups`, for `thinnet.Columns`."""
        check_is_fitted(self)
        return lookups_of(self.transformer_).encodings

    def lookups(self, X: TableLike) -> Array:
        """The rows of a table as `thinnet.Columns` reads them: the same features in few numbers.

        A number's position among its bins stands for as many features as there are bins, and a
        category's code for as many as there are categories.  With ``Columns(encoder.encodings_,
        Dense(n))`` a network trains up to three times as fast as with `transform` and ``Dense(n)``.
        Mean targets are those of all rows of `fit`, as in `transform`: for the rows that were
        fitted, `fit_transform` takes them from other rows than their own.

        Parameters
        ----------
        X : data frame or array, shape (rows, columns)

        Returns
        -------
        array of float32, shape (rows, slots)

        Raises
        ------
        ValueError
            If a column is missing, or a step of a subclass is not one of this encoder.

        Examples
        --------
        >>> import pandas as pd
        >>> from thinnet import TableEncoder
        >>> table = pd.DataFrame({"age": [20, 30, 30, 50], "city": ["Ulm", "Bonn", "Ulm", "Bonn"]})
        >>> encoder = TableEncoder(n_bins=2).fit(table)
        >>> encoder.encodings_[1]
        ColumnEncoding(bins=0, values=0, categories=2)
        >>> encoder.lookups(table)[:, 0]
        array([0., 1., 1., 2.], dtype=float32)
        """
        check_is_fitted(self)
        table = self.table(X)
        ready = prepared(table.frame, self.columns_, self.missing_)
        return lookups_of(self.transformer_).rows(ready)

    def get_feature_names_out(self, input_features: VectorLike = None) -> Array:
        """A name for each number of a row."""
        check_is_fitted(self)
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

    def _transformer(self, ready: Frame, has_target: bool) -> ColumnTransformer:
        numbers = [name for name in ready.columns if ready[name].dtype == np.float64]
        texts = {column.name for column in self.columns_ if column.kind == "text"}
        labels = [name for name in ready.columns if name not in {*numbers, *texts}]
        many = [n for n in labels if has_target and ready[n].nunique() > self.max_categories]
        holes = [name for name in numbers if ready[name].isna().any()]
        few = [name for name in labels if name not in many]
        rows = len(ready)
        of_several = [
            ("number", _scaler(rows), numbers),
            ("piece", _pieces(bins(self.n_bins, rows)), numbers),
            ("hole", MissingIndicator(features="all"), holes),
            ("category", self._one_hot(rows), few),
            ("mean", TargetEncoder(cv=KFold(5, shuffle=True, random_state=0)), many),
        ]
        used = [part for part in of_several if part[2]]
        at = [place for place, name in enumerate(ready.columns) if name in texts]
        of_texts = [(f"text {i}", _hashing(), place) for i, place in enumerate(at)]
        return ColumnTransformer([*used, *of_texts], sparse_threshold=0.0)

    def _one_hot(self, rows: int) -> OneHotEncoder:
        least = self.min_frequency
        return OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=int(np.clip(rows // 100, 2, 10)) if least == "auto" else int(least),
            max_categories=self.max_categories,
            sparse_output=False,
            dtype=np.float32,
        )


def _plain(name: str) -> str:
    """A feature's name without the steps that made it, as of `hole__missingindicator_age`."""
    part, feature = name.split("__", 1)
    if part == "hole":
        return f"{feature.removeprefix('missingindicator_')} is missing"
    return f"mean target of {feature}" if part == "mean" else feature


def _filled() -> SimpleImputer:
    return SimpleImputer(strategy="median", keep_empty_features=True)


def _scaler(rows: int) -> Pipeline:
    quantiles = QuantileTransformer(
        n_quantiles=min(QUANTILES, rows), output_distribution="normal", random_state=0
    )
    return Pipeline([("fill", _filled()), ("quantile", quantiles)])


def _pieces(n_bins: int) -> Pipeline:
    return Pipeline([("fill", _filled()), ("piece", PiecewiseLinear(n_bins))])


def _hashing() -> HashedText:
    return HashedText(analyzer="char_wb", ngram_range=(2, 4), n_features=TEXT_WIDTH)


def bins(n_bins: int | str, rows: int) -> int:
    """How many pieces a column of numbers has, where `n_bins` may be 'auto'."""
    if n_bins != "auto":
        return int(n_bins)
    return int(2 ** np.clip(round(math.log2(max(rows, 1) / ROWS_A_BIN)), 2, 6))
