"""The records that compiled code gets: rows of tables, and one that says where everything lies.

A class says which fields a record has, for readers and for mypy; compiled code sees the structured
dtype that `layout` makes of it, and gets the address of such a record where the class is named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias, get_type_hints

import numpy as np

from thinnet.engine.aliases import Address
from thinnet.engine.opcodes import NO_PLACE

FIELDS: Final = {int: np.int64, float: np.float64, np.uint64: np.uint64}


def layout(record: type) -> np.dtype:
    """The dtype of a record, its fields in the order in which they are declared."""
    return np.dtype([(name, FIELDS[kind]) for name, kind in get_type_hints(record).items()])


@dataclass
class Drawing:
    """How masks or other noise are drawn."""

    rate: int = 0  # the number of the rate, by which its limit and levels are found
    stream: int = 0
    n_drawn: int = 0  # numbers of a row
    map: int = NO_PLACE  # where `maps` says which draw serves a unit


@dataclass
class Operation(Drawing):
    kind: int = 0
    layer: int = 0  # of the network, for messages
    n_in: int = 0  # numbers of a row before
    n_out: int = 0  # and after
    stride_in: int = 0  # numbers from one row to the next
    stride_out: int = 0
    x: int = 0  # column of the activations at which the input starts
    y: int = 0  # and the output
    dx: int = 0  # the same of the gradients; NO_PLACE if nobody needs it
    dy: int = 0
    forward_panels: int = NO_PLACE  # where W lies as products read it
    backward_panels: int = NO_PLACE
    squares: int = 0  # where the squares of the gradient's rows begin
    weights: int = NO_PLACE  # place in theta: W, or gamma
    bias: int = NO_PLACE  # b, or beta
    state: int = NO_PLACE  # places in the network's state
    counters: int = NO_PLACE
    statistics: int = 0  # where a normalisation keeps its numbers
    activation: int = 0
    by_input: int = 0  # is its slope computed from the input?
    noise: int = 0
    shifts: int = 0  # does the noise move what is kept?
    shared: int = 0  # one mask for all rows?
    side_in: int = 0  # what decides over the presence of inputs
    side_out: int = 0  # and of outputs
    thin_in: int = 0  # are absent inputs left out of the rows?
    thin_out: int = 0  # are absent outputs?
    compresses: int = 0  # takes whole rows and gives thin ones
    sparse: int = 0  # reads the data's rows as they are stored, entry by entry
    lookups: int = 0  # reads rows of a table, of so many slots
    n_terms: int = 0  # of a product; n_in but for lookups
    dropped: int = 0  # DropConnect: weights are seen through a mask
    groups: int = 0  # a softmax over each; positions of a BatchNorm
    n_units: int = 0  # of each group
    code: int = 0  # of a loss
    a: float = 0.0  # the setting of an activation or a loss
    l1: float = 0.0
    l2: float = 0.0
    bias_l1: float = 0.0
    bias_l2: float = 0.0
    max_norm: float = math.inf
    epsilon: float = 0.0
    momentum: float = 0.0


@dataclass
class Governor(Drawing):
    """A dropout with one mask for the batch that decides over a side."""

    side: int = 0


@dataclass
class Stage:
    kind: int
    first: int  # of its instructions, tasks or sides
    last: int


@dataclass
class Instruction:
    operation: int
    direction: int


@dataclass
class Task:
    """Some units of an operation."""

    operation: int
    low: int
    high: int


class Round:
    """One pass over some rows, and in training what is done with its gradient."""

    number: int  # among those of one call, from 0
    start: int  # of the rows in the data's order
    stop: int
    rows: int  # how many these are
    step: int  # of the masks
    count: int  # optimiser steps before this one
    out: int  # where outputs start
    piece: int  # of the step's batch, from 0
    finishes: int  # a step?
    packs: int  # weights anew, as they have changed since the round before?
    repacks: int  # weights once they are updated, for the round behind?
    learning_rate: float
    total: float  # the sum of the weights of the step's rows
    penalised: float  # what penalties are multiplied by
    loss: float  # written


class Arrays:
    """Where all that a program works on begins."""

    operations: Address
    stages: Address
    instructions: Address
    tasks: Address
    governors: Address
    maps: Address  # int32: which draw serves a unit, where axes share
    widths: Address  # of sides
    settings: Address  # of the optimiser
    theta: Address
    gradient: Address
    nodes: Address  # gradients of some pieces that wait to be joined, one behind the other
    state: Address
    first: Address
    second: Address
    good: Address  # gets a copy of theta before round number `copied`
    seen: Address  # biases as thinned operations see them
    panels: Address  # weights as products read them
    # What exists of the inputs and outputs of layers, a row for each side; side 0 is all there.
    present: Address
    index: Address
    count: Address
    chance: Address
    cuts: Address  # how many units of a side are below each multiple of a block
    ones: Address  # bytes
    every: Address  # bits, all set
    activations: Address
    slopes: Address
    statistics: Address
    row_loss: Address
    squares: Address  # the sum of the squares of each row of the gradient
    scratch: Address  # a row for each thread, as of the next three
    drawn: Address
    samples: Address
    bits: Address
    slots: Address  # int32: of each slot of a row of a table (`lookups`)
    means: Address  # of the inputs that slots stand for
    terms: Address  # int32: which terms the rows of a round have, and by what these are multiplied
    factors: Address
    row_terms: Address  # and how many, int64
    kept: Address  # the keep bits of sparse rows, where their entries stand
    shared: Address  # `kernels.team`, then the number of the first round that went wrong
    source: Address  # of the data, as the next six
    starts: Address
    labels: Address
    targets: Address
    weights: Address
    quantiles: Address  # the level of each output, of a loss that has some
    ids: Address
    order: Address
    outputs: Address
    rounds: Address
    limits: Address
    levels: Address


class Work(Arrays):
    """All that one call of the driver works on."""

    n_theta: int
    copied: int
    n_stages: int
    n_governors: int
    n_squares: int
    n_rates: int
    n_targets: int
    side_width: int
    scratch_size: int
    drawn_size: int
    bits_size: int
    wrong: int  # the place in `shared` behind the team's
    n_cuts: int  # of each side
    most_terms: int  # of a row of a table; 0 where rows are no tables
    direct: int  # are products made with weights as they stand in theta?
    optimizer: int
    capacity: int
    shard_rows: int
    learns: int
    keeps_gradient: int
    k0: np.uint64  # the seed
    k1: np.uint64
    clip_norm: float


Record: TypeAlias = Operation | Governor | Stage | Instruction | Task  # that stand in tables

OPERATION: Final = layout(Operation)
GOVERNOR: Final = layout(Governor)
STAGE: Final = layout(Stage)
INSTRUCTION: Final = layout(Instruction)
TASK: Final = layout(Task)
ROUND: Final = layout(Round)
WORK: Final = layout(Work)
PLACES: Final = {name: i for i, name in enumerate(layout(Arrays).names or ())}  # in the record
