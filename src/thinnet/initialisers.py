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
from thinnet.arrays import Array
from thinnet.philox import Stream, normals, uniforms


@runtime_checkable
class Initialiser(Protocol):
    """A rule for first weights of a matrix of `units` rows."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array: ...


def normal(stream: Stream, units: int, width: int) -> Array:
    return normals(stream, np.arange(units), width)


def symmetric(stream: Stream, units: int, width: int) -> Array:
    """Uniform numbers in (-1, 1)."""
    return 2 * uniforms(stream, np.arange(units), width) - 1


@dataclass(frozen=True, slots=True)
class GlorotUniform:
    """Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16; "Xavier")."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return symmetric(stream, units, width) * math.sqrt(6 / (units + width))


@dataclass(frozen=True, slots=True)
class GlorotNormal:
    """Normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010, eq. 12)."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * math.sqrt(2 / (units + width))


@dataclass(frozen=True, slots=True)
class HeUniform:
    """Uniform in +-sqrt(6 / fan_in) (He et al. 2015)."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return symmetric(stream, units, width) * math.sqrt(6 / width)


@dataclass(frozen=True, slots=True)
class HeNormal:
    """Normal with variance 2 / fan_in (He et al. 2015, eq. 10)."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * math.sqrt(2 / width)


@dataclass(frozen=True, slots=True)
class LeCunNormal:
    """Normal with variance 1 / fan_in (LeCun et al. 1998; for SELU, Klambauer et al. 2017)."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * math.sqrt(1 / width)


@dataclass(frozen=True, slots=True)
class LeCunUniform:
    """Uniform in +-sqrt(3 / fan_in) (LeCun et al. 1998, eq. 16)."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return symmetric(stream, units, width) * math.sqrt(3 / width)


@dataclass(frozen=True, slots=True)
class Orthogonal:
    """Orthonormal rows, or columns where there are more rows (Saxe et al. 2014), times `gain`."""

    gain: float = 1.0

    def __post_init__(self) -> None:
        checks.finite_number("gain", self.gain)

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        draws = normal(stream, units, width)
        q, r = np.linalg.qr(draws if units >= width else draws.T)
        q = q * np.sign(np.diag(r))  # makes the factorisation, and so the distribution, unique
        return self.gain * (q if units >= width else q.T)


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal numbers with standard deviation `scale`."""

    scale: float = 0.01

    def __post_init__(self) -> None:
        checks.non_negative("scale", self.scale)

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return normal(stream, units, width) * self.scale


@dataclass(frozen=True, slots=True)
class Zeros:
    """All weights 0 (units of a layer then stay alike: for last layers and experiments only)."""

    def __call__(self, stream: Stream, units: int, width: int) -> Array:
        return np.zeros((units, width))


NAMED: dict[str, Initialiser] = {
    "glorot_uniform": GlorotUniform(),
    "glorot_normal": GlorotNormal(),
    "he_uniform": HeUniform(),
    "he_normal": HeNormal(),
    "lecun_normal": LeCunNormal(),
    "lecun_uniform": LeCunUniform(),
    "orthogonal": Orthogonal(),
    "zeros": Zeros(),
}


def as_initialiser(rule: str | Initialiser) -> Initialiser:
    """`rule` itself, or the one of that name."""
    if isinstance(rule, str):
        return NAMED[checks.one_of("initialiser", rule, tuple(NAMED))]
    checks.must(isinstance(rule, Initialiser), "initialiser", "a name or an Initialiser", rule)
    return rule
