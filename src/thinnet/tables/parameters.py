"""The parameters that both estimators of tables have, and their descriptions."""

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
    Widths of the hidden layers; 'auto' is one of 128 units, or 256 with ``effort='high'``.
activation : str, default='relu'
    As in `MLPClassifier`.
dropout : float or sequence of float, default=0.3 for classes, 0.2 for numbers
    The probability of dropping each hidden unit, in [0, 1), or one rate for each layer.
input_dropout : float, default=0.1 for classes, 0 for numbers
    The probability of dropping a column, with all that its cells are encoded as, in [0, 1).  A date
    is seven columns: its day, and the circles of year, week and day.
dropout_share : None or 'batch', default=None
    As in `MLPClassifier`.
batch_norm : bool, default=False
    Normalise each hidden layer before its activation.
n_networks : int, default=5
    The number of networks whose predictions are averaged.  Each is trained on other rows and stops
    by the part held out from it, so that each row is held out once.  With fewer than 2,000 rows
    this only finds the best number of epochs, and as many networks are then trained on all rows.
effort : 'normal' or 'high', default='normal'
    How large networks are and how long they are trained, where the settings for it are 'auto':
    'high' is for who has minutes.
time_limit : float or None, default=None
    The seconds, above 0, that `fit` may take: each network has an equal share of what is left, and
    its best weights until then are kept.  A step or two, and what follows training (a tenth is kept
    for it), may end later.
learning_rate_init : float, default=0.001
    The learning rate of AdamW, above 0.
weight_decay : float, default=0.01
    The weight decay of AdamW, at least 0.
batch_size : int or 'auto', default='auto'
    Rows of a step; 'auto' is a fortieth of the rows, from 16 to 256.
max_iter : int, default=500
    The largest number of epochs.
n_iter_no_change : int or 'auto', default='auto'
    The number of epochs (and at least 200 steps, or 400 with ``effort='high'``) without a lower
    loss on the held-out rows (or a better `eval_metric`) after which training ends; the weights of
    the best epoch, averaged over the last steps, are kept.  'auto' is 6, or 20 with
    ``effort='high'``; with fewer than 2,000 rows epochs and steps are twice as many.
eval_metric : str, default='loss'
    The metric of held-out rows by which training stops and the weights of the best epoch are
    chosen: 'loss' is the loss of training.  Of classes also 'log_loss', 'accuracy',
    'balanced_accuracy', 'roc_auc' (of more than two classes the mean, each against the others),
    'f1' (of two classes that of `positive_class`, or of the rarer; of more the mean over all) and
    'brier'.  Of numbers also 'squared_error', 'rmse', 'absolute_error' and 'r2', in the target's
    own units.  They are weighed by `sample_weight`, but not by the weights of classes; the names
    of scikit-learn's scorers are known too, such as 'neg_log_loss'.  Another metric than the loss
    gives all scores of `histories_`, where larger is better.
validation_fraction : float, default=0.15
    The fraction of rows that a single network (``n_networks=1``) holds out, in (0, 1).
kinds : dict or None, default=None
    The kinds of columns, by name, where they are not to be found from the cells: 'number',
    'category', 'date', 'text', or 'drop' to leave a column out.
missing : sequence of str, default=()
    Words that mean a missing cell, beside those of docs/tables.md.
encoder : TableEncoder or None, default=None
    The encoder of columns; None is a `TableEncoder` with its defaults, which takes the means of
    inputs off (`center`) if the first network is clearly better with it on rows held out.
dtype : 'float32' or 'float64', default='float32'
    The type of the networks' parameters and passes.
random_state : int, RandomState instance or None, default=None
    The source of splits, first weights, orders and masks.
callbacks : sequence or None, default=None
    Objects with `on_step_end` or `on_epoch_end`, as in `thinnet.train`.
verbose : bool or int, default=False
    Print a line with the losses of each network at the end of every epoch, or of every so many.
warm_start : bool, default=False
    Go on from the networks of the last fit: the encoder, the classes and their weights, and the
    scale of targets are kept, and so are `n_networks`, `dtype` and layers; a table of other columns
    is refused.  The epochs of a fit are added to those before, and the optimizer starts anew.  It
    must be True in the first fit too.  With the same rows and an integer `random_state` each
    network goes on with its own fold; other rows are split anew.
progress : bool or None, default=False
    Show a progress bar for each network; None shows it on terminals and in notebooks.
n_threads : int or None, default=None
    The largest number of threads; None takes as many as the process may use.  Networks are trained
    at once, a thread each, unless there are callbacks or lines of `verbose`, or little memory.
    Results don't depend on it.""")

FITTED: Final = indented("""\
encoder_ : TableEncoder
    The fitted encoder; ``encoder_.columns_`` has the kind of each column.
head_ : ClassHead or NumberHead
    The meaning of the outputs, as a small object: loss, targets, probabilities or mixture.
networks_ : list of Network
    The networks whose predictions are averaged.
histories_ : list of History
    A history for each part that was held out; `history_` is the first.  The first network alone
    is measured on training rows with dropout off; after Ctrl-C it may not be among them.
notes_ : tuple of str
    Notes on the table: columns left out and why, columns that leak the target, classes out of
    balance; and on the networks if training was interrupted.
feature_importances_, feature_importances_std_ : array, shape (n_features_in_,)
    How much the log loss or squared error (of one quantile learned its pinball loss) of held-out
    rows, by their weights, rises if the cells of a column are shuffled, and its standard deviation
    over ten repeats; 0 for columns left out.  Columns that say the same share it.  They are
    computed when they are first asked for.
importances_ : Importances
    The same as a small object, with each repeat.
interrupted_ : bool
    Whether Ctrl-C ended training: then the networks whose training had ended by then are kept, or
    the first one as far as it came.
n_features_in_, feature_names_in_
    The number of columns of the table in fit, and their names.
n_iter_ : int
    The largest number of epochs among the networks, with `warm_start` of earlier fits too.
fold_networks_ : list of Network
    With `warm_start` the networks of the folds where others have learned from all rows; else
    empty.""")


@dataclass(eq=False, repr=False, kw_only=True)
class TableParameters:
    """The parameters as they were given: scikit-learn sets them freely, and `fit` checks them."""

    dropout: float | Sequence[float] = 0.3
    input_dropout: float = 0.1  # a regressor's is 0: it needs the value of each column
    dropout_share: str | None = None
    batch_norm: bool = False
    n_networks: int = 5
    effort: str = "normal"
    time_limit: float | None = None
    learning_rate_init: float = 0.001
    weight_decay: float = 0.01
    batch_size: int | str = "auto"
    max_iter: int = 500
    n_iter_no_change: float | str = "auto"
    eval_metric: str = "loss"
    validation_fraction: float = 0.15
    kinds: Mapping[str, str] | None = None
    missing: Sequence[str] = ()
    encoder: TableEncoder | None = None
    dtype: str = "float32"
    random_state: RandomState = None
    callbacks: Sequence[Callback] | None = None
    verbose: bool | int = False
    warm_start: bool = False
    progress: bool | None = False
    n_threads: int | None = None
