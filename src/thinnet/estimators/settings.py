"""The layers, the optimiser and the plan of a training, from scikit-learn's parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from thinnet import checks
from thinnet.estimators.activations import ACTIVATIONS
from thinnet.layers import Layer
from thinnet.layers.mlp import BELOW_ONE, KINDS, check_sharing, mlp
from thinnet.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

STOCHASTIC: Final = ("sgd", "adam", "adamw", "rmsprop", "adagrad")
SOLVERS: Final = ("lbfgs", *STOCHASTIC)
SCHEDULES: Final = ("constant", "invscaling", "adaptive")
DTYPES: Final = (None, "float32", "float64")


def check(estimator: Any) -> None:
    """ValueError for the first parameter of an estimator that is out of its range."""
    hidden_widths(estimator.hidden_layer_sizes)
    checks.one_of("activation", estimator.activation, tuple(ACTIVATIONS))
    checks.one_of("solver", estimator.solver, SOLVERS)
    checks.one_of("learning_rate", estimator.learning_rate, SCHEDULES)
    checks.one_of("dropout_kind", estimator.dropout_kind, KINDS)
    check_sharing("dropout_share", estimator.dropout_share, estimator.dropout_kind)
    checks.integer("n_masks", estimator.n_masks, 2)
    for name in ("alpha", "l1", "power_t", "tol"):
        checks.non_negative(name, getattr(estimator, name))
    for name in ("learning_rate_init", "epsilon"):
        checks.positive(name, getattr(estimator, name))
    for name in ("momentum", "beta_1", "beta_2"):
        checks.below_one(name, getattr(estimator, name))
    for name in ("max_iter", "max_fun"):
        checks.integer(name, getattr(estimator, name), 1)
    for name in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping", "batch_norm"):
        checks.boolean(name, getattr(estimator, name))
    if estimator.n_iter_no_change != np.inf:
        checks.integer("n_iter_no_change", estimator.n_iter_no_change, 1)
    if estimator.batch_size != "auto":
        is_size = checks.is_integer(estimator.batch_size) and estimator.batch_size >= 1
        checks.must(is_size, "batch_size", "'auto' or an integer >= 1", estimator.batch_size)
    fraction = checks.below_one("validation_fraction", estimator.validation_fraction)
    fits = fraction > 0 or not estimator.early_stopping
    checks.must(fits, "validation_fraction", "in (0, 1) with early_stopping", fraction)
    if estimator.n_threads is not None:
        checks.integer("n_threads", estimator.n_threads, 1)
    _check_rates(estimator)
    if estimator.solver == "lbfgs":
        _check_lbfgs(estimator)
    if learns_rates(estimator):
        _check_concrete(estimator)


def _check_rates(estimator: Any) -> None:
    check = checks.below_one if estimator.dropout_kind in BELOW_ONE else checks.unit_interval
    check("input_dropout", estimator.input_dropout)
    for rate in rates(estimator):
        check("dropout", rate)


def _check_concrete(estimator: Any) -> None:
    """ValueError unless 'concrete' has the noise and the penalty that its rates' penalties need."""
    if estimator.solver == "adamw":
        others = " or ".join(repr(name) for name in STOCHASTIC if name != "adamw")
        raise ValueError(
            f"solver must be {others} with dropout_kind='concrete', where alpha is of a penalty, "
            "got 'adamw'"
        )
    likelihoods = "a likelihood with dropout_kind='concrete'"
    loss = getattr(estimator, "loss", "")
    checks.must(loss != "quantile", "loss", likelihoods, loss)
    if loss == "squared_error" and estimator.precision is None:
        raise ValueError(
            "precision must be a number > 0 with dropout_kind='concrete' and loss='squared_error' "
            "(or loss='gaussian_nll', which learns the noise), got None"
        )


def _check_lbfgs(estimator: Any) -> None:
    """ValueError where 'lbfgs' would get a loss that changes between calls or is not smooth."""
    stochastic = f"solver must be one of {', '.join(STOCHASTIC)} (such as 'sgd' or 'adam')"
    if drops(estimator):
        raise ValueError(f"{stochastic} with dropout, which lbfgs can't follow, got 'lbfgs'")
    if getattr(estimator, "loss", "") == "quantile":
        raise ValueError(f"{stochastic} with loss='quantile', which has corners, got 'lbfgs'")
    for name, off in (("batch_norm", False), ("l1", 0), ("max_norm", None), ("checkpoint", None)):
        if getattr(estimator, name) != off:
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


def rates(estimator: Any) -> list[float]:
    """The rate behind each hidden layer."""
    widths = hidden_widths(estimator.hidden_layer_sizes)
    several = isinstance(estimator.dropout, Iterable) and not isinstance(estimator.dropout, str)
    given = list(estimator.dropout) if several else [estimator.dropout] * len(widths)
    if len(given) != len(widths):
        raise ValueError(
            f"dropout must be one rate or one for each of the {len(widths)} hidden layers, got "
            f"{len(given)}"
        )
    return given


def drops(estimator: Any) -> bool:
    """Whether any rate is above 0."""
    return any((*rates(estimator), estimator.input_dropout))


def learns_rates(estimator: Any) -> bool:
    """Whether training changes rates."""
    return bool(estimator.dropout_kind == "concrete" and drops(estimator))


def layers(estimator: Any, n_outputs: int, rows: float) -> list[Layer]:
    """The chain of layers; `rows` is the weight of all training rows.

    Penalties are divided by the rows of a step when it is taken (`Plan`).  Where rates are learned
    they are divided by all rows, here: so the loss is the bound of Gal, Hron and Kendall 2017.
    """
    decoupled = estimator.solver == "adamw"
    by = 1 / rows if learns_rates(estimator) else 1.0
    squared = getattr(estimator, "loss", "") == "squared_error"  # other losses are likelihoods
    tau = (squared and estimator.precision) or 1.0
    return mlp(
        hidden_widths(estimator.hidden_layer_sizes),
        n_outputs,
        activation=ACTIVATIONS[estimator.activation].layer,
        dropout=rates(estimator),
        input_dropout=estimator.input_dropout,
        share=estimator.dropout_share,
        batch_norm=estimator.batch_norm,
        l1=estimator.l1 * by,
        l2=0.0 if decoupled else estimator.alpha / 2 * by,
        max_norm=estimator.max_norm,
        kind=estimator.dropout_kind,
        n_masks=estimator.n_masks,
        rate_penalty=by / tau,
    )


def optimizer(estimator: Any) -> Optimizer:
    rate = estimator.learning_rate_init
    if estimator.solver == "sgd":
        nesterov = bool(estimator.nesterovs_momentum and estimator.momentum > 0)
        return SGD(rate, momentum=estimator.momentum, nesterov=nesterov)
    moments = {name: getattr(estimator, name) for name in ("beta_1", "beta_2", "epsilon")}
    if estimator.solver == "adam":
        return Adam(rate, **moments, epsilon_hat=True)
    if estimator.solver == "adamw":
        return AdamW(rate, estimator.alpha, **moments)
    return {"rmsprop": RMSprop, "adagrad": Adagrad}[estimator.solver](
        rate, epsilon=estimator.epsilon
    )
