"""How a table file is written: its encoding, its marks, and whether names stand above it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from thinnet import checks

ENCODINGS: Final = ("utf-8", "utf-8-sig", "utf-16", "utf-32")
# The rarest in plain text first: equal counts of a rare mark in all lines are strong evidence.
DELIMITERS: Final = ("\t", "|", ";", ",")
DECIMALS: Final = (".", ",")


@dataclass(frozen=True, slots=True)
class Dialect:
    r"""How a table file is written, as found when it was read.

    A file is always looked at anew.  The dialect of the file that a model was fitted to settles
    what another file leaves open: equally regular delimiters, a decimal mark where no cell shows
    one, and, by its names, whether the first row is a header.

    Parameters
    ----------
    encoding : {"utf-8", "utf-8-sig", "utf-16", "utf-32"}
        In UTF-8, a byte that doesn't belong there is read as Windows-1252.
    delimiter : {",", ";", "|", "\\t"}
        Between two cells.
    decimal : {".", ","}
        Cells that are numbers with a decimal comma are handed on with a point.
    header : bool
        Whether the first row holds names; else the columns are named "0", "1", and so on.
    names : tuple of str
        Of the columns.

    Examples
    --------
    >>> Dialect(delimiter=";", decimal=",", names=("a", "b")).to_dict()["names"]
    ['a', 'b']
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    header: bool = True
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checks.one_of("encoding", self.encoding, ENCODINGS)
        checks.one_of("delimiter", self.delimiter, DELIMITERS)
        checks.one_of("decimal", self.decimal, DECIMALS)
        checks.boolean("header", self.header)
        plain = isinstance(self.names, tuple) and all(type(n) is str for n in self.names)
        checks.must(plain, "names", "a tuple of str", self.names)

    def to_dict(self) -> dict[str, Any]:
        """The dialect as plain values, for JSON."""
        return asdict(self) | {"names": list(self.names)}

    @classmethod
    def from_dict(cls, values: Any) -> Dialect:
        """The dialect that `to_dict` gave.

        Raises
        ------
        ValueError
            If a value is missing, unknown, or not as it should be.

        Examples
        --------
        >>> Dialect.from_dict(Dialect().to_dict()) == Dialect()
        True
        """
        wanted = {field.name for field in fields(cls)}
        fits = isinstance(values, dict) and values.keys() == wanted
        checks.must(fits, "a dialect", f"a dict of {', '.join(sorted(wanted))}", values)
        names = values["names"]
        return cls(**values | {"names": tuple(names) if isinstance(names, list) else names})
