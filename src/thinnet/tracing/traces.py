"""`Trace`: one training step of a network with every number, its formula and its origin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from thinnet import atomic, checks
from thinnet.tracing.checking import checked
from thinnet.tracing.contents import Contents
from thinnet.tracing.numbers import Number
from thinnet.tracing.selecting import OneUnit
from thinnet.tracing.shown import document, html, plain

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderResult

TOLERANCES: Final = {"float64": 1e-12, "float32": 1e-4}


class Trace(Contents):
    """A step with all its numbers; made by `thinnet.trace`.

    ``print(t)`` shows it as text and rich's ``print(t)`` in colours, a notebook shows HTML.  Where
    more than 300 numbers would be shown, arrays of more than 16 are summarised.

    Attributes
    ----------
    sections : list of Section
        The parts of the step in their order: layers forward, the loss, layers backward, the update.
    network : Network
        A copy of the network, as it stands behind the step.
    quantities : list of Quantity
        The arrays, each once.

    Examples
    --------
    >>> import numpy as np
    >>> from thinnet import Dense, Dropout, Network, trace
    >>> network = Network([Dropout(0.5), Dense(1)], features=2, seed=0, dtype=np.float64)
    >>> network.sites[1].p.W[:] = [[2.0, -1.0]]
    >>> print(trace(network, [[3.0, 5.0]], step=0))
    forward
    <BLANKLINE>
    input
      x[0, 0] = 3
      x[0, 1] = 5
    <BLANKLINE>
    ...
    """

    def __getitem__(self, name: str) -> Number:
        """The number of a name, such as ``"dE/dW2[0, 1]"`` or on paper ``"dE/dw6"``."""
        checks.must(isinstance(name, str), "the name of a number", "text", name)
        quantity, index = self.names.find(name)
        if index is None:
            raise KeyError(f"{name} is an array of shape {quantity.shape}: name one of its numbers")
        return Number(quantity, index, self.names, self.digits)

    def array(self, name: str) -> np.ndarray:
        """All numbers of an array, by its name: ``"W2"``, ``"dE/dW2"``.

        Returns
        -------
        array
            A copy.
        """
        quantity, _ = self.names.find(name)
        return np.array(quantity.values)

    def unit(self, layer: int, unit: int) -> Trace:
        """All that has to do with one unit, of the rows that are shown.

        That is its weights, net input, mask, output, their derivatives and updates, in its layer
        and in those behind it that keep the units, and the weights that lead away from it.

        Parameters
        ----------
        layer : int
            The place in ``network.layers``, from 0.
        unit : int
            From 0.

        Returns
        -------
        Trace

        Raises
        ------
        ValueError
            If there is no such layer or unit.
        """
        last = len(self.network.layers) - 1
        checks.integer("layer", layer, 0, last)
        rows = self.of.rows if isinstance(self.of, OneUnit) else self.of
        of = OneUnit.of(rows, self.network, layer, unit)
        checks.integer("unit", unit, 0, of.units - 1)
        return Trace(self.sections, self.network, self.names, of)

    def check(self, tolerance: float | None = None) -> int:
        """Evaluate every formula again and hold it against forward, backward and update.

        Where the formulas of an array have more than 100,000 terms together, and the array has a
        matrix formula, that one alone is checked.

        Parameters
        ----------
        tolerance : float, optional
            The greatest difference, relative to numbers above 1; by default 1e-12 for a network in
            float64 and 1e-4 in float32.

        Returns
        -------
        int
            The number of formulas.

        Raises
        ------
        AssertionError
            If one differs from its number by more than `tolerance`.
        """
        allowed = TOLERANCES[str(self.network.dtype)] if tolerance is None else tolerance
        return sum(checked(quantity, self.names, allowed) for quantity in self.quantities)

    def to_frame(self) -> pd.DataFrame:
        """The numbers of the rows that are shown, one a line.

        Returns
        -------
        DataFrame
            With the columns name, value, formula, with_numbers, kind, phase, section, layer and
            unit.  Where arrays are summarised in print the two columns of formulas are empty.
        """
        import pandas as pd

        lines = [
            (
                one.name, one.value, *self._formulas(one), one.kind,
                section.phase, section.title, one.layer, one.unit,
            )
            for section in self.sections
            for one in self.numbers(section)
        ]  # fmt: skip
        heads = ["name", "value", "formula", "with_numbers", "kind", "phase", "section", "layer",
                 "unit"]  # fmt: skip
        return pd.DataFrame(lines, columns=heads).astype({"layer": "Int64", "unit": "Int64"})

    def _formulas(self, one: Number) -> tuple[str, str]:
        return ("", "") if self.is_long else (one.formula, one.with_numbers)

    def __str__(self) -> str:
        return plain.page(self).plain

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield plain.page(self)

    def _repr_html_(self) -> str:
        return html.fragment(self)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The trace as a page without scripts, in light or dark as the reader's screen is.

        Parameters
        ----------
        path : path, optional
            Where the page is written, atomically.

        Returns
        -------
        str
            The page.

        Raises
        ------
        ValueError
            If no file can be written at `path`.
        OSError
            If writing fails; what stood there stays.
        """
        found = html.page(self)
        if path is not None:
            atomic.write_atomically(path, found.encode())
        return found

    def latex(self) -> str:
        """A document for LaTeX with amsmath, each number a line of its own."""
        return document.document(self)
