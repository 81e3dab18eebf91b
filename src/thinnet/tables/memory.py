"""The memory that a fit takes, estimated from some rows, and the memory that there is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.base import clone

from thinnet.engine.control_groups import OWN, ROOT, folders
from thinnet.layers.encodings import inputs_in
from thinnet.tables.columns.transformers import TOGETHER, bins
from thinnet.tables.efforts import hidden_widths
from thinnet.tables.reading.cells import Frame

ANYWAY: Final = "THINNET_IGNORE_MEMORY"  # if set to 1, a fit begins whatever the estimate is
SAMPLE_ROWS: Final = 2000
MANY_CELLS: Final = 2**20  # for fewer cells nothing is estimated
GIGA: Final = 1e9
TRAINED: Final = 16  # copies of a network's parameters while it is trained
LITTLE: Final = GIGA  # that parameters may take unasked


def check(estimator: Any, encoder: Any, some: Frame, rows: int, table_bytes: float) -> None:
    """Raise MemoryError if fitting `rows` rows like `some` takes more memory than there is.

    Parameters
    ----------
    estimator : TableClassifier or TableRegressor
        The estimator with its settings.
    encoder : TableEncoder
        An unfitted encoder.
    some : pandas.DataFrame
        Some rows without their target.
    rows : int
        The number of rows of the whole table.
    table_bytes : float
        The memory that the table itself has still to take.
    """
    if rows * some.shape[1] < MANY_CELLS or os.environ.get(ANYWAY) == "1":
        return
    width, inputs = encoded_sizes(encoder, some.iloc[:SAMPLE_ROWS], rows)
    needed = table_bytes + bytes_of_fit(estimator, rows, width, inputs)
    there = available()
    if needed > there:
        raise MemoryError(
            f"fit needs about {needed / GIGA:,.1f} GB for {rows:,} rows that become {width:,} "
            f"numbers each, there are {there / GIGA:,.1f} GB: take fewer rows, or an encoder of "
            f"fewer n_bins or max_categories; {ANYWAY}=1 tries it anyway"
        )


def check_inputs(estimator: Any, inputs: int) -> None:
    """Raise MemoryError if the parameters of the first layer take more memory than there is.

    Some rows don't show how many categories all of them have.
    """
    needed = _bytes_of_parameters(estimator, inputs)
    if needed <= LITTLE or os.environ.get(ANYWAY) == "1":
        return
    if needed > (there := available()):
        raise MemoryError(
            f"fit needs about {needed / GIGA:,.1f} GB for networks of {inputs:,} inputs, there are "
            f"{there / GIGA:,.1f} GB: take an encoder of fewer max_categories, or fewer units or "
            f"networks; {ANYWAY}=1 tries it anyway"
        )


def encoded_sizes(encoder: Any, some: Frame, rows: int) -> tuple[int, int]:
    """The slots that a row is encoded as and their inputs, if the others are like `some`."""
    like = clone(encoder)
    like.set_params(n_bins=bins(like.n_bins, rows))
    try:
        fitted = like.fit(some)
    except ValueError:  # these rows alone can't be encoded; the fit finds the reason in all rows
        return 0, 0
    return fitted.width, inputs_in(fitted.encodings_)


def bytes_of_fit(estimator: Any, rows: int, width: int, inputs: int) -> float:
    """The bytes that a fit takes at most, the table itself left out.

    Training: the table's slots, a copy for one network, and as much again to check it.  Encoding:
    the slots, a copy of the table, and five of the numbers that a transformer is fitted to.  A
    number has two slots.  Parameters of the first layer: `TRAINED` copies for the network that is
    trained, four for each.  This is for one network at a time; `room` says how many there may be.
    """
    slots, size = rows * width, np.dtype(estimator.dtype).itemsize
    training, encoding = 3 * size * slots, 8 * slots + 5 * 8 * min(slots // 2, TOGETHER)
    return float(max(training, encoding) + _bytes_of_parameters(estimator, inputs))


def _bytes_of_parameters(estimator: Any, inputs: int) -> float:
    units = [*hidden_widths(estimator), 1][0]
    size = np.dtype(estimator.dtype).itemsize
    return float(inputs * units * size * (TRAINED + 4 * estimator.n_networks))


def bytes_of_training(rows: int, parameters: int) -> int:
    """The bytes that the training of one network takes beside others'.

    Its rows, and as much again to check them; of parameters gradient, moments, the best ones, those
    to go back to, their average, and the panels of compiled code.
    """
    return 2 * rows + TRAINED * parameters


def room(bytes_of_one: int, most: int) -> int:
    """How many trainings, from 1 to `most`, half of the memory that there is has room for."""
    return max(int(min(available() / 2 / max(bytes_of_one, 1), most)), 1)


def available() -> float:
    """The bytes that this process may still take: by the machine, its group and its own limit."""
    return min(_of_machine(), _of_group(), _of_process())


def _of_machine() -> float:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    with suppress(OSError, ValueError, AttributeError):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return np.inf


def _of_group(root: Path = ROOT, own: Path = OWN) -> float:
    """The bytes that Linux's control groups leave, of either version, this one and its parents."""
    return min(map(_left_in, folders("memory", root, own)), default=np.inf)


def _left_in(folder: Path) -> float:
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):
            left = int((folder / limit).read_text("utf-8")) - int(
                (folder / used).read_text("utf-8")
            )
            return max(left + _cached(folder), 0.0)
    return np.inf


def _cached(folder: Path) -> int:
    """The bytes of cached file pages, which the system frees when memory is needed."""
    with suppress(OSError, ValueError):
        pairs = [line.split() for line in (folder / "memory.stat").read_text("utf-8").splitlines()]
        return int(dict(pairs).get("inactive_file", 0))
    return 0


def _of_process() -> float:
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text("utf-8").split()[0])
            return max(float(limit - pages * resource.getpagesize()), 0.0)
    return np.inf
