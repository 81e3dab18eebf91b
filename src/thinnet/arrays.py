"""Array types with their shapes, checked under test and free in production.

``rows`` counts samples, ``features`` the axes behind them; ``width`` is the length of the only
feature axis where a layer takes just one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from jaxtyping import AbstractDtype, Bool, Integer

if TYPE_CHECKING:
    from jaxtyping import Float as Float
else:

    class Float(AbstractDtype):
        """The floating types of jaxtyping, and long double, which it leaves out."""

        dtypes = ("float16", "float32", "float64", "float128", "longdouble")


Array: TypeAlias = np.ndarray
Features: TypeAlias = tuple[int, ...]
Flat: TypeAlias = Float[Array, " size"]
Rows: TypeAlias = Float[Array, "rows ..."]
SameRows: TypeAlias = Float[Array, "rows *features"]  # where a layer keeps the shape of its rows
Table: TypeAlias = Float[Array, "rows width"]
Out: TypeAlias = Float[Array, "rows units"]
Weights: TypeAlias = Float[Array, " rows"]
Ids: TypeAlias = Integer[Array, " rows"]
Keep: TypeAlias = Bool[Array, "..."]

Samples: TypeAlias = Sequence[int] | Integer[Array, " rows"]
Share: TypeAlias = Literal["batch"] | None  # one mask for all rows, or each row its own

# Arguments of callers come in too many kinds for a type; our own checks name what doesn't fit.
MatrixLike: TypeAlias = Any  # array, sparse matrix or data frame, shape (rows, features)
TableLike: TypeAlias = Any  # path of a file, data frame of pandas or polars, or array
TargetLike: TypeAlias = Any  # array, series or list, a target for each row; in tables a name too
VectorLike: TypeAlias = Any  # array, series or list of numbers, shape (rows,)
OfRows: TypeAlias = Any  # array or series, an entry for each row; or the name of a table's column
EvalSet: TypeAlias = Any  # (X, y), alone or in a list, or None
RandomState: TypeAlias = Any  # int, numpy.random.RandomState or None
ClassWeight: TypeAlias = Any  # dict from labels to weights, 'balanced', a list of dicts, or None
FittedEstimator: TypeAlias = Any  # one of thinnet's estimators after fit
NetworkLike: TypeAlias = Any  # a Network, or a moment of a recording
DisplayLike: TypeAlias = Any  # a display with `at`, or a function of a moment
Predicted: TypeAlias = Any  # an array; a masked one with `abstain`; two with `return_std`
DataFrame: TypeAlias = Any  # a pandas.DataFrame; pandas is imported where it is needed
DTypeLike: TypeAlias = Any  # a name or object that NumPy reads as a floating-point type
InitializerLike: TypeAlias = Any  # an Initializer, its name, or None
OptimizerState: TypeAlias = Any  # the state that an optimiser's `start` returns
