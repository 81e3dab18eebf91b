"""CSR matrices of all kinds, whole and broken, changed while they are read: equal to dense, or a
ValueError; never a crash.
"""

import threading
import warnings
from contextlib import suppress

import numpy as np
from csr_matrices import COLUMNS, broken, matrix, meaning
from forging import pick
from scipy import sparse

import thinnet as tn

ALONE, SECONDS = True, 60
RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, COLUMNS)) * (RNG.random((60, COLUMNS)) < 0.5)
Y = np.arange(60) % 2
REFUSALS = (ValueError, TypeError, tn.DivergedError)


def prepare(folder):
    settings = {"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0, "batch_size": 16}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = [tn.MLPClassifier(dtype=dtype, **settings) for dtype in ("float32", "float64")]
        for model in models:
            model.fit(sparse.csr_matrix(X), Y)
        return [*models, tn.MLPRegressor(**settings).fit(X, Y.astype(float))]


def attempt(rng, models, folder):
    model = pick(rng, models)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if rng.random() < 0.2:
            return changed_during_the_call(rng, model)
        X, way = broken(rng)
        meant = meaning(X)
        outcomes = {predicted(model, X, meant), trained(model, X, meant)}
    return f"{way} {'equal' if 'equal' in outcomes else 'refused'}"


def same(found, wanted, model):
    tolerance = 1e-4 if getattr(model, "dtype", "") == "float32" else 1e-6
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def predictions(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def predicted(model, X, meant):
    try:
        found = predictions(model, X)
    except REFUSALS as error:
        return refused(error, lambda: predictions(model, meant), meant)
    assert meant is not None, "nothing was meant, and something was predicted"
    same(found, predictions(model, meant), model)
    return "equal"


def trained(model, X, meant):
    """From the same first weights, in the same order."""

    def fit(rows):
        return type(model)(**model.get_params()).fit(rows, Y[np.arange(X.shape[0]) % 60])

    try:
        found = fit(X)
    except REFUSALS as error:
        return refused(error, lambda: fit(meant), meant)
    assert meant is not None, "nothing was meant, and something was learned"
    for one, other in zip(found.coefs_, fit(meant).coefs_, strict=True):
        same(one, other, model)
    return "equal"


def refused(error, act, meant):
    """Whatever means something is refused only if its dense rows are, or its type is no number."""
    assert str(error)
    if meant is None:
        return "refused"
    try:
        act()
    except REFUSALS:
        return "refused"
    raise AssertionError(f"refused, though it means something: {error}")


def changed_during_the_call(rng, model):
    """Another thread writes what is out of range; results may be anything, the process lives."""
    X, y = matrix(rng, rows=20_000), np.arange(20_000) % 2
    over = threading.Event()
    spoiler = threading.Thread(target=spoil, args=(rng, X, over))
    spoiler.start()
    try:
        for _ in range(4):
            with suppress(*REFUSALS):
                predictions(model, X)
            with suppress(*REFUSALS):
                type(model)(**model.get_params()).fit(X, y)
    finally:
        over.set()
        spoiler.join()
    return "changed meanwhile"


def spoil(rng, X, over):
    while not over.is_set():
        for part, bad in ((X.indices, 2**31 - 1), (X.indptr, 2**31 - 1), (X.indices, -5)):
            place = rng.integers(len(part))
            before, part[place] = part[place], bad
            part[place] = before if rng.random() < 0.5 else bad
