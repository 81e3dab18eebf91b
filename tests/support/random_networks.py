"""Random networks and problems, so well-conditioned that rounding stays rounding.

Where a gradient is 0 on paper it is rounding noise in fact, and Adam's division, BatchNorm's, or
the sign in an l1 penalty makes a step of that noise.  So what is normalised comes from tanh of a
wide layer, in batches of several rows, behind low rates; and weights with an l1 penalty meet SGD.
"""

import dataclasses
import warnings
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from oracles import unchecked_types

from thinnet import (
    ELU,
    GELU,
    SELU,
    SGD,
    AbsoluteError,
    Adagrad,
    Adam,
    AdamW,
    AlphaDropout,
    BatchNorm,
    BinaryCrossEntropy,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNLL,
    GaussianNoise,
    Huber,
    Identity,
    LayerNorm,
    LeakyReLU,
    Network,
    Pinball,
    Poisson,
    ReLU,
    RMSprop,
    Sigmoid,
    SiLU,
    Softmax,
    SoftmaxCrossEntropy,
    Softplus,
    SquaredError,
    Tanh,
    train,
)
from thinnet.schedules import Cosine, Linear

ACTIVATIONS = [
    ReLU(), LeakyReLU(0.1), LeakyReLU(-0.2), ELU(1.3), SELU(), GELU(), SiLU(), Softplus(), Tanh(),
    Sigmoid(), Softmax(), Identity(),
]  # fmt: skip
RATES = [0.0, 0.1, 0.3, 0.5, 0.9, 1.0]
KEEP_ZERO = [ReLU(), LeakyReLU(0.1), LeakyReLU(-0.2), ELU(1.3), SELU(), GELU(), SiLU(), Tanh()]
LOSSES = [
    SoftmaxCrossEntropy(), SoftmaxCrossEntropy(label_smoothing=0.1), BinaryCrossEntropy(),
    SquaredError(), AbsoluteError(), Huber(0.7), GaussianNLL(), Poisson(), Pinball((0.2, 0.7)),
]  # fmt: skip
PLAIN = [SGD(0.005), SGD(0.005, momentum=0.9), SGD(0.005, momentum=0.9, nesterov=True)]
OPTIMIZERS = [
    *PLAIN, SGD(Linear(0.01, 0.0, n_steps=5)), Adagrad(0.01, epsilon=1e-4), RMSprop(0.01),
    Adam(0.01), AdamW(0.01, weight_decay=0.1), Adam(Cosine(0.01, n_steps=9)),
]  # fmt: skip


def strided(x):
    """The same rows, every second number of an array's."""
    return np.repeat(x, 2, axis=-1)[..., ::2]


def unaligned(x):
    """The same rows, an odd number of bytes from where numbers of their type should stand."""
    y = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


KINDS = {  # of data: rows of one problem in several types and layouts
    "float64": lambda x: x,
    "float32": lambda x: x.astype(np.float32),
    "Fortran": np.asfortranarray,
    "strided": strided,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "unaligned": unaligned,
    "big-endian": lambda x: x.astype(">f8"),
    "int64": lambda x: x.round().astype(np.int64),
    "int16": lambda x: x.round().astype(np.int16),
    "int8": lambda x: x.round().astype(np.int8),
    "uint8": lambda x: np.abs(x).round().astype(np.uint8),
    "uint16": lambda x: np.abs(x).round().astype(np.uint16),
    "int32": lambda x: x.round().astype(np.int32),
    "uint32": lambda x: np.abs(x).round().astype(np.uint32),
    "uint64": lambda x: np.abs(x).round().astype(np.uint64),
    "bool": lambda x: x > 0,
    "float16": lambda x: x.astype(np.float16),
}


@dataclasses.dataclass
class Problem:
    """A network to be and what it is trained on; arrays are made when they are asked for."""

    layers: list
    features: int | tuple[int, ...]
    loss: Any
    optimizer: Any
    rows: int
    batch_size: int
    accumulate: int = 1
    clip_norm: float | None = None
    kind: str = "float64"
    weighted: bool = False
    named: bool = False  # rows have ids of their own
    seed: int = 0
    dtype: type = np.float64

    def network(self, executor=None):
        with warnings.catch_warnings():  # of an order of layers that is meant here
            warnings.simplefilter("ignore")
            return Network(
                self.layers, self.features, seed=self.seed, dtype=self.dtype, executor=executor
            )

    def data(self):
        rng = np.random.default_rng(self.seed)
        shape = (self.features,) if isinstance(self.features, int) else self.features
        X = KINDS[self.kind](rng.normal(size=(self.rows, *shape)))
        return X, targets(self.loss, self.rows, getattr(self.layers[-1], "units", shape[-1]), rng)

    def settings(self):
        rng = np.random.default_rng(self.seed + 1)
        names = ("loss", "optimizer", "batch_size", "accumulate", "clip_norm")
        found = {name: getattr(self, name) for name in names}
        if self.weighted:
            found["sample_weight"] = rng.random(self.rows)
        if self.named:
            found["samples"] = rng.integers(2**32 - 2, size=self.rows)
        return found | {"epochs": 2, "clean_rows": 5, "progress": False}


def targets(loss, rows, outputs, rng):
    if isinstance(loss, SoftmaxCrossEntropy):
        shares = rng.random((rows, outputs))
        soft = shares / shares.sum(axis=1, keepdims=True)
        return soft if rng.random() < 0.4 else rng.integers(outputs, size=rows)
    if isinstance(loss, BinaryCrossEntropy):
        return rng.random((rows, outputs))
    if isinstance(loss, Poisson):
        return rng.integers(5, size=(rows, outputs)).astype(float)
    halves = isinstance(loss, GaussianNLL | Pinball)
    return rng.normal(size=(rows, outputs // 2 if halves else outputs))


class Seen:
    """What a training run computes on its way; gradients only if each step is to be seen."""

    def __init__(self):
        self.outputs, self.gradients = [], []

    def on_epoch_end(self, training):
        self.outputs.append(training.outputs.copy())


class SeenInSteps(Seen):
    def on_step_end(self, training):
        self.gradients.append(training.network.gradient.copy())


class Trained(NamedTuple):
    network: Network
    history: Any
    seen: Seen


def trained(problem, executor=None, watched=False):
    network, seen = problem.network(executor), SeenInSteps() if watched else Seen()
    with unchecked_types():
        history = train(network, *problem.data(), **problem.settings(), callbacks=[seen])
    return Trained(network, history, seen)


def assert_alike(found, wanted, tolerance):
    """The same training up to rounding: parameters, statistics, losses, outputs and gradients."""
    columns = ("loss", "penalty", "clean_loss")
    pairs = [(found.history[name], wanted.history[name]) for name in columns]
    pairs += zip(found.network.vectors[::2], wanted.network.vectors[::2], strict=True)
    pairs += zip(found.seen.outputs, wanted.seen.outputs, strict=True)
    pairs += zip(found.seen.gradients, wanted.seen.gradients, strict=True)
    assert found.network.clock == wanted.network.clock
    for one, other in pairs:
        atol = tolerance * max(1, np.abs(other).max(initial=0))
        assert_allclose(one, other, rtol=0, atol=atol)


# Strategies


def noises(rates, shares):
    rate, share = st.sampled_from(rates), st.sampled_from(shares)
    ways = st.sampled_from(["inverted", "classical"])
    dropout = st.builds(Dropout, rate, share=share, scaling=ways)
    return st.one_of(
        dropout,
        dropout,
        st.builds(AlphaDropout, rate, share=share),
        st.builds(GaussianDropout, st.sampled_from([0.0, 0.1, 0.3]), share=share),
        st.just(GaussianNoise(0.1)),
        st.builds(Dropout, st.just(Linear(0.0, max(rates) / 2, n_steps=7)), share=share),
    )


@st.composite
def dense(draw, widths, plain, rates=()):
    """A Dense layer with penalties and limits, now and then within a DropConnect."""
    l1 = st.sampled_from([0.0, 0.02]) if plain else st.just(0.0)
    layer = Dense(
        draw(widths),
        l1=draw(l1),
        l2=draw(st.sampled_from([0.0, 0.0, 0.02])),
        bias_l1=draw(l1),
        bias_l2=draw(st.sampled_from([0.0, 0.0, 0.01])),
        max_norm=draw(st.sampled_from([None, None, 0.8])),
    )
    rate = draw(st.sampled_from([None] * 9 + [*rates]))
    return layer if rate is None else DropConnect(layer, rate)


@st.composite
def starts(draw, normalised):
    """Rows of two axes, and the layers that they go through until they are flat."""
    features = draw(st.tuples(st.integers(3, 5), st.integers(4, 5)))
    norms = [[], [LayerNorm()], [BatchNorm()]] if normalised else [[], [LayerNorm()]]
    shares = [None] if normalised else [None, "batch"]
    axes = st.sampled_from([(), (0,), (-1,)])
    others = st.one_of(
        st.sampled_from([Softmax(), Tanh(), ReLU()]),
        st.builds(Dropout, st.just(0.3), share=st.sampled_from(shares), share_axes=axes),
        st.builds(GaussianDropout, st.just(0.2), share_axes=axes),
    )
    return features, [
        *draw(st.sampled_from(norms)),
        *draw(st.lists(others, max_size=2)),
        Flatten(),
    ]


@st.composite
def chains(draw, plain=False, tame=True, outputs=1, shares=(None, "batch")):
    """Layers, features, and whether rows must come in large batches."""
    normalised = draw(st.booleans())
    widths = st.integers(16, 40) if normalised else st.integers(1, 40)
    most = 0.3 if normalised else 1.0 if tame else 0.5
    rates = [rate for rate in RATES if rate <= most]
    flat = st.tuples(st.integers(12, 30) if normalised else st.integers(1, 30), st.just([]))
    features, layers = draw(st.one_of(flat, starts(normalised)))
    norms = st.sampled_from(
        [[]] * 2 + [[Tanh(), BatchNorm()], [Tanh(), BatchNorm(momentum=0.0)], [Tanh(), LayerNorm()]]
        if normalised
        else [[]]
    )
    activation = st.lists(st.sampled_from(ACTIVATIONS), max_size=2)
    noise = st.lists(noises(rates, shares), max_size=2)
    layers = [*layers, *draw(st.lists(noises(rates, shares), max_size=1))]
    for _ in range(draw(st.integers(0, 3))):
        layers += [draw(dense(widths, plain, rates)), *draw(norms), *draw(activation), *draw(noise)]
    return [*layers, Dense(outputs, l2=0.01)], features, normalised


@st.composite
def thin_chains(draw, plain=False, tame=True, outputs=1):
    """Chains in which dropouts shared by the batch stand between Dense layers, and before them."""
    normalised = draw(st.booleans())
    widths = st.integers(16, 40) if normalised else st.integers(1, 40)
    most = 0.3 if normalised else 1.0 if tame else 0.5
    rates = st.sampled_from([rate for rate in RATES if 0 < rate <= most])
    shared = st.builds(
        Dropout, rates, share=st.just("batch"), scaling=st.sampled_from(["inverted", "classical"])
    )
    norms = st.sampled_from([[], [Tanh(), BatchNorm()]] if normalised else [[]])
    activation = st.lists(st.sampled_from(KEEP_ZERO), max_size=2)
    layers = draw(st.lists(shared, max_size=1))
    for _ in range(draw(st.integers(1, 3))):
        layers += [draw(dense(widths, plain)), *draw(norms), *draw(activation), draw(shared)]
        layers += draw(activation)
    features = draw(st.integers(12, 30) if normalised else st.integers(1, 30))
    return [*layers, draw(dense(st.just(outputs), plain))], features, normalised


@st.composite
def batches(draw, normalised):
    """Rows, batch size and micro-batches, for at most ten steps an epoch."""
    accumulate = draw(st.sampled_from([1, 1, 1, 2, 3]))
    if normalised:
        batch_size, n = draw(st.integers(8, 60)) * accumulate, draw(st.integers(1, 4))
        return {"rows": n * batch_size, "batch_size": batch_size, "accumulate": accumulate}
    rows = draw(st.integers(2, 300))
    least = max(1, -(-rows // 10))
    batch_size = draw(st.integers(least, rows))
    return {"rows": rows, "batch_size": batch_size, "accumulate": accumulate}


def n_outputs(loss):
    few = st.integers(1, 5)
    if isinstance(loss, GaussianNLL | Pinball):
        return few.map(lambda n: 2 * n)
    return few.map(lambda n: n + isinstance(loss, SoftmaxCrossEntropy))


def is_tame(loss):
    """Does its slope grow with the outputs at most as they do?"""
    return not isinstance(loss, GaussianNLL | Poisson)


@st.composite
def problems(draw, chains=chains, optimizers=OPTIMIZERS, dtype=np.float64):
    with unchecked_types():  # the checks draw from the global generator, which hypothesis minds
        return draw(unchecked_problems(chains, optimizers, dtype))


@st.composite
def unchecked_problems(draw, chains, optimizers, dtype):
    optimizer, loss = draw(st.sampled_from(optimizers)), draw(st.sampled_from(LOSSES))
    tame, outputs = is_tame(loss), draw(n_outputs(loss))
    plain = optimizer in PLAIN
    layers, features, normalised = draw(chains(plain=plain, tame=tame, outputs=outputs))
    # Slopes of a few sizes only may add up to 0 on paper too, unless rows have weights: where all
    # inputs are dropped, a class with its even share of the rows has the gradient 0.
    few_sizes = isinstance(loss, AbsoluteError | Huber | Pinball | SoftmaxCrossEntropy | Poisson)
    return Problem(
        layers=layers,
        features=features,
        loss=loss,
        optimizer=optimizer,
        **draw(batches(normalised)),
        clip_norm=draw(st.sampled_from([None, None, 0.5])) if tame else 0.5,
        kind=draw(st.sampled_from(sorted(KINDS))),
        weighted=few_sizes or draw(st.booleans()),
        named=draw(st.booleans()),
        seed=draw(st.integers(0, 2**64 - 2)),
        dtype=dtype,
    )
