"""How much work is given to compiled code at once, and to how many threads."""

from __future__ import annotations

from typing import Final

from thinnet.engine import opcodes as code
from thinnet.engine.lowering import Lowered
from thinnet.engine.threads import n_threads

CHUNK_SECONDS: Final = 0.07  # of one compiled call, so that Ctrl-C and progress stay live
# Below so many nanoseconds a round is done by one thread.  Meeting costs about 1 us, but waking a
# sleeping thread up to 400 us on a virtual machine, and a call may be no longer than an epoch.
WORTH_A_TEAM: Final = 250_000
PER_PRODUCT, PER_NUMBER = 0.01, 0.5  # nanoseconds, roughly


def team_size(lowered: Lowered, rows: int, n_tasks: int, passes: int) -> int:
    """How many threads a round is worth; what it computes does not depend on it.

    `passes` counts products with each weight: one forward, three with the way back.
    """
    operations = lowered.operations
    products = sum(op["n_in"] * op["n_out"] for op in operations if op["kind"] == code.DENSE)
    numbers = sum(op["n_out"] for op in operations)
    cost = rows * passes * (products * PER_PRODUCT + numbers * PER_NUMBER)
    return min(n_threads(), n_tasks) if cost >= WORTH_A_TEAM else 1
