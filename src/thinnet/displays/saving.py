"""Figures into files, complete or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from thinnet.atomic import replacing


def save_figure(figure: Any, path: str | os.PathLike[str], **settings: Any) -> Path:
    """Save a matplotlib figure at `path`, in the format that its end names.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path
        Ends in .png, .svg, .pdf or another format of matplotlib's; a file that stands there is
        replaced when the new one is complete.
    **settings
        For `savefig`: `dpi`, 120 by default, and others.

    Raises
    ------
    OSError
        If writing fails; it names the file, and what stood there is untouched.
    """
    where, drawn = Path(path), io.BytesIO()
    figure.savefig(drawn, **({"dpi": 120, "format": where.suffix[1:]} | settings))
    with replacing(where) as file:
        file.write(drawn.getbuffer())
    return where
