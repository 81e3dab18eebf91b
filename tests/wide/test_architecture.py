"""The house: importing it is light, and a user's own layer is at home (imports: `lint-imports`)."""

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracles import numeric_gradient

from thinnet import SGD, Dense, Dropout, Network, Run, SoftmaxCrossEntropy, Tanh, train
from thinnet.layers import Layer, Shapes

ROOT = Path(find_spec("thinnet").origin).parent  # of what is tested: a wheel or a source tree


def test_few_modules_stand_outside_of_a_room():
    assert len(list(ROOT.glob("*.py"))) <= 16


SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in sorted(ROOT.rglob("*.py"))
}
WIDE = {  # public, and their keywords are what they are for
    "cli/fit.py: fit",
    "cli/predict.py: predict",
    "commands/predicting.py: predict",
    "estimators/predicting.py: predict",
    "functional.py: dropout",
    "layers/mlp.py: mlp",
    "tracing/stepping.py: trace",
    "training/training.py: __init__",
    "training/training.py: train",
}


def parameters(function):
    of = function.args
    named = [a.arg for a in (*of.posonlyargs, *of.args, *of.kwonlyargs)]
    return len(set(named) - {"self", "cls"}) + (of.vararg is not None) + (of.kwarg is not None)


def test_no_file_is_too_long_to_be_read_at_once():
    assert len(SOURCES) > 100
    assert {path for path, text in SOURCES.items() if len(text.splitlines()) > 300} == set()


def test_only_public_functions_whose_keywords_are_the_interface_take_over_eight():
    wide = {
        f"{path}: {node.name}"
        for path, text in SOURCES.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and parameters(node) > 8
    }
    assert wide == WIDE


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def private_names_of_others(tree):
    """Private attributes of other objects than `self` that the file itself doesn't give them."""
    nodes, named_tuples = list(ast.walk(tree)), {"_asdict", "_fields", "_replace"}
    own = {n.name for n in nodes if isinstance(n, ast.FunctionDef)} | named_tuples
    own |= {n.target.id for n in nodes if isinstance(n, ast.AnnAssign) and hasattr(n.target, "id")}
    read = [n for n in nodes if isinstance(n, ast.Attribute)]
    own |= {n.attr for n in read if isinstance(n.ctx, ast.Store)}
    others = [n for n in read if getattr(n.value, "id", "") not in ("self", "cls")]
    return {n.attr for n in others if is_private(n.attr)} - own


def test_no_module_reads_private_names_of_another():
    readers = {path for path, text in SOURCES.items() if private_names_of_others(ast.parse(text))}
    assert readers == {
        "engine/kernels/memory.py",  # makes an array of an address, as Numba does
        "persistence/transformers.py",  # makes scikit-learn's own encoders anew
    }


def test_what_an_estimator_predicts_is_asked_of_its_head():
    guess = re.compile(r"""attr\([\w.]+, "(classes_|n_outputs_|loss)"[,)]""")
    guessing = {path for path, text in SOURCES.items() if guess.search(text)}
    assert guessing == {
        "estimators/settings.py",  # of parameters, before fit
        "persistence/wrappers.py",  # of any scikit-learn classifier
    }


def test_importing_thinnet_loads_nothing_heavy():
    code = "import sys, thinnet; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert "thinnet" in loaded.stdout.split()
    heavy = {
        "numpy",
        "numba",
        "scipy",
        "sklearn",
        "pandas",
        "matplotlib",
        "torch",
        "typer",
        "IPython",
    }
    assert heavy & set(loaded.stdout.split()) == set()


# A user's own layer


class Gains(NamedTuple):
    gain: np.ndarray


@dataclass(frozen=True)
class Gain:
    """``y_j = (1 + g_j)^power * x_j``: the three methods and nothing else."""

    power: int = 3

    def shapes(self, features):
        return Shapes(features, Gains(features))

    def forward(self, site, x, run):
        return (1 + site.p.gain) ** self.power * x, x

    def backward(self, site, cache, dy):
        slope = self.power * (1 + site.p.gain) ** (self.power - 1)
        np.sum(slope * cache * dy, axis=0, out=site.g.gain)
        return (1 + site.p.gain) ** self.power * dy


@pytest.mark.parametrize(
    "run", [Run.train(2), Run.predict(), Run.sample(2)], ids=["train", "predict", "sample"]
)
def test_the_derivative_of_a_users_own_layer_is_that_of_its_forward(run, rng):
    assert isinstance(Gain(), Layer)
    network = Network(
        [Dense(4), Gain(), Dropout(0.3), Tanh(), Gain(2), Dense(2)], 3, seed=1, dtype=np.float64
    )
    network.theta[:] = rng.normal(scale=0.5, size=network.theta.size)
    x, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    _, cache = network.forward(x, run)
    dx, dtheta = network.backward(cache, w).copy(), network.gradient.copy()

    def loss():
        return float(np.vdot(w, network.forward(x, run)[0]))

    assert_allclose(dtheta, numeric_gradient(loss, network.theta), rtol=1e-6, atol=1e-8)
    assert_allclose(dx, numeric_gradient(loss, x), rtol=1e-6, atol=1e-8)


def test_a_users_own_layer_is_trained(rng):
    network = Network([Dense(8), Tanh(), Gain(), Dense(2)], 4, seed=1, dtype=np.float64)
    x = rng.normal(size=(60, 4))
    y = (x[:, 0] > 0).astype(int)
    history = train(
        network,
        x,
        y,
        loss=SoftmaxCrossEntropy(),
        optimizer=SGD(0.2),
        epochs=80,
        batch_size=20,
        progress=False,
    )
    assert history.last.clean_loss < 0.5 * history.epochs[0].clean_loss
    assert (network.sites[2].p.gain != 0).all()


class Mixed(NamedTuple):
    M: np.ndarray


class Mix:
    """``y = x @ M``, neither a dataclass nor with a rule for its first weights."""

    def shapes(self, features):
        return Shapes((2,), Mixed((*features, 2)))

    def forward(self, site, x, run):
        return x @ site.p.M, x

    def backward(self, site, cache, dy):
        np.matmul(cache.T, dy, out=site.g.M)
        return dy @ site.p.M.T


def test_a_users_own_matrix_starts_random_and_its_layer_prints_as_its_name(rng):
    network = Network([Mix(), Tanh(), Mix()], 5, seed=1, dtype=np.float64)
    first, _, second = (site.p for site in network.sites)
    assert len(np.unique(np.concatenate([first.M.ravel(), second.M.ravel()]))) == 14
    assert repr(network).startswith("Network([Mix, Tanh(), Mix], ")
    x = rng.normal(size=(4, 5))
    assert_allclose(network.outputs(x), np.tanh(x @ first.M) @ second.M)
