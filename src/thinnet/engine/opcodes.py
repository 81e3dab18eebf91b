"""The numbers by which a program names what is to be done."""

from __future__ import annotations

from typing import Final

import numpy as np

# What an operation is.
GATHER, DENSE, ELEMENTWISE, BATCH_NORM, LAYER_NORM, SOFTMAX, LOSS, OUTPUT = range(8)

# What a stage is; between two stages all threads meet.
PREPARE, SEE, ROWS, STATISTICS, SUMS, GRADIENT, NORM, APPLY = range(8)

# Forward or backward; what an instruction of a stage over rows does with its operation.
FORWARD, BACKWARD = range(2)

# Activations of an elementwise operation.
IDENTITY, RELU, LEAKY, ELU, SELU, GELU, SILU, SOFTPLUS, TANH, SIGMOID = range(10)

# Noise of an elementwise operation, or of the rows that come in.
SILENT, MASK, TIMES_NORMAL, PLUS_NORMAL = range(4)

# Losses.
(
    CROSS_ENTROPY, BINARY, SQUARED, ABSOLUTE, HUBER, GAUSSIAN, POISSON,
) = range(7)  # fmt: skip

# Optimisers.
DESCENT, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM = range(6)

NOWHERE: Final = -1

INTEGERS: Final = (
    "kind",
    "layer",  # of the network, for messages
    "n_in", "n_out",  # numbers of a row before and after
    "x", "y",  # columns of the activations at which input and output start
    "dx", "dy",  # columns of the gradients; NOWHERE if nobody needs dx
    "weights", "bias",  # places in theta: W and b, gamma and beta; NOWHERE for none
    "state", "counters",  # places in the network's state
    "statistics",  # where a BatchNorm keeps its batch's numbers, 4 * n_out of them
    "activation", "by_input",  # is its derivative taken from the input?
    "noise", "rate", "stream", "shared", "map", "n_drawn",
    "side_in", "side_out",  # what decides over the presence of inputs and outputs
    "thin_in", "thin_out",  # are absent inputs or outputs left out of the rows?
    "compresses",  # takes whole rows and gives thin ones
    "dropped",  # DropConnect: weights are seen through a mask
    "groups", "n_units",  # a softmax over each group; positions and units of a BatchNorm
    "code",  # of a loss
)  # fmt: skip
REALS: Final = ("a", "l1", "l2", "bias_l1", "bias_l2", "max_norm", "epsilon", "momentum")
OPERATION: Final = np.dtype([*((n, np.int64) for n in INTEGERS), *((n, np.float64) for n in REALS)])

STAGE: Final = np.dtype([(n, np.int64) for n in ("kind", "first", "last")])
INSTRUCTION: Final = np.dtype([(n, np.int64) for n in ("operation", "direction")])
TASK: Final = np.dtype([(n, np.int64) for n in ("operation", "low", "high")])
# A shared dropout that has a say over a side, and its draws.
VOTE: Final = np.dtype([(n, np.int64) for n in ("side", "rate", "stream", "n_drawn", "map")])
