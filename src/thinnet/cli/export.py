"""`thinnet export`: a model as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thinnet.cli.common import Force, one_sentence, say
from thinnet.cli.models import Model, loaded


def export(
    model: Model,
    out: Annotated[Path, typer.Argument(help="Where the ONNX file goes.")],
    force: Force = False,
) -> None:
    """Write a model as ONNX, columns included where they allow it."""
    with one_sentence(f"the model {model}"):
        from thinnet.commands import places
        from thinnet.export import export_onnx

        places.check("OUT", out, places.ONNX, {"MODEL": model}, force)
        export_onnx(loaded(model), out)
        say(f"ONNX: {out}")
