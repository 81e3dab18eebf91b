"""Names of numbers, as one writes them: w5, net_o1, W1[2, 0], dE/dw5."""

from __future__ import annotations

from typing import Final, NamedTuple

GREEK: Final = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "eta", "lambda", "mu", "rho", "sigma"}
)


class Name(NamedTuple):
    """A letter or word, what stands below it, and a place in brackets.

    Attributes
    ----------
    word : str
        "w", "net", "eta"; Greek letters by their English names.
    below : str
        What stands behind the word, lower than it: "5", "o1"; empty for nothing.
    place : tuple of str
        Where the number stands in its array; empty for all of it.
    of : Name or None
        With this the name is of a derivative: ``d word / d of``.
    mark : str
        "+" for what stands there behind the step.
    """

    word: str
    below: str = ""
    place: tuple[str, ...] = ()
    of: Name | None = None
    mark: str = ""


def text(name: Name) -> str:
    """As in text and as a key of a trace: "w5", "net_o1", "W1[2, 0]", "dE/dw5"."""
    between = "_" if name.below and (len(name.word) > 1 or name.below[0].isalpha()) else ""
    place = f"[{', '.join(name.place)}]" if name.place else ""
    own = f"{name.word}{between}{name.below}{name.mark}{place}"
    return own if name.of is None else f"d{own}/d{text(name.of)}"


def latex(name: Name) -> str:
    word = _latex_word(name.word)
    below = ", ".join(
        part for part in (_latex_part(name.below), *map(_latex_part, name.place)) if part
    )
    own = f"{word}_{{{below}}}" if below else word
    own += f"^{{{name.mark}}}" if name.mark else ""
    return own if name.of is None else rf"\frac{{\partial {own}}}{{\partial {latex(name.of)}}}"


def _latex_word(word: str) -> str:
    if word in GREEK:
        return rf"\{word}"
    return word if len(word) == 1 else rf"\mathrm{{{escaped(word)}}}"


def _latex_part(part: str) -> str:
    return (
        part if part.isdigit() or len(part) == 1 else rf"\mathrm{{{escaped(part)}}}" if part else ""
    )


def escaped(words: str) -> str:
    """Words as LaTeX shows them."""
    table = {
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        **{sign: rf"\{sign}" for sign in "&%$#_{}"},
    }  # fmt: skip
    return "".join(table.get(sign, sign) for sign in words)
