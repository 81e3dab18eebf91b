"""The parameters that both estimators of tables have, and their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from thinnet.arrays import RandomState
from thinnet.estimators.parameters import indented
from thinnet.tables.columns.encoding import TableEncoder
from thinnet.training.loop import Callback

PARAMETERS: Final = indented("""\
hidden_layer_sizes : sequence of int or 'auto', default='auto'
    Widths of the hidden layers; 'auto' is one of 256 units.
activation : str, default='relu'
    As in `MLPClassifier`.
dropout : float or sequence of float, default=0.3
    The probability of dropping each hidden unit, in [0, 1), or one rate for each layer.
input_dropout : float, default=0.1
    The probability of dropping each number that the columns have become, in [0, 1).
dropout_share : None or 'batch', default=None
    As in `MLPClassifier`.
batch_norm : bool, default=False
    Normalise each hidden layer before its activation.
n_networks : int, default=5
    Networks whose answers are averaged.  Each learns from other rows, and stops by the part of
    them that it is not shown; so all rows teach, and all are held out once.  Below 2,000 rows that
    only settles how many epochs are best, and as many networks then learn from all rows.
learning_rate_init : float, default=0.001
    Of AdamW.
weight_decay : float, default=0.01
    Of AdamW.
batch_size : int or 'auto', default='auto'
    Rows of a step; 'auto' is a fortieth of the rows, from 16 to 512.
max_iter : int, default=500
    Epochs at most.
n_iter_no_change : int, default=20
    Epochs (and 400 steps at least) without a lower loss on the held-out rows that are waited for;
    the weights of the best epoch are kept.
validation_fraction : float, default=0.15
    What one network alone (``n_networks=1``) holds out.
kinds : dict or None, default=None
    What columns are, by name, where that is not to be found out: 'number', 'category', 'date',
    'text', or 'drop' to leave a column out.
missing : sequence of str, default=()
    Words that mean a missing cell, beside those of docs/tables.md.
encoder : TableEncoder or None, default=None
    How columns become numbers; None for `TableEncoder` as it is.
dtype : 'float32' or 'float64', default='float32'
    Of the networks.
random_state : int, RandomState instance or None, default=None
    Of splits, first weights, orders and masks.
callbacks : sequence or None, default=None
    Objects with `on_step_end` or `on_epoch_end`, as in `thinnet.train`.
progress : bool or None, default=False
    Show a progress bar for each network; None: where somebody looks.
n_threads : int or None, default=None
    At most so many threads; None: as many as the process may use.  Results don't depend on it.""")

FITTED: Final = indented("""\
encoder_ : TableEncoder
    Fitted; ``encoder_.columns_`` says what each column holds.
head_ : ClassHead or NumberHead
    What outputs mean, as a small object: loss, targets, probabilities or mixture.
networks_ : list of Network
histories_ : list of History
    One for each part that was held out; `history_` is the first.
notes_ : tuple of str
    What was noticed in the table: columns left out and why, columns that leak the target, classes
    out of balance; and what became of the networks if training was interrupted.
interrupted_ : bool
    Whether Ctrl-C ended training: then the networks trained to their end by then are kept, or the
    first one as far as it came.
n_features_in_, feature_names_in_
    Of the table that was fitted.
n_iter_ : int
    Epochs of the network that took most.""")


@dataclass(eq=False, repr=False, kw_only=True)
class TableParameters:
    """Whatever they are: scikit-learn sets them freely, and fit checks them."""

    dropout: float | Sequence[float] = 0.3
    input_dropout: float = 0.1
    dropout_share: str | None = None
    batch_norm: bool = False
    n_networks: int = 5
    learning_rate_init: float = 0.001
    weight_decay: float = 0.01
    batch_size: int | str = "auto"
    max_iter: int = 500
    n_iter_no_change: float = 20
    validation_fraction: float = 0.15
    kinds: Mapping[str, str] | None = None
    missing: Sequence[str] = ()
    encoder: TableEncoder | None = None
    dtype: str = "float32"
    random_state: RandomState = None
    callbacks: Sequence[Callback] | None = None
    progress: bool | None = False
    n_threads: int | None = None
