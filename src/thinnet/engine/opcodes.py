"""The numbers by which a program names what is to be done."""

from __future__ import annotations

from typing import Final

# What an operation is.
GATHER, DENSE, ELEMENTWISE, BATCH_NORM, LAYER_NORM, SOFTMAX, LOSS, OUTPUT = range(8)

# What a stage is; between two stages all threads meet.
PREPARE, PACK, PACK_DRAWN, ROWS, STATISTICS, SUMS, GRADIENT, NORM, APPLY = range(9)

# Numbers of a row of a table: a position among bins, a number, a category's code.
POSITION, PLAIN, CATEGORY = range(3)

# Forward or backward; what an instruction of a stage over rows does with its operation.
FORWARD, BACKWARD = range(2)

# Activations of an elementwise operation.
IDENTITY, RELU, LEAKY, ELU, SELU, GELU, SILU, SOFTPLUS, TANH, SIGMOID = range(10)

# Noise of an elementwise operation, or of the rows that come in.
NO_NOISE, MASK, TIMES_NORMAL, PLUS_NORMAL = range(4)

# Losses.
(
    CROSS_ENTROPY, BINARY, SQUARED, ABSOLUTE, HUBER, GAUSSIAN, POISSON, PINBALL,
) = range(8)  # fmt: skip

# Optimisers.
DESCENT, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM = range(6)

NO_PLACE: Final = -1
