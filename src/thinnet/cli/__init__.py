"""The command `thinnet`: it reads options and prints; all logic is elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from thinnet._version import __version__
from thinnet.cli import evaluate, export, fit, predict, show, tracing
from thinnet.cli.common import one_sentence, say, screen, unwrapped

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train neural networks that generalise, with dropout as a first-class thing.",
    epilog="Exit codes: 0 done, 1 failed or refused (data, files, memory), 2 misused, 130 Ctrl-C.",
)
COMMANDS = (
    fit.fit, predict.predict, evaluate.evaluate, tracing.trace, show.show, export.export,
)  # fmt: skip
for command in COMMANDS:
    app.command(help=unwrapped(command.__doc__))(command)


def _version(shown: bool) -> bool:
    if shown:
        say(f"thinnet {__version__}")
        raise typer.Exit
    return shown


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train neural networks that generalise, with dropout as a first-class thing."""


@app.command()
def info() -> None:
    """Say what this machine has: processor, matrix products, threads, types, cache folder."""
    with one_sentence():
        from thinnet.engine.info import info as found

        for name, value in found().items():
            screen.print(f"{name:13} {value}", highlight=False, soft_wrap=True, markup=False)
