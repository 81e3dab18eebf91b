"""Dropout as a function of an array, without a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Final

import numpy as np

from thinnet import checks, masks
from thinnet.arrays import Array, Ids, MatrixLike, Samples, Share
from thinnet.engine.rounding_mode import in_standard_mode
from thinnet.philox import Stream

WORTH_COMPILING: Final = 2**14  # elements; with fewer, NumPy is done before machine code is loaded


def compiled_pays(x: Array, rate: float) -> bool:
    """Whether compiled code knows the type of `x`, pays at its size, and can be compiled here."""
    fits = x.dtype in (np.float32, np.float64) and 0 < rate < 1 and x.size >= WORTH_COMPILING
    return fits and there_is_a_compiler()


@cache
def there_is_a_compiler() -> bool:
    if find_spec("numba") is None:
        return False
    from thinnet.engine.target import obstacle

    return not obstacle()


@cache
def compiled_dropout() -> Callable[[Array, Ids, Stream, float, Array], None]:
    """The compiled twin, which is imported at its first use."""
    from thinnet.engine.dropout import dropout

    return dropout


def dropout(
    x: MatrixLike,
    rate: float,
    *,
    seed: int,
    layer: int = 0,
    step: int = 0,
    samples: Samples | None = None,
    share: Share = None,
    training: bool,
    out: Array | None = None,
) -> Array:
    """Inverted dropout of an array (Srivastava et al. 2014, scaled in training).

    Parameters
    ----------
    x : array of floats, shape (samples, ...)
        Numbers of any float type; the first axis counts the samples.
    rate : float
        The probability of dropping a unit, in [0, 1].
    seed, layer, step : int
        The coordinates of the mask, see `keep_mask`.
    samples : sequence of int, optional
        The ids of the rows; None numbers them from 0.
    share : None or "batch"
        None: each row has its own mask; "batch": one mask for all rows.
    training : bool
        True drops units; False returns a copy of `x`.  There is no default, so that it is stated.
    out : array, shape and type of `x`, optional
        The array for the result; it may be `x` itself.

    Returns
    -------
    array, shape and type of `x`
        Kept values divided by the keep probability, 0 elsewhere.

    Raises
    ------
    ValueError
        If `x` is not an array of floats with at least one axis, `out` is not like `x`, or a
        coordinate is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> dropout(np.ones((2, 4)), 0.5, seed=0, training=True)
    array([[2., 0., 2., 2.],
           [2., 0., 0., 2.]])
    """
    x = np.asarray(x)
    checks.float_dtype("the dtype of x", x.dtype)
    checks.unit_interval("rate", rate)
    checks.must(x.ndim > 0, "x", "an array with at least one axis", x)
    stream = masks.checked_stream(seed, "train", layer, step)
    own = masks.check_share("share", share) is None
    ids = masks.row_ids(samples, len(x), "x") if own else masks.ids_of(samples, share)
    out = np.empty_like(x) if out is None else _checked_out(out, x)
    if checks.boolean("training", training):
        in_standard_mode(_drop, x, rate, stream, ids, out)
    else:
        np.copyto(out, x)
    return out


def _drop(x: Array, rate: float, stream: Stream, ids: Ids, out: Array) -> None:
    if compiled_pays(x, rate) and out.flags.c_contiguous:
        each = ids if len(ids) == len(x) else np.repeat(ids, len(x))
        compiled_dropout()(np.ascontiguousarray(x), each, stream, rate, out)
    else:
        keep = masks.mask(stream, ids, math.prod(x.shape[1:]), rate)
        np.copyto(out, masks.scaled(x, keep.reshape(len(ids), *x.shape[1:]), rate))


def _checked_out(out: Array, x: Array) -> Array:
    if out.shape != x.shape or out.dtype != x.dtype:
        raise ValueError(
            f"out must have shape {x.shape} and dtype {x.dtype}, got {out.shape} and {out.dtype}"
        )
    return out
