"""Training: steps on reproducible batches, history, early stopping, checkpoints."""

from thinnet.training.averaging import WeightAverage
from thinnet.training.evaluating import evaluate
from thinnet.training.history import Epoch, History
from thinnet.training.loop import INTERRUPTED, Callback
from thinnet.training.series import GradientSeries, WeightSeries
from thinnet.training.stopping import EarlyStopping
from thinnet.training.training import Training, train

__all__ = [
    "INTERRUPTED",
    "Callback",
    "EarlyStopping",
    "Epoch",
    "GradientSeries",
    "History",
    "Training",
    "WeightAverage",
    "WeightSeries",
    "evaluate",
    "train",
]
