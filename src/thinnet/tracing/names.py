"""Which number has which name: by place, as W1[2, 0], or as on paper, as w5."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np

from thinnet.arrays import Ids
from thinnet.checks import quoted
from thinnet.formulas.naming import Name, text
from thinnet.formulas.quantities import Place, Quantity
from thinnet.formulas.trees import Index
from thinnet.layers import Dense, Layer

UNITS: Final = "ohgfedc"  # of layers with weights, from the last one back
Words: TypeAlias = tuple[str, np.ndarray]
ON_PAPER: Final = re.compile(  # dE/dw5, m_hat_b2+, net_h1[3]
    r"(?P<before>dE/d|\w+_(?=[a-z]))??(?P<word>net_[a-z]|[a-z])(?P<count>\d+)(?P<mark>\+?)"
    r"(?:\[(?P<row>\d+)\])?"
)
PLACE: Final = re.compile(r"(?P<array>[^\[\]]+)\[(?P<place>\d+(?:, ?\d+)*)\]")


class PlaceNames:
    """Names by place; along rows the place is the row's id.

    Parameters
    ----------
    quantities : sequence of Quantity
    ids : array
        The ids of the rows.
    """

    def __init__(self, quantities: Sequence[Quantity], ids: Ids) -> None:
        self._ids = ids
        self._row_of = {int(sample): row for row, sample in enumerate(ids)}
        self._by_key = {text(q.key): q for q in quantities}

    def name(self, quantity: Quantity, index: Index) -> Name:
        if not index:
            return quantity.key
        place = tuple(map(str, self._shown(quantity, index)))
        key = quantity.key
        if key.of is not None:
            return key._replace(of=key.of._replace(place=place))
        return key._replace(place=place)

    def find(self, name: str) -> tuple[Quantity, Index]:
        """The number of that name; KeyError, with names that there are, for another."""
        if name in self._by_key:
            quantity = self._by_key[name]
            return quantity, () if quantity.values.ndim == 0 else None
        found = PLACE.fullmatch(name)
        quantity_or_none = self._by_key.get(found["array"]) if found else None
        if found is None or quantity_or_none is None:
            raise KeyError(f"no number is named {quoted(name)}, but there are {self._some()}")
        return quantity_or_none, self._index(quantity_or_none, name, found["place"])

    def _shown(self, quantity: Quantity, index: Place) -> Iterable[int]:
        own = quantity.by_rows and len(quantity.values) == len(self._ids)
        return (int(self._ids[index[0]]), *index[1:]) if own else index

    def _index(self, quantity: Quantity, name: str, place: str) -> Place:
        shown = tuple(int(part) for part in place.split(","))
        first = shown[0]
        if quantity.by_rows and len(quantity.values) == len(self._ids):
            first = self._row_of.get(first, -1)
        index = (first, *shown[1:])
        inside = len(index) == quantity.values.ndim and all(
            0 <= i < n for i, n in zip(index, quantity.shape, strict=False)
        )
        if not inside:
            shape = ", ".join(map(str, quantity.shape))
            raise KeyError(f"{quoted(name)} must lie in an array of shape ({shape})")
        return index

    def _some(self) -> str:
        return ", ".join(list(self._by_key)[:12])


class PaperNames(PlaceNames):
    """Names as in worked examples: w1, b1, i1, net_h1, h1, net_o1, o1, t1.

    Weights and biases are counted through the network, layer by layer and unit by unit.  The units
    of the last layer with weights are o1, o2, ..., those of the one before h1, h2, ..., of earlier
    ones g1, f1 and so on back to c1; what is earlier still is named by its place.  What stands
    before a unit's activation is its net input.  With more than one row a row's id stands in
    brackets: ``h1[3]``.
    """

    def __init__(self, quantities: Sequence[Quantity], ids: Ids, layers: Sequence[Layer]) -> None:
        super().__init__(quantities, ids)
        self._words = _paper_words(quantities, layers)

    def name(self, quantity: Quantity, index: Index) -> Name:
        if not index:
            return quantity.key
        key = quantity.key
        if key.of is None:
            return self._own(key, quantity, index) or super().name(quantity, index)
        found = self._own(key.of, quantity, index)
        return super().name(quantity, index) if found is None else key._replace(of=found)

    def find(self, name: str) -> tuple[Quantity, Index]:
        return self._of_paper(name) or super().find(name)

    def _of_paper(self, name: str) -> tuple[Quantity, Place] | None:
        found = ON_PAPER.fullmatch(name)
        if found is None:
            return None
        count = int(found["count"])
        for key, (word, numbers) in self._words.items():
            place = np.argwhere(numbers == count)
            if word == found["word"] and len(place):
                own = f"{found['before'] or ''}{key}{found['mark']}"
                return self._at(own, tuple(map(int, place[0])), found["row"])
        return None

    def _at(self, key: str, place: Place, sample: str | None) -> tuple[Quantity, Place] | None:
        """The number at a place behind the rows, of the only row or of that with an id."""
        quantity = self._by_key.get(key)
        if quantity is None or (sample is not None) != (quantity.by_rows and len(self._ids) > 1):
            return None
        if not quantity.by_rows:
            return quantity, place
        row = 0 if sample is None else self._row_of.get(int(sample))
        return None if row is None else (quantity, (row, *place))

    def _own(self, key: Name, quantity: Quantity, index: Place) -> Name | None:
        """The name on paper; of a moment or the like with that of its parameter below."""
        plain = key._replace(mark="")
        if (words := self._words.get(text(plain))) is not None:
            return self._counted(words, key.mark, quantity, index)
        if (words := self._words.get(key.below)) is None or not key.word:
            return None
        return key._replace(below=text(self._counted(words, "", quantity, index)))

    def _counted(self, words: Words, mark: str, quantity: Quantity, index: Place) -> Name:
        word, numbers = words
        below = str(numbers[index[1:] if quantity.by_rows else index])
        several = quantity.by_rows and len(self._ids) > 1
        place = (str(int(self._ids[index[0]])),) if several else ()
        if word.startswith("net_"):
            return Name("net", f"{word[4:]}{below}", place, mark=mark)
        return Name(word, below, place, mark=mark)


def _paper_words(quantities: Sequence[Quantity], layers: Sequence[Layer]) -> dict[str, Words]:
    """For the key of an array its word on paper and the number of each entry."""
    found = dict[str, Words]()
    by_key = {text(q.key): q for q in quantities if q.key.of is None}
    weighed = [i for i, layer in enumerate(layers) if _has_dense(layer)]
    if "x" in by_key:
        found["x"] = "i", _counted(by_key["x"].shape[1:], 1)
    if "t" in by_key and by_key["t"].values.ndim > 1:
        found["t"] = "t", _counted(by_key["t"].shape[1:], 1)
    weights = biases = 1
    for order, i in enumerate(weighed):
        W, b, net = (by_key[f"{word}{i}"] for word in "Wby")
        found[f"W{i}"] = "w", _counted(W.shape, weights)
        found[f"b{i}"] = "b", _counted(b.shape, biases)
        weights, biases = weights + W.values.size, biases + b.values.size
        from_end = len(weighed) - 1 - order
        if from_end >= len(UNITS):
            continue
        unit, units = UNITS[from_end], _counted(net.shape[1:], 1)
        activation = _activation(layers, i)
        found[f"y{i}"] = unit if activation is None else f"net_{unit}", units
        if activation is not None:
            found[f"y{activation}"] = unit, units
    return found


def _has_dense(layer: Layer) -> bool:
    return isinstance(getattr(layer, "dense", layer), Dense)


def _activation(layers: Sequence[Layer], i: int) -> int | None:
    """The place of the first activation function behind a layer with weights, before the next."""
    for j in range(i + 1, len(layers)):
        if _has_dense(layers[j]):
            return None
        if hasattr(layers[j], "weights_before"):
            return j
    return None


def _counted(shape: Sequence[int], first: int) -> np.ndarray:
    return np.arange(first, first + int(np.prod(shape, dtype=int))).reshape(tuple(shape))
