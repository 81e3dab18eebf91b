"""First weights, as pure functions of (seed, layer, unit, input).

A weight depends on nothing but its own address, so a wider network starts with the weights of the
narrower one (up to the scale).  ``fan_in`` counts the inputs of a unit, ``fan_out`` the units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from thinnet import checks
from thinnet.arithmetic import orthonormal
from thinnet.arrays import Array
from thinnet.philox import Stream, normals, uniforms


@runtime_checkable
class Initializer(Protocol):
    """A rule for first weights of a matrix of `units` rows.

    Examples
    --------
    >>> isinstance(lambda stream, units, width: np.ones((units, width)), Initializer)
    True
    """

    def __call__(self, stream: Stream, units: int, width: int) -> Array: ...


def normal(stream: Stream, units: int, width: int) -> Array:
    """Standard normal numbers."""
    return normals(stream, np.arange(units), width)


def symmetric(stream: Stream, units: int, width: int) -> Array:
    """Uniform numbers in (-1, 1)."""
    return 2 * uniforms(stream, np.arange(units), width) - 1


@dataclass(frozen=True, slots=True)
class GlorotUniform:
    """Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16; "Xavier").

    Examples
    --------
    >>> stream = Stream(seed=0, purpose="weights")
    >>> bool((np.abs(GlorotUniform()(stream, units=20, width=4)) < 0.5).all())
    True
    """

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return symmetric(stream, units, width) * math.sqrt(6 / (units + width))


@dataclass(frozen=True, slots=True)
class GlorotNormal:
    """Normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010, eq. 12).

    Examples
    --------
    For a square matrix it is `LeCunNormal`:

    >>> stream = Stream(seed=0, purpose="weights")
    >>> np.allclose(GlorotNormal()(stream, 4, 4), LeCunNormal()(stream, 4, 4))
    True
    """

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * math.sqrt(2 / (units + width))


@dataclass(frozen=True, slots=True)
class HeUniform:
    """Uniform in +-sqrt(6 / fan_in) (He et al. 2015).

    Examples
    --------
    >>> stream = Stream(seed=0, purpose="weights")
    >>> bool((np.abs(HeUniform()(stream, units=20, width=24)) < 0.5).all())
    True
    """

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return symmetric(stream, units, width) * math.sqrt(6 / width)


@dataclass(frozen=True, slots=True)
class HeNormal:
    """Normal with variance 2 / fan_in (He et al. 2015, eq. 10).

    Examples
    --------
    More units leave the weights of the first ones as they are:

    >>> stream = Stream(seed=0, purpose="weights")
    >>> np.allclose(HeNormal()(stream, units=5, width=3)[:2], HeNormal()(stream, 2, 3))
    True
    """

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * math.sqrt(2 / width)


@dataclass(frozen=True, slots=True)
class LeCunNormal:
    """Normal with variance 1 / fan_in (LeCun et al. 1998; for SELU, Klambauer et al. 2017).

    Examples
    --------
    >>> stream = Stream(seed=0, purpose="weights")
    >>> W = LeCunNormal()(stream, units=200, width=100)
    >>> W.shape, round(float(W.std()), 2)
    ((200, 100), 0.1)
    """

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * math.sqrt(1 / width)


@dataclass(frozen=True, slots=True)
class LeCunUniform:
    """Uniform in +-sqrt(3 / fan_in) (LeCun et al. 1998, eq. 16).

    Examples
    --------
    >>> stream = Stream(seed=0, purpose="weights")
    >>> bool((np.abs(LeCunUniform()(stream, units=20, width=12)) < 0.5).all())
    True
    """

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return symmetric(stream, units, width) * math.sqrt(3 / width)


@dataclass(frozen=True, slots=True)
class Orthogonal:
    """Orthonormal rows, or columns where there are more rows (Saxe et al. 2014), times `gain`.

    Parameters
    ----------
    gain : float
        Any finite number; all singular values are its magnitude.  With the default a square
        matrix keeps the length of vectors.

    Raises
    ------
    ValueError
        If `gain` is not a finite number.

    Examples
    --------
    >>> W = Orthogonal()(Stream(seed=0, purpose="weights"), units=2, width=3)
    >>> np.allclose(W @ W.T, np.eye(2))
    True
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        checks.finite_number("gain", self.gain)

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        g = normal(stream, units, width)
        q = orthonormal(g if units >= width else g.T)
        return self.gain * (q if units >= width else q.T)


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal numbers with standard deviation `scale`.

    Parameters
    ----------
    scale : float
        At least 0, and the same for every fan_in; the default is that of Krizhevsky et al. 2012.

    Raises
    ------
    ValueError
        If `scale` is not a finite number of at least 0.

    Examples
    --------
    >>> W = Normal(0.1)(Stream(seed=0, purpose="weights"), units=200, width=100)
    >>> round(float(W.std()), 2)
    0.1
    """

    scale: float = 0.01

    def __post_init__(self) -> None:
        checks.non_negative("scale", self.scale)

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * self.scale


@dataclass(frozen=True, slots=True)
class Zeros:
    """All weights 0, for last layers and experiments: the units of a hidden layer stay equal.

    Examples
    --------
    >>> Zeros()(Stream(seed=0, purpose="weights"), units=2, width=3)
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return np.zeros((units, width))


NAMED: dict[str, Initializer] = {
    "glorot_uniform": GlorotUniform(),
    "glorot_normal": GlorotNormal(),
    "he_uniform": HeUniform(),
    "he_normal": HeNormal(),
    "lecun_normal": LeCunNormal(),
    "lecun_uniform": LeCunUniform(),
    "orthogonal": Orthogonal(),
    "zeros": Zeros(),
}


def as_initializer(rule: str | Initializer) -> Initializer:
    """`rule` itself, or the one of that name."""
    if isinstance(rule, str):
        return NAMED[checks.one_of("initializer", rule, tuple(NAMED))]
    checks.must(isinstance(rule, Initializer), "initializer", "a name or an Initializer", rule)
    return rule
