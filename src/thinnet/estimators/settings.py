"""From scikit-learn's parameters to layers, an optimiser and a training plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from thinnet import checks
from thinnet.layers import (
    ELU,
    GELU,
    SELU,
    Identity,
    Layer,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from thinnet.layers.mlp import BELOW_ONE, KINDS, check_sharing, mlp
from thinnet.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

ACTIVATIONS: Final[dict[str, Layer]] = {
    "identity": Identity(),
    "logistic": Sigmoid(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "leaky_relu": LeakyReLU(),
    "elu": ELU(),
    "selu": SELU(),
    "gelu": GELU(),
    "silu": SiLU(),
    "softplus": Softplus(),
}
STOCHASTIC: Final = ("sgd", "adam", "adamw", "rmsprop", "adagrad")
SOLVERS: Final = ("lbfgs", *STOCHASTIC)
SCHEDULES: Final = ("constant", "invscaling", "adaptive")
DTYPES: Final = (None, "float32", "float64")


def check(settings: Any) -> None:
    """ValueError for the first parameter of an estimator that is out of its range."""
    hidden_widths(settings.hidden_layer_sizes)
    checks.one_of("activation", settings.activation, tuple(ACTIVATIONS))
    checks.one_of("solver", settings.solver, SOLVERS)
    checks.one_of("learning_rate", settings.learning_rate, SCHEDULES)
    checks.one_of("dropout_kind", settings.dropout_kind, KINDS)
    check_sharing("dropout_share", settings.dropout_share, settings.dropout_kind)
    checks.integer("n_masks", settings.n_masks, 2)
    for name in ("alpha", "l1", "power_t", "tol"):
        checks.non_negative(name, getattr(settings, name))
    for name in ("learning_rate_init", "epsilon"):
        checks.positive(name, getattr(settings, name))
    for name in ("momentum", "beta_1", "beta_2"):
        checks.below_one(name, getattr(settings, name))
    for name in ("max_iter", "max_fun"):
        checks.integer(name, getattr(settings, name), 1)
    for name in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping", "batch_norm"):
        checks.boolean(name, getattr(settings, name))
    if settings.n_iter_no_change != np.inf:
        checks.integer("n_iter_no_change", settings.n_iter_no_change, 1)
    if settings.batch_size != "auto":
        is_size = checks.is_integer(settings.batch_size) and settings.batch_size >= 1
        checks.must(is_size, "batch_size", "'auto' or an integer >= 1", settings.batch_size)
    fraction = checks.below_one("validation_fraction", settings.validation_fraction)
    fits = fraction > 0 or not settings.early_stopping
    checks.must(fits, "validation_fraction", "in (0, 1) with early_stopping", fraction)
    if settings.n_threads is not None:
        checks.integer("n_threads", settings.n_threads, 1)
    _check_rates(settings)
    if settings.solver == "lbfgs":
        _check_lbfgs(settings)
    if learns_rates(settings):
        _check_concrete(settings)


def _check_rates(settings: Any) -> None:
    check = checks.below_one if settings.dropout_kind in BELOW_ONE else checks.unit_interval
    check("input_dropout", settings.input_dropout)
    for rate in rates(settings):
        check("dropout", rate)


def _check_concrete(settings: Any) -> None:
    """How much the rates' own penalties weigh depends on the noise, and on a penalty of weights."""
    if settings.solver == "adamw":
        others = " or ".join(repr(name) for name in STOCHASTIC if name != "adamw")
        raise ValueError(
            f"solver must be {others} with dropout_kind='concrete', where alpha is of a penalty, "
            "got 'adamw'"
        )
    if getattr(settings, "loss", "") == "squared_error" and settings.precision is None:
        raise ValueError(
            "precision must be a number > 0 with dropout_kind='concrete' and loss='squared_error' "
            "(or loss='gaussian_nll', which learns the noise), got None"
        )


def _check_lbfgs(settings: Any) -> None:
    """A line search needs the same function at each look, and L-BFGS a smooth one."""
    stochastic = f"solver must be one of {', '.join(STOCHASTIC)} (such as 'sgd' or 'adam')"
    if drops(settings):
        raise ValueError(f"{stochastic} with dropout, which lbfgs can't follow, got 'lbfgs'")
    for name, off in (("batch_norm", False), ("l1", 0), ("max_norm", None), ("checkpoint", None)):
        if getattr(settings, name) != off:
            raise ValueError(f"{stochastic} with {name}, which lbfgs can't follow, got 'lbfgs'")


def evaluation_pair(eval_set: Any) -> tuple[Any, Any]:
    """The pair (X, y) that `fit` was given, alone or in a list."""
    given = eval_set[0] if isinstance(eval_set, list) and len(eval_set) == 1 else eval_set
    is_pair = isinstance(given, tuple) and len(given) == 2
    checks.must(is_pair, "eval_set", "a pair (X, y)", type(given).__name__)
    return given


def hidden_widths(sizes: Any) -> list[int]:
    """The widths of the hidden layers."""
    several = isinstance(sizes, Iterable) and not isinstance(sizes, str)
    given = list(sizes) if several else [sizes]
    if any(checks.is_integer(width) and width <= 0 for width in given):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {given}.")
    return [checks.integer("each of hidden_layer_sizes", width, 1) for width in given]


def rates(settings: Any) -> list[float]:
    """The rate behind each hidden layer."""
    widths = hidden_widths(settings.hidden_layer_sizes)
    several = isinstance(settings.dropout, Iterable) and not isinstance(settings.dropout, str)
    given = list(settings.dropout) if several else [settings.dropout] * len(widths)
    if len(given) != len(widths):
        raise ValueError(
            f"dropout must be one rate or one for each of the {len(widths)} hidden layers, got "
            f"{len(given)}"
        )
    return given


def drops(settings: Any) -> bool:
    """Is any rate above 0?"""
    return any((*rates(settings), settings.input_dropout))


def learns_rates(settings: Any) -> bool:
    """Are there rates that training changes?"""
    return bool(settings.dropout_kind == "concrete" and drops(settings))


def layers(settings: Any, n_outputs: int, rows: float) -> list[Layer]:
    """The chain of layers; `rows` is the weight of all that is learned from.

    Penalties are divided by the rows of a step when it is taken (`Plan`), but where rates are
    learned by all rows, here: then they make the loss the bound of Gal, Hron and Kendall 2017.
    """
    decoupled = settings.solver == "adamw"
    by = 1 / rows if learns_rates(settings) else 1.0
    squared = getattr(settings, "loss", "") == "squared_error"  # other losses are likelihoods
    tau = (squared and settings.precision) or 1.0
    return mlp(
        hidden_widths(settings.hidden_layer_sizes),
        n_outputs,
        activation=ACTIVATIONS[settings.activation],
        dropout=rates(settings),
        input_dropout=settings.input_dropout,
        share=settings.dropout_share,
        batch_norm=settings.batch_norm,
        l1=settings.l1 * by,
        l2=0.0 if decoupled else settings.alpha / 2 * by,
        max_norm=settings.max_norm,
        kind=settings.dropout_kind,
        n_masks=settings.n_masks,
        rate_penalty=by / tau,
    )


def optimizer(settings: Any) -> Optimizer:
    rate = settings.learning_rate_init
    if settings.solver == "sgd":
        nesterov = bool(settings.nesterovs_momentum and settings.momentum > 0)
        return SGD(rate, momentum=settings.momentum, nesterov=nesterov)
    moments = {name: getattr(settings, name) for name in ("beta_1", "beta_2", "epsilon")}
    if settings.solver == "adam":
        return Adam(rate, **moments, epsilon_hat=True)
    if settings.solver == "adamw":
        return AdamW(rate, settings.alpha, **moments)
    return {"rmsprop": RMSprop, "adagrad": Adagrad}[settings.solver](rate, epsilon=settings.epsilon)
