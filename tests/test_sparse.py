"""Sparse matrices mean what their dense twins do, are left alone, and never lead out of memory."""

import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sparse_forms
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse as scipy_sparse
from sparse_forms import FORMS, made, odd, plain

from thinnet import Dense, Dropout, MLPClassifier, Network, ReLU, train
from thinnet.sparse import own_rows

ODD = odd()
X, Y = plain(), np.arange(12) % 3


def network(dtype=np.float64):
    return Network([Dense(8), ReLU(), Dropout(0.3), Dense(3)], features=6, seed=1, dtype=dtype)


def trained(X):
    net = network()
    train(net, X, Y, epochs=2, batch_size=5, validation=(X, Y), progress=False)
    return net.theta


def parts_of(matrix):
    names = ("data", "indices", "indptr", "coords", "offsets", "rows", "_dict")
    return {name: copy.deepcopy(getattr(matrix, name, None)) for name in names}


def assert_same_parts(found, wanted):
    for name, part in wanted.items():
        if isinstance(part, np.ndarray) and part.dtype != object:
            assert found[name].dtype == part.dtype
            assert_array_equal(found[name], part)
        else:
            assert str(found[name]) == str(part)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_matrix_is_read_as_what_it_stands_for_and_left_alone(name):
    matrix, wanted = ODD[name]
    before = parts_of(matrix)
    rows = own_rows("X", matrix)
    assert_allclose(rows.toarray().astype(float), wanted.astype(float), rtol=1e-15, atol=0)
    assert_same_parts(parts_of(matrix), before)
    assert_allclose(network().outputs(matrix), network().outputs(wanted), rtol=1e-12)


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", FORMS)
def test_training_on_every_form_gives_the_weights_of_dense_rows(form, kind):
    matrix = made(X, form, kind)
    before = parts_of(matrix)
    assert_array_equal(trained(matrix), trained(X))
    assert_array_equal(network().outputs(matrix), network().outputs(X))
    assert_same_parts(parts_of(matrix), before)


@pytest.mark.parametrize(
    "name", ["csr strided data", "csc swapped indices", "coo with places twice"]
)
def test_an_estimator_learns_from_an_odd_matrix_what_it_learns_from_dense_rows(name):
    matrix, wanted = ODD[name]
    settings = {"max_iter": 3, "tol": 0, "random_state": 0, "batch_size": 5}
    rows, dense = (MLPClassifier((5,), **settings) for _ in range(2))
    with pytest.warns(UserWarning, match="Maximum iterations"):
        rows.fit(matrix, Y, eval_set=(matrix, Y))
    with pytest.warns(UserWarning, match="Maximum iterations"):
        dense.fit(wanted, Y, eval_set=(wanted, Y))
    assert_array_equal(rows.predict_proba(matrix), dense.predict_proba(wanted))


def test_the_real_part_of_a_complex_matrix_is_that():
    matrix = (scipy_sparse.random(50, 5, 0.5, format="csr", random_state=0) * (1 + 1j)).real
    net = Network([Dense(3)], features=5, seed=0, dtype=np.float64)
    assert_allclose(net.outputs(matrix), net.outputs(matrix.toarray()), rtol=1e-12)


def test_rows_of_our_own_are_checked_and_copied_once():
    rows = own_rows("X", made(X, "csr"))
    assert own_rows("X", rows) is rows
    assert own_rows("X", rows[2:5]).shape == (3, 6)


def test_where_entries_stand_is_nobody_elses_to_change():
    matrix = made(X, "csr")
    rows = own_rows("X", matrix)
    for ours, theirs in ((rows.indices, matrix.indices), (rows.indptr, matrix.indptr)):
        assert not np.shares_memory(ours, theirs)
        assert not ours.flags.writeable


def test_a_diagonal_that_lies_outside_holds_nothing():
    matrix = made(X, "dia")
    wanted = matrix.toarray()
    matrix.offsets = matrix.offsets.astype(np.int64)
    matrix.offsets[0] = np.iinfo(np.int64).min
    wanted[np.eye(12, 6, k=made(X, "dia").offsets[0], dtype=bool)] = 0
    assert_array_equal(own_rows("X", matrix).toarray(), wanted)


SCRIPT = """
import sys
import warnings
import numpy as np
sys.path.append(sys.argv[1])
from sparse_forms import lying, made, plain
import thinnet as tn

warnings.simplefilter("ignore")
X, y = plain(), np.arange(12) % 3
net = tn.Network([tn.Dense(8), tn.Dropout(0.3), tn.Dense(3)], features=6, seed=1)
settings = {"max_iter": 2, "random_state": 0, "dropout": 0.2}
fitted = tn.MLPClassifier((4,), **settings).fit(X, y)
how = {"epochs": 1, "progress": False}
members = tn.EnsembleClassifier(tn.MLPClassifier((4,), **settings), n_networks=1)
many = lambda: tn.MLPClassifier((4,), **settings)
WAYS = {
    "outputs": net.outputs,
    "sample": lambda S: net.sample(S, 2, progress=False),
    "forward": lambda S: net.forward(S, tn.Run.predict()),
    "train": lambda S: tn.train(net, S, y, **how),
    "validation": lambda S: tn.train(net, X, y, validation=(S, y), **how),
    "evaluate": lambda S: tn.evaluate(net, S, y),
    "report": lambda S: tn.gradient_report(net, S, y),
    "fit": lambda S: many().fit(S, y),
    "lbfgs": lambda S: many().set_params(solver="lbfgs", dropout=0).fit(S, y),
    "eval_set": lambda S: many().fit(X, y, eval_set=(S, y)),
    "partial_fit": lambda S: many().partial_fit(S, y, classes=[0, 1, 2]),
    "labels": lambda S: many().fit(X, S),
    "labels of partial_fit": lambda S: many().partial_fit(X, S, classes=range(6)),
    "score": lambda S: fitted.score(X, S),
    "predict_proba": fitted.predict_proba,
    "uncertainty": lambda S: fitted.uncertainty(S, n_draws=2),
    "ensemble": lambda S: members.fit(S, y),
}
for name, matrix in lying().items():
    for way, go in WAYS.items():
        print(f"{name}: {way}:", end=" ", flush=True)
        try:
            go(matrix)
            print("taken", flush=True)
        except ValueError as error:
            print("refused," if "must be a sparse matrix with" in str(error) else error, flush=True)
print("the end")
"""


def test_a_matrix_that_lies_about_itself_is_refused_wherever_it_enters():
    script = [sys.executable, "-c", SCRIPT, str(Path(sparse_forms.__file__).parent)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False)
    lines = done.stdout.splitlines()
    assert lines[-1:] == ["the end"], (done.returncode, lines[-1:], done.stderr[-2000:])
    assert [line for line in lines[:-1] if not line.endswith("refused,")] == []
    assert len(lines) - 1 == 17 * len(sparse_forms.lying())


CHANGING = """
import threading
import numpy as np
from scipy import sparse
import thinnet as tn

rng = np.random.default_rng(0)
X = sparse.random(400, 50, 0.2, format="csr", random_state=0)
y = rng.integers(3, size=400)

def trained(X, *callbacks):
    net = tn.Network([tn.Dense(8), tn.Dense(3)], features=50, seed=1)
    tn.train(net, X, y, epochs=3, batch_size=20, progress=False, callbacks=callbacks)
    return net.theta

class Change:
    def on_step_end(self, training):
        X.indices[:], X.indptr[1:] = 10**9, 10**9

wanted = trained(X.copy())
print(np.array_equal(trained(X, Change()), wanted))
"""


def test_what_a_caller_does_to_a_matrix_during_a_call_moves_nothing():
    script = [sys.executable, "-c", CHANGING]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr[-2000:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indices": [99]}, r"X must be a sparse matrix with indices from 0 to 5, got \[99\]"),
        ({"indptr": [3]}, "X must be a sparse matrix with an indptr of 13 numbers from 0 that"),
        ({"indices": [0.5]}, "X must be a sparse matrix with integers as indices, got float64"),
    ],
)
def test_the_sentence_says_which_part_is_wrong(change, message):
    matrix = made(X, "csr")
    for name, first in change.items():
        part = getattr(matrix, name)
        setattr(matrix, name, np.append(first, part[1:]))
    with pytest.raises(ValueError, match=message):
        network().outputs(matrix)


UNFIT = {
    "complex numbers": (np.eye(4) * 1j, "must be a sparse matrix of real numbers .* complex128"),
    "a hole": (np.diag([1.0, 2.0, np.nan, 3.0]), "must be finite, got nan in row 2, column 2"),
    "too large a number": (
        np.diag([1, 1e300, 1, 1]),
        r"must .*1e\+300 in row 1, column 1",
    ),
}


@pytest.mark.parametrize(("values", "message"), UNFIT.values(), ids=UNFIT)
def test_entries_that_are_no_finite_real_numbers_are_refused_with_their_place(values, message):
    rows, net = scipy_sparse.csr_array(values), Network([Dense(1)], features=4, seed=0)
    with pytest.raises(ValueError, match=f"X {message}"):
        net.outputs(rows)
    with pytest.raises(ValueError, match=f"X {message}"):
        train(net, rows, np.ones(4), progress=False)


class Foreign:
    """A matrix of another library, which knows how to become SciPy's and nothing else."""

    def __init__(self, values):
        self.shape, self._rows = values.shape, scipy_sparse.csr_array(values)

    def tocsr(self):
        return self._rows


def test_a_matrix_of_another_library_is_what_it_becomes(rng):
    values, net = rng.normal(size=(5, 4)), Network([Dense(1)], features=4, seed=0)
    np.testing.assert_array_equal(net.outputs(Foreign(values)), net.outputs(values))
