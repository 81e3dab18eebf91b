"""Predictions of a block of rows, for which all but the rows stands ready.

Most of the time of a single row would otherwise be Python's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from thinnet.arrays import Array, Features
from thinnet.engine import data_layout, workspace
from thinnet.engine.launch import ALONE, Team, call
from thinnet.engine.panel_keeping import Way
from thinnet.engine.records import PLACES, ROUND, WORK
from thinnet.engine.workspace import Workspace

SHARD_ROWS: Final = 240
READY_ROWS: Final = 16  # for whose outputs memory waits
# All fields of records are 8 bytes long, and integers are set faster than fields.
_DIRECT, _OUTPUTS = list(WORK.fields or ()).index("direct"), PLACES["outputs"]
_STOP, _ROWS, _PACKS = map(list(ROUND.fields or ()).index, ("stop", "rows", "packs"))


class OneBlock:
    """The record of a program and a round of it, as they stand before a call.

    Parameters
    ----------
    program : its memory is used, its record left alone
    noise : limits and levels
    out : the shape of a row of output
    """

    def __init__(
        self, program: Workspace, noise: Mapping[str, Array], out: Features, dtype: np.dtype
    ) -> None:
        self._program, self._like = program.again(), dtype.type(0)
        self._source, rounds = data_layout.no_rows(), np.zeros(1, ROUND)
        self._waiting = np.zeros((READY_ROWS, *out), dtype)
        self._program.put({"source": self._source, "starts": None, "rounds": rounds, **noise})
        self._work, self._round = self._program.record.view(np.int64), rounds.view(np.int64)
        self._there = workspace.address(self._waiting)  # of a few rows

    def outputs(self, X: Array, way: Way, team: Team) -> Array:
        """Of the rows of X, by `team` if they are many."""
        n, work, this = len(X), self._work, self._round
        X = data_layout.write_rows(X, self._like.dtype, self._source)  # it must live on
        work[_DIRECT], this[_PACKS] = way is Way.DIRECT, way is Way.PACKED
        this[_STOP] = this[_ROWS] = n
        if n <= READY_ROWS:
            work[_OUTPUTS] = self._there
            call(ALONE, 1, self._program, self._like)
            return self._waiting[:n].copy()
        out = np.empty((n, *self._waiting.shape[1:]), self._like.dtype)
        self._program.put({"outputs": out})
        call(team if n > SHARD_ROWS else ALONE, 1, self._program, self._like)
        self._program.forget("outputs")
        return out
