"""Tables as text, on paper and in notebooks."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console


def printable(text: str) -> str:
    """`text` with bytes of file names that are not UTF-8 written as escapes, such as \\udcff."""
    return text.encode(errors="backslashreplace").decode()


def as_text(shown: Any, width: int = 120) -> str:
    """The output of rich as plain text."""
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(shown)
    return console.file.getvalue()  # type: ignore[attr-defined]


def as_html(shown: Any, width: int = 120) -> str:
    """The output of rich as HTML, for a cell of a notebook."""
    console = Console(width=width, file=io.StringIO(), record=True, force_jupyter=False)
    console.print(shown)
    return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


def counted(n: int, noun: str) -> str:
    """A number with its noun, which is singular for 1."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
