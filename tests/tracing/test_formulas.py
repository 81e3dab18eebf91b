"""Every number of a trace follows from its formula, on any network, in every kind of pass."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from random_networks import problems, thin_chains

from thinnet.tracing.stepping import trace

FEW = 6  # rows: each number has a formula of its own


def of_few(problem):
    return dataclasses.replace(problem, rows=FEW, batch_size=FEW, accumulate=1, kind="float64")


@pytest.mark.parametrize("chains", [None, thin_chains], ids=["any", "thinned"])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_formula_holds(chains, data):
    drawn = data.draw(problems() if chains is None else problems(chains))
    problem = of_few(drawn)
    network = problem.network("reference")
    before = [vector.copy() for vector in network.vectors]
    X, y = problem.data()
    step = data.draw(st.integers(0, 2**32 - 1))
    found = trace(network, X, y, step=step, optimizer=problem.optimizer, loss=problem.loss)
    with np.errstate(all="ignore"):
        assert found.check(1e-9) > 0
    for vector, kept in zip(network.vectors, before, strict=True):
        assert_array_equal(vector, kept)
