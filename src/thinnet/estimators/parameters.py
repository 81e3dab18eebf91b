"""The parameters that both estimators have, and their descriptions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from thinnet.arrays import RandomState
from thinnet.estimators.activations import OF_SCIKIT_LEARN, OURS
from thinnet.training.loop import Callback


def indented(text: str) -> str:
    """A text with all lines but the first indented, to be put into a class's docstring."""
    return text.replace("\n", "\n    ")


AS_IN_SCIKIT_LEARN, OF_OURS = (", ".join(map(repr, names)) for names in (OF_SCIKIT_LEARN, OURS))

PARAMETERS: Final = indented(f"""\
hidden_layer_sizes : int or sequence of int, default=(100,)
    Widths of the hidden layers, each at least 1; may be empty.
activation : str, default='relu'
    The activation of the hidden layers: {AS_IN_SCIKIT_LEARN} as in scikit-learn; or
    {OF_OURS}.
solver : str, default='adam'
    'lbfgs', 'sgd' or 'adam' as in scikit-learn; or 'adamw', 'rmsprop', 'adagrad'.
alpha : float, default=0.0001
    ``alpha / 2 * sum(w ** 2) / n`` is added to the mean loss of a batch of n rows (of weight n,
    with sample weights), as in scikit-learn.  With 'adamw' it is the decoupled decay instead: a
    step takes ``learning_rate * alpha * w`` off every parameter.  At least 0.
batch_size : int or 'auto', default='auto'
    Rows of a step; 'auto' is ``min(200, n_samples)``.
learning_rate : {{'constant', 'invscaling', 'adaptive'}}, default='constant'
    For 'sgd': constant; ``learning_rate_init / (t_ + 1) ** power_t`` after each epoch; or divided
    by 5 each time `n_iter_no_change` epochs bring no improvement.
learning_rate_init : float, default=0.001
    The learning rate at the start of training, above 0.
power_t : float, default=0.5
    The exponent of 'invscaling'.
max_iter : int, default=200
    The largest number of epochs; with 'lbfgs' of iterations.
shuffle : bool, default=True
    Put the rows in a new order for each epoch.
random_state : int, RandomState instance or None, default=None
    The source of first weights, splits, orders and masks.  The same integer gives scikit-learn's
    own first weights, splits and orders, so that without dropout the trained network is the same,
    to rounding.
tol : float, default=1e-4
    The least change that counts as an improvement; 'lbfgs' stops at gradients below it.
verbose : bool, default=False
    Print the loss of each epoch.
warm_start : bool, default=False
    Go on from the weights of the last fit.
momentum : float, default=0.9
    The momentum of 'sgd', in [0, 1).
nesterovs_momentum : bool, default=True
    Take Nesterov's form of the momentum of 'sgd'.
early_stopping : bool, default=False
    Hold out a part of the rows, or watch `eval_set`; stop when its score has not improved in
    `n_iter_no_change` epochs, and keep the best weights.  Not for 'lbfgs'.
validation_fraction : float, default=0.1
    The fraction of rows that early stopping holds out, in (0, 1); stratified if there are two
    classes.
beta_1, beta_2 : float, default=0.9, 0.999
    The decay rates of the moments of 'adam' and 'adamw', in [0, 1).
epsilon : float, default=1e-8
    The term added to the root in the denominator of 'adam' (the root of the uncorrected moment, as
    in scikit-learn), 'adamw', 'rmsprop' and 'adagrad'; above 0.
n_iter_no_change : int, default=10
    The number of epochs without an improvement after which training ends.  An improvement is one
    of the loss; with dropout or `batch_norm`, of the loss without them (on up to 1,000 rows); with
    early stopping, of the validation score.
max_fun : int, default=15000
    The largest number of evaluations of the loss by 'lbfgs'.
dropout : float or sequence of float, default=0.0
    The probability of dropping each unit of every hidden layer, or one rate for each layer.
input_dropout : float, default=0.0
    The probability of dropping each input.
dropout_share : None or 'batch', default=None
    'batch': all rows of a mini-batch share a mask, so that a step works on a smaller network and
    is faster; it regularises more (`thinnet.Dropout`).  For 'bernoulli' and 'gaussian'.
dropout_kind : str, default='bernoulli'
    The kind of dropout that the rates are for (`thinnet.mlp`).  'bernoulli': units are dropped
    (`thinnet.Dropout`).  'gaussian': units are multiplied by normal numbers of the same variance,
    and a rate is below 1 (`GaussianDropout`).  'fixed': units are dropped by one of `n_masks` masks
    that never change (`FixedMasks`).  'dropconnect': weights out of these units are dropped
    (`DropConnect`).  'concrete': units are dropped at rates in (0, 1) that are learned, beginning
    with the given ones (`ConcreteDropout`; `network_.describe()` shows them).  Where a rate is 0
    nothing is dropped, whatever the kind.  'fixed' and 'concrete' have no compiled form and are
    slower.
    With 'concrete' penalties are divided by N, the weight of all training rows (in partial_fit:
    those of the first call), not by n: ``alpha / 2 * sum(w ** 2) / (1 - p) / N`` and
    ``k * (p * log(p) + (1 - p) * log(1 - p)) / (tau * N)`` for each layer with k inputs and the
    rate p.  tau is `precision`, or 1 for losses that are likelihoods; the prior length scale l of
    Gal, Hron and Kendall 2017 is ``sqrt(alpha * tau)``.  Not for 'adamw'; 'squared_error' needs
    `precision`.
n_masks : int, default=4
    The number of masks of 'fixed', at least 2.
batch_norm : bool, default=False
    Normalise each hidden layer before its activation.  Dropout stays behind each activation; if a
    normalisation comes after it there is a warning (Li et al. 2018).
l1 : float, default=0.0
    ``l1 * sum(abs(w)) / n`` is added to the mean loss of a batch: the convention of `alpha`.
max_norm : float or None, default=None
    The limit of the norm of each hidden unit's incoming weights (Srivastava et al. 2014, 5.1).
dtype : None, 'float32' or 'float64', default=None
    The type of parameters and passes; None takes float32 if X has that type, else float64.
callbacks : sequence or None, default=None
    Objects with `on_step_end` or `on_epoch_end`, as in `thinnet.train`.
progress : bool or None, default=False
    Show a progress bar; None shows it on terminals and in notebooks.
checkpoint : path or None, default=None
    The file in which `fit` keeps its state after each epoch.  An interrupted fit goes on from
    there, bit-identical to one that was not interrupted.
n_threads : int or None, default=None
    The largest number of threads; None takes as many as the process may use.  Results don't depend
    on it.""")

FITTED: Final = indented("""\
network_ : Network
    The network.
head_ : ClassHead or NumberHead
    The meaning of the outputs, as a small object: loss, targets, probabilities or mixture.
history_ : History
    The losses and scores of each epoch of the last fit: with dropout, without it, and on the
    held-out rows.
coefs_, intercepts_ : list of array
    Weights, shape (n_in, n_out), and biases, shape (n_out,), of each layer.  They may be read,
    written into, and assigned.
loss_ : float
    The last epoch's mean loss with penalties, dropout on.
best_loss_ : float or None
    The least of the losses that `n_iter_no_change` watches; None with early stopping.
loss_curve_ : list of float
    The loss of each epoch as in `loss_`, with ``warm_start=True`` of earlier fits too.
validation_scores_ : list of float or None
    The validation score of each epoch, with early stopping.
best_validation_score_ : float or None
    The largest validation score, with early stopping.
n_iter_ : int
    The number of epochs of the last fit; of iterations with 'lbfgs'.
t_ : int
    The number of training rows in all steps so far.
n_features_in_, feature_names_in_
    The number of features of X in fit, and their names if it had any.
n_layers_, n_outputs_ : int
    The number of layers, the input included, and of outputs.
out_activation_ : str
    The activation of the outputs.""")


@dataclass(eq=False, repr=False, kw_only=True)
class MLPParameters:
    """The parameters as they were given: scikit-learn sets them freely, and `fit` checks them."""

    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate: str = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: RandomState = None
    tol: float = 1e-4
    verbose: bool = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    max_fun: int = 15000
    dropout: float | Sequence[float] = 0.0
    input_dropout: float = 0.0
    dropout_share: str | None = None
    dropout_kind: str = "bernoulli"
    n_masks: int = 4
    batch_norm: bool = False
    l1: float = 0.0
    max_norm: float | None = None
    dtype: str | None = None
    callbacks: Sequence[Callback] | None = None
    progress: bool | None = False
    checkpoint: str | os.PathLike[str] | None = None
    n_threads: int | None = None
