"""Every number of a trace follows from its formula, on any network, in every kind of pass."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from random_networks import problems, thin_chains

import thinnet
from thinnet import (
    SGD,
    Adam,
    AdamW,
    ColumnEncoding,
    Columns,
    ConcreteDropout,
    Dense,
    FixedMasks,
    Network,
    ReLU,
    Run,
    train,
)

FEW = 6  # rows: each number has a formula of its own
RUNS = {
    "train": lambda step, ids: Run.train(step, ids),
    "sample": lambda step, ids: Run.sample(step, ids, seed=3),
    "predict": lambda step, ids: Run.predict(),
}
KINDS = pytest.mark.parametrize("kind", RUNS)


def of_few(problem):
    return dataclasses.replace(problem, rows=FEW, batch_size=FEW, accumulate=1, kind="float64")


@KINDS
@pytest.mark.parametrize("chains", [None, thin_chains], ids=["any", "thinned"])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_formula_holds(chains, kind, data):
    problem = of_few(data.draw(problems() if chains is None else problems(chains)))
    network = problem.network("reference")
    before = [vector.copy() for vector in network.vectors]
    X, y = problem.data()
    given = problem.settings()
    run = RUNS[kind](data.draw(st.integers(0, 2**32 - 1)), given.get("samples", np.arange(FEW)))
    found = thinnet.trace(
        network, X, y, run=run, optimizer=problem.optimizer, loss=problem.loss,
        sample_weight=given.get("sample_weight"),
    )  # fmt: skip
    assert found.check(1e-12) > 0
    for vector, kept in zip(network.vectors, before, strict=True):
        assert_array_equal(vector, kept)


TABLE = (
    ColumnEncoding(bins=4, values=1, categories=2, means=(0.9, 0.5, 0.3, 0.1, 0.2, 0.4)),
    ColumnEncoding(categories=5),
)


@KINDS
@pytest.mark.parametrize("share", [None, "batch"])
def test_formulas_of_columns_hold(share, kind):
    layers = [Columns(TABLE, Dense(5, l2=0.01), 0.3, share), ReLU(), Dense(3)]
    network = Network(layers, 4, seed=0, dtype=np.float64)
    rng = np.random.default_rng(1)
    positions, values = rng.uniform(0, 4, FEW), rng.normal(size=FEW)
    codes = rng.integers(0, 3, FEW), rng.integers(0, 6, FEW)
    X = np.stack([positions, values, *codes], axis=1).astype(float)
    run = RUNS[kind](7, np.arange(FEW))
    found = thinnet.trace(network, X, rng.integers(3, size=FEW), run=run, optimizer=AdamW())
    assert found.check(1e-12) > 0


@KINDS
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(), AdamW()], ids=lambda of: type(of).__name__)
@pytest.mark.parametrize(
    "first",
    [
        ConcreteDropout(Dense(5, l1=0.01), rate=0.3, weight_penalty=0.1, rate_penalty=0.2),
        FixedMasks(0.4, n_masks=3),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_formulas_of_layers_that_stand_alone_hold(first, optimizer, kind):
    network = Network([first, ReLU(), Dense(3)], 4, seed=0, dtype=np.float64)
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(FEW, 4)), rng.integers(3, size=FEW)
    run = RUNS[kind](7, np.arange(FEW))
    assert thinnet.trace(network, X, y, run=run, optimizer=optimizer).check(1e-12) > 0


@pytest.mark.parametrize("names", ["layers", "losses", "optimizers"])
def test_all_of_ours_explain_their_numbers(names):
    room = getattr(__import__(f"thinnet.{names}"), names)
    of_ours = [
        found
        for name in room.__all__
        if isinstance(found := getattr(room, name), type) and _has_numbers(found)
    ]
    assert of_ours
    assert [found.__name__ for found in of_ours if not hasattr(found, "explain")] == []


def _has_numbers(found):
    marks = ("forward", "rows", "start")
    return dataclasses.is_dataclass(found) and any(hasattr(found, mark) for mark in marks)


@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), Adam(0.01)])
def test_an_update_is_that_of_a_training(optimizer):
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(8, 3)), rng.integers(2, size=8)
    layers = [Dense(4, l2=0.1, max_norm=0.5), ReLU(), thinnet.Dropout(0.5), Dense(2)]
    network, same = (
        Network(layers, 3, seed=1, dtype=np.float64, executor="reference") for _ in range(2)
    )
    found = thinnet.trace(network, X, y, optimizer=optimizer)
    train(same, X, y, optimizer=optimizer, batch_size=None, epochs=1, clean_rows=0, progress=False)
    for i in (0, 3):
        limited = "limited_W0" if i == 0 else "W3+"
        np.testing.assert_allclose(found.array(limited), same.sites[i].p.W, rtol=1e-12)
        np.testing.assert_allclose(found.array(f"b{i}+"), same.sites[i].p.b, rtol=1e-12)


def test_a_formula_that_does_not_hold_is_found():
    network = Network([Dense(2)], 2, seed=0, dtype=np.float64)
    found = thinnet.trace(network, [[1.0, 2.0]])
    found.quantities[-1].values[0, 1] += 1e-9
    with pytest.raises(AssertionError, match=r"y0\[0, 1\] is"):
        found.check()
