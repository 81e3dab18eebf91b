"""Permutation importances: how much worse held-out rows are predicted with a column shuffled.

Each network is asked about rows that it has not learned from.  Some of these, encoded, are kept by
`fit`; the importances are computed from them when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from thinnet.arithmetic import lane_mean, log, tree_mean, tree_variance
from thinnet.arrays import Array
from thinnet.network import Network
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.tables.columns.preparing import names_of_parts
from thinnet.tables.members import SomeRows, TableRows, own_weights
from thinnet.uncertainty.draws.heads import ClassHead, Head

N_REPEATS: Final = 10
MOST_ROWS: Final = 2000  # of all networks together
MOST_NUMBERS: Final = 2**18  # that are kept of these rows
MOST_LOOKUPS: Final = 2**26  # of all columns and repeats, a second or two
LEAST_ROWS: Final = 100  # of a table with very many columns
LEAST: Final = 1e-15  # probability, so that a log loss stays finite


class Part(NamedTuple):
    """Some rows that several networks have not learned from; their mean answer counts."""

    networks: tuple[Network, ...]
    rows: TableRows


class HeldOut(NamedTuple):
    """All that importances are computed from, as `fit` left it.

    `slots` are the places, in a row, of what each column of the table has become.
    """

    parts: tuple[Part, ...]
    head: Head
    slots: dict[str, list[int]]

    @property
    def seed(self) -> int:
        """The seed of the shuffling."""
        return self.parts[0].networks[0].seed


@dataclass(frozen=True, eq=False)
class Importances:
    """How much worse held-out rows are predicted where the cells of one column are shuffled.

    Columns that say the same share their importance: each is little missed as long as the other is
    there (Strobl et al. 2008).  The error bars are those of shuffling, not of the choice of rows.

    Parameters
    ----------
    columns : tuple of str
        The columns of the table in fit, in their order.
    values : array, shape (n_columns, n_repeats)
        The loss with this column shuffled less the loss without, each repeat shuffled anew; 0 for
        columns that were left out.
    loss : float
        The loss without shuffling, by the rows' weights if there are some.
    measure : str
        What the loss is: 'log loss', in nats; 'squared error', in the target's own units, squared,
        of several targets the mean; of a model of one quantile 'pinball loss at 0.9'.
    rows : int
        The number of held-out rows.

    References
    ----------
    Breiman 2001, "Random forests", section 10; Strobl, Boulesteix, Kneib, Augustin and Zeileis
    2008, "Conditional variable importance for random forests".

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from thinnet import TableRegressor
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"x": rng.normal(size=300), "noise": rng.normal(size=300)})
    >>> model = TableRegressor(random_state=0).fit(table, 3 * table["x"])
    >>> found = model.importances_
    >>> found.columns, found.measure, found.values.shape
    (('x', 'noise'), 'squared error', (2, 10))
    >>> bool(found.mean[0] > 10 and abs(found.mean[1]) < 0.1)
    True
    """

    columns: tuple[str, ...]
    values: Array
    loss: float
    measure: str
    rows: int

    @property
    def mean(self) -> Array:
        """The mean over the repeats, shape (n_columns,)."""
        return np.asarray(tree_mean(self.values.T))

    @property
    def std(self) -> Array:
        """The standard deviation over the repeats, shape (n_columns,)."""
        return np.sqrt(tree_variance(self.values.T))

    @property
    def order(self) -> Array:
        """The places of the columns, the most important first; equal ones in their order."""
        return np.argsort(-self.mean, kind="stable")


def kept(
    encoder: TableEncoder, head: Head, held: Sequence[tuple[Sequence[Network], SomeRows]]
) -> HeldOut:
    """As many of the rows that networks have not learned from as importances need."""
    slots = slots_of(encoder)
    lookups = sum(map(bool, slots.values())) * N_REPEATS * encoder.width
    most = min(MOST_ROWS, MOST_NUMBERS // encoder.width, max(LEAST_ROWS, MOST_LOOKUPS // lookups))
    each = max(most // len(held), 1)
    parts = tuple(Part(tuple(networks), _some(rows, each)) for networks, rows in held)
    return HeldOut(parts, head, slots)


def _some(rows: SomeRows, most: int) -> TableRows:
    places = np.arange(len(rows.table.y))[rows.places]
    if len(places) > most:
        places = np.sort(np.random.default_rng(0).choice(places, most, replace=False))
    return rows.table.part(places)


def importances(held: HeldOut) -> Importances:
    """The importances of all columns."""
    shuffled = Shuffled(held)
    loss = float(shuffled.losses([], 1)[0])
    values = [
        shuffled.losses(slots, N_REPEATS) - loss if slots else np.zeros(N_REPEATS)
        for slots in held.slots.values()
    ]
    of = tuple(held.slots), np.array(values), loss, measure_of(held.head), len(shuffled.X)
    return Importances(*of)


def measure_of(head: Head) -> str:
    """The name of the loss: of numbers the squared error, or that of the one quantile learned."""
    if isinstance(head, ClassHead):
        return "log loss"
    return "squared error" if head.has_distributions else f"pinball loss at {head.levels[0]:g}"


def slots_of(encoder: TableEncoder) -> dict[str, list[int]]:
    """The places, in a row, of what each column of the table has become: none if left out."""
    assert encoder.parts_ is not None
    layout, start = encoder.parts_.layout, 0
    by_part: dict[str, range] = {}
    for name, encoding in zip(layout.columns, layout.encodings, strict=True):
        by_part[name] = range(start, start + encoding.slots)
        start += encoding.slots
    return {
        column: [place for name in names for place in by_part[name]]
        for column, names in names_of_parts(encoder.columns_).items()
    }


class Shuffled:
    """Held-out rows whose columns are shuffled, and the losses that follow."""

    def __init__(self, held: HeldOut) -> None:
        self.head, self.parts = held.head, held.parts
        self.X = np.concatenate([part.rows.X for part in held.parts])
        self.generator = np.random.default_rng(held.seed)
        own = own_weights([part.rows for part in held.parts])
        self.shares = None if own is None else own / lane_mean(own)

    def losses(self, slots: list[int], n: int) -> Array:
        """The mean loss in each of `n` repeats with the cells of these slots shuffled."""
        orders = [self.generator.permutation(len(self.X)) for _ in range(n)]
        found, start = [], 0
        for part in self.parts:
            here = slice(start, start + len(part.rows.X))
            rows = np.concatenate([self._with(here, slots, order) for order in orders])
            found.append(self._row_losses(part, rows, n))
            start = here.stop
        each = np.concatenate(found, axis=1).T
        return np.asarray(tree_mean(each if self.shares is None else each * self.shares[:, None]))

    def _with(self, here: slice, slots: list[int], order: Array) -> Array:
        rows = self.X[here].copy()
        rows[:, slots] = self.X[order[here]][:, slots]
        return rows

    def _row_losses(self, part: Part, X: Array, n: int) -> Array:
        """The losses of the rows of one part, repeated `n` times, shape (n, rows)."""
        outputs = [self.head.predict(network.outputs(X)) for network in part.networks]
        answers = np.asarray(lane_mean(np.stack(outputs, dtype=np.float64)))
        y = part.rows.y
        return _row_losses(self.head, answers, np.concatenate([y] * n)).reshape(n, len(y))


def _row_losses(head: Head, answers: Array, y: Array) -> Array:
    """Log losses, or errors, squared or of a quantile, in the target's own units."""
    if isinstance(head, ClassHead):
        return -np.asarray(log(np.maximum(answers[np.arange(len(y)), y], LEAST)))
    errors = head.units.back(answers) - head.units.back(y)
    if not head.has_distributions:
        (level,) = head.levels
        return np.asarray(lane_mean(np.maximum((1 - level) * errors, -level * errors).T))
    return np.asarray(lane_mean(np.square(errors).T))
