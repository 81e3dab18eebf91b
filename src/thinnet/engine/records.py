"""The records that compiled code gets: rows of tables, and one that says where everything lies."""

from __future__ import annotations

from typing import Any, Final

import numpy as np


def _fields(kind: Any, *names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names]


INTEGERS: Final = (
    "kind",
    "layer",  # of the network, for messages
    "n_in", "n_out",  # numbers of a row before and after
    "x", "y",  # columns of the activations at which input and output start
    "dx", "dy",  # columns of the gradients; NO_PLACE if nobody needs dx
    "weights", "bias",  # places in theta: W and b, gamma and beta; NO_PLACE for none
    "state", "counters",  # places in the network's state
    "statistics",  # where a BatchNorm keeps its batch's numbers, 4 * n_out of them
    "activation", "by_input",  # is its derivative taken from the input?
    "noise", "shifts", "rate", "stream", "shared", "map", "n_drawn",
    "side_in", "side_out",  # what decides over the presence of inputs and outputs
    "thin_in", "thin_out",  # are absent inputs or outputs left out of the rows?
    "compresses",  # takes whole rows and gives thin ones
    "dropped",  # DropConnect: weights are seen through a mask
    "groups", "n_units",  # a softmax over each group; positions and units of a BatchNorm
    "code",  # of a loss
)  # fmt: skip
REALS: Final = ("a", "l1", "l2", "bias_l1", "bias_l2", "max_norm", "epsilon", "momentum")
OPERATION: Final = np.dtype([*_fields(np.int64, *INTEGERS), *_fields(np.float64, *REALS)])

STAGE: Final = np.dtype(_fields(np.int64, "kind", "first", "last"))
INSTRUCTION: Final = np.dtype(_fields(np.int64, "operation", "direction"))
TASK: Final = np.dtype(_fields(np.int64, "operation", "low", "high"))
# A shared dropout that has a say over a side, and its draws.
VOTE: Final = np.dtype(_fields(np.int64, "side", "rate", "stream", "n_drawn", "map"))

# One pass over some rows, and in training what is done with its gradient.
ROUND: Final = np.dtype(
    [
        *_fields(np.int64, "start", "stop"),  # which of the data's order
        *_fields(np.int64, "rows"),  # how many these are
        *_fields(np.int64, "step"),  # of the masks
        *_fields(np.int64, "count"),  # optimiser steps before this one
        *_fields(np.int64, "out"),  # where outputs start
        *_fields(np.int64, "adds", "finishes"),  # to the gradient before it; a step
        *_fields(np.float64, "learning_rate"),
        *_fields(np.float64, "total"),  # the sum of the weights of the step's rows
        *_fields(np.float64, "penalised"),  # what penalties are multiplied by
        *_fields(np.float64, "loss"),  # written
    ]
)

# Addresses of arrays; 0 where there is none.
ADDRESSES: Final = (
    "operations", "stages", "instructions", "tasks", "votes",
    "maps",  # int32: which draw serves a unit, where axes share
    "widths",  # of sides
    "settings",  # of the optimiser
    "theta", "gradient", "state", "first", "second",
    "good",  # gets a copy of theta before round number `copied`
    "seen",  # parameters as thinned operations see them
    # What exists of the inputs and outputs of layers, a row for each side; side 0 is all there.
    "present", "index", "count", "chance",
    "ones",  # bytes
    "every",  # bits, all set
    "activations", "slopes", "statistics",
    "row_loss",
    "squares",  # of each task's gradient
    "scratch", "drawn", "samples", "bits",  # a row for each thread
    "shared",  # `kernels.team`, then the number of the first round that went wrong
    "source", "starts", "labels", "targets", "weights", "ids", "order",  # of the data
    "outputs",
    "rounds", "limits", "levels",
)  # fmt: skip
PLACES: Final = {name: i for i, name in enumerate(ADDRESSES)}  # in the record
NUMBERS: Final = (
    "n_theta", "copied",
    "n_stages", "n_votes", "n_squares", "n_rates", "n_targets",
    "side_width", "scratch_size", "drawn_size", "bits_size",
    "wrong",  # the place in `shared` behind the team's
    "tile",  # shards are cut between tiles of so many rows
    "piece",  # rows of one product forward; 0 for those of a shard
    "chain",  # `kernels.single`; 0 for never
    "optimizer", "capacity", "shard_rows", "learns", "keeps_gradient",
)  # fmt: skip
WORK: Final = np.dtype(
    [
        *_fields(np.int64, *ADDRESSES, *NUMBERS),
        *_fields(np.uint64, "k0", "k1"),  # the seed
        *_fields(np.float64, "clip_norm"),
    ]
)
