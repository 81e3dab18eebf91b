"""The command `thinnet`, called within this process."""

from promises import done_within
from typer.testing import CliRunner

from thinnet.cli import app

FAST = ("--epochs", "1", "--networks", "1", "--hidden", "4")
CODES = (0, 1, 2)
SECONDS = 60  # that nothing may take


def thinnet_command(*arguments):
    """Exit code and output, on a screen of 200 columns; nothing but an exit may be raised."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def called(*arguments):
    """Exit code and output; anything but an exit, or one sentence beside it, is a fault."""
    with done_within(SECONDS, arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in CODES, result.output
    assert "Traceback" not in result.output
    if result.exit_code and "Usage: " not in result.output:
        output = [line for line in result.output.splitlines() if line.startswith("thinnet: ")]
        assert len(output) == 1, result.output
    return result.exit_code, result.output


def command(*arguments):
    return called(*arguments)[0]
