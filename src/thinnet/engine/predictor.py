"""Predictions and draws by compiled code, block by block."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np

from thinnet.arrays import Array, Ids
from thinnet.engine import data_layout, rates
from thinnet.engine import opcodes as code
from thinnet.engine.data_layout import Data
from thinnet.engine.launch import CHUNK_SECONDS, call, team_for
from thinnet.engine.lowered import Bound, Pass
from thinnet.engine.lowering import lower
from thinnet.engine.one_block import SHARD_ROWS, OneBlock
from thinnet.engine.panel_keeping import FEW, MANY, KeptPanels, Way
from thinnet.engine.program import Builder, forward_stages
from thinnet.engine.records import ROUND, Operation
from thinnet.engine.workspace import Workspace, put_stages, workspace_of
from thinnet.passes import Run

NO_IDS: Final = np.zeros(1, np.uint32)
BLOCK_ROWS: Final = 1920  # that are in memory at once


class Predictor:
    """A network lowered for one kind of pass, with memory for a block of rows.

    What comes before the first noise is computed once for all draws of a block.  `sparse`: are rows
    read as they are stored (`sparse_input.pays`)?
    """

    def __init__(self, network: Bound, kind: Pass, rows: int, sparse: bool) -> None:
        self.network, self.rows = network, min(rows, BLOCK_ROWS)
        self._lowered = lower(network, kind, sparse)
        last = self._lowered.operations[-1]
        self._lowered.operations.append(
            Operation(kind=code.OUTPUT, n_in=last.n_out, n_out=last.n_out, x=last.y, y=last.y)
        )
        end, split = len(self._lowered.operations), self._lowered.first_noise
        self._team = team_for(self._lowered, self.rows, math.ceil(self.rows / SHARD_ROWS), 1)
        self._rest = self._workspace_for(forward_stages(self._lowered, split, end))
        self._start = self._rest.again() if split else None
        if self._start:
            put_stages(self._start, forward_stages(self._lowered, 0, split))
        few = 0 if self._lowered.encodings else FEW  # sums of weights are nowhere but in panels
        self._like, self._panels = network.dtype.type(0), KeptPanels(network.parameters, few)
        self._block: OneBlock | None = None
        if kind == "predict" and rates.is_constant(self._lowered.drawings.noisy):
            limits, levels = rates.limits_and_levels(
                self._lowered.drawings.noisy, [Run.predict()], network.dtype
            )
            noise = {"limits": limits, "levels": levels, "ids": NO_IDS}
            self._block = OneBlock(self._rest, noise, network.out, network.dtype)

    def takes(self, rows: int) -> bool:
        """Are so many rows no more than it was made for?"""
        return rows <= self.rows or self.rows == BLOCK_ROWS

    def _workspace_for(self, builder: Builder) -> Workspace:
        network = self.network
        vectors = {"theta": network.parameters.values, "state": network.state}
        nothing = np.zeros((0, 1), network.dtype)
        workspace = workspace_of(
            self._lowered, builder, vectors, nothing, self.rows, self._team.size
        )
        workspace.set(shard_rows=SHARD_ROWS, learns=0)
        return workspace

    def predict(self, X: Data) -> Array:
        """The outputs of the rows of X, dropout off."""
        n = X.shape[0]
        way = self._panels.way(n)
        if self._block and n <= self.rows and isinstance(X, Array):
            out = self._block.outputs(X, way, self._team)
        else:
            out = np.empty((n, *self.network.out), self.network.dtype)
            self._in_blocks(X, way, out)
        if way is Way.PACKED:
            self._panels.packed()
        return out

    def _in_blocks(self, X: Data, way: Way, out: Array) -> None:
        n = X.shape[0]
        self._rest.set(direct=way is Way.DIRECT)
        starts = range(0, n, self.rows)
        rounds = np.zeros(len(starts), ROUND)
        rounds["start"] = rounds["out"] = starts
        rounds["stop"] = np.minimum(rounds["start"] + self.rows, n)
        rounds["rows"] = rounds["stop"] - rounds["start"]
        rounds["packs"][0] = way is Way.PACKED
        with self._bound(X, NO_IDS, out):
            self._in_chunks(self._rest, rounds, [Run.predict()], lambda n: None)

    def sample(
        self,
        X: Data,
        ids: Ids,
        draws: Sequence[int],
        seed: int,
        out: Array,
        done: Callable[[int], None],
    ) -> None:
        """Write the outputs of each draw to ``out[i]``; tells `done` how many rows of draws.

        Parameters
        ----------
        draws : their numbers
        seed : of their masks
        out : array, shape (len(draws), rows, outputs)
        """
        n, way = X.shape[0], self._panels.way(MANY)  # drawn weights are nowhere but in panels
        self._rest.set(k0=seed & 0xFFFFFFFF, k1=seed >> 32)
        runs = [Run.sample(0)]  # rates are those after the last step, whatever the draw
        with self._bound(X, ids, out):
            for start in range(0, n, self.rows):
                stop = min(start + self.rows, n)
                rounds = np.zeros(len(draws), ROUND)
                rounds["start"], rounds["stop"], rounds["rows"] = start, stop, stop - start
                rounds["step"], rounds["out"] = draws, np.arange(len(draws)) * n + start
                rounds["packs"][0] = way is Way.PACKED and start == 0
                if self._start:
                    self._in_chunks(self._start, rounds[:1].copy(), runs[:1], lambda n: None)
                self._in_chunks(self._rest, rounds, runs, done)
        if way is Way.PACKED:
            self._panels.packed()

    @contextmanager
    def _bound(self, X: Data, ids: Ids, out: Array) -> Iterator[None]:
        """Within it compiled code knows of the rows; then their memory is let go."""
        arrays = {**data_layout.of_rows(X, self.network.dtype), "ids": ids, "outputs": out}
        workspaces = [workspace for workspace in (self._start, self._rest) if workspace]
        for workspace in workspaces:
            workspace.put(arrays)
        yield
        for workspace in workspaces:
            for name in arrays:
                workspace.forget(name)

    def _in_chunks(
        self, workspace: Workspace, rounds: Array, runs: Sequence[Run], done: Callable[[int], None]
    ) -> None:
        """All rounds, some in each compiled call so that an interrupt is heard."""
        limits, levels = rates.limits_and_levels(
            self._lowered.drawings.noisy, runs, self.network.dtype
        )
        if len(runs) == 1:
            limits = np.repeat(limits, len(rounds), axis=0)
            levels = np.repeat(levels, len(rounds), axis=0)
        first, n = 0, 1
        while first < len(rounds):
            part = slice(first, first + n)
            rounds["number"][part] = np.arange(len(rounds[part]))
            workspace.put({"rounds": rounds[part], "limits": limits[part], "levels": levels[part]})
            start, took = time.perf_counter(), len(rounds[part])
            call(self._team, took, workspace, self._like)
            seconds = max(time.perf_counter() - start, 1e-9)
            done(int(rounds["rows"][part].sum()))
            first, n = first + n, max(1, min(8 * n, int(CHUNK_SECONDS * n / seconds)))
