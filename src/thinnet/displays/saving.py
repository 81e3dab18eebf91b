"""Saving figures to files, complete or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Final

from thinnet.atomic import replacing

WRITER: Final[dict[str, dict[str, Any]]] = {  # the mark of our pictures; without the time
    "png": {"Software": "thinnet"},
    "svg": {"Creator": "thinnet", "Date": None},
    "pdf": {"Creator": "thinnet", "CreationDate": None},
}
MARKS: Final = {
    "png": b"Software\0thinnet",
    "svg": b"<dc:title>thinnet</dc:title>",
    "pdf": b"/Creator (thinnet)",
}
FORMATS: Final = tuple(WRITER)
DPI: Final = 200


def save_figure(figure: Any, path: str | os.PathLike[str], dpi: int = DPI) -> Path:
    """Save a matplotlib figure at `path`, in the format that its end names.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path
        Ends in .png, .svg, .pdf or another format of matplotlib; an old file there is replaced
        when the new one is complete.
    dpi : int, default=200
        Dots per inch, for formats with dots.

    Raises
    ------
    OSError
        If writing fails; the error names the file, and an old file is untouched.
    """
    where, picture = Path(path), io.BytesIO()
    kind = _kind(where)
    figure.savefig(picture, dpi=dpi, format=kind, metadata=WRITER.get(kind))
    with replacing(where) as file:
        file.write(picture.getbuffer())
    return where


def is_saved_figure(path: Path) -> bool:
    """Whether `save_figure` wrote the file."""
    kind = _kind(path)
    return kind in MARKS and MARKS[kind] in path.read_bytes()


def _kind(path: Path) -> str:
    return path.suffix[1:].lower()
