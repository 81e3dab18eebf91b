"""The known answers of docs/arithmetic.md: hashes of small trainings and of what comes of them.

``python tests/support/arithmetic_vectors.py`` writes those of new cases; all of them only for a new
version of the arithmetic, with ``--all``.
"""

import json
import sys
import warnings

import numpy as np
from arithmetic_cases import CASES, digest, make, training
from paths import VECTORS

from thinnet import losses
from thinnet.training.data import checked_data
from thinnet.training.loop import measure
from thinnet.uncertainty.draws.drawing import standard_error
from thinnet.uncertainty.draws.heads import LOSSES, ClassHead, NumberHead
from thinnet.uncertainty.draws.measures import (
    class_std,
    expected_entropy,
    mutual_information,
    predictive_entropy,
)
from thinnet.uncertainty.draws.spreads import spread

KNOWN = VECTORS / "arithmetic.json"


def answers(name):
    return answers_of(CASES[name])


def answers_of(case):
    """Hashes of the weights after a few steps, of outputs, of draws, and of what they mean."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of dropout before BatchNorm
        made = make(case)
    training(case, made).advance(min(case.steps, case.rows // case.batch))
    outputs = made.network.outputs(made.X)
    found = {"weights": made.network.theta, "outputs": outputs}
    if any(getattr(layer, "can_draw", False) for layer in case.layers):
        found["draws"] = made.network.sample(made.X, 2, share=None)
        found["thinned draws"] = made.network.sample(made.X, 2, share="batch")
    draws = found.get("thinned draws", np.stack([outputs, outputs / 2]))
    found |= results(case, made, outputs, draws)
    return {kind: digest(values) for kind, values in found.items()}


def results(case, made, outputs, draws):
    """Loss and score that decide about stopping, predictions, and the uncertainty of draws."""
    loss, data = case.loss, checked_data(made.network, case.loss, made.X, made.y, made.weights)
    found = {
        "measured": np.array(measure(made.network, loss, data)),
        "predictions": loss.predict(outputs),
    }
    if isinstance(loss, losses.SoftmaxCrossEntropy):
        return found | {"uncertainty": of_classes(draws)}
    kind = next((kind for kind, own in LOSSES.items() if own == loss), None)
    return found if kind is None else found | {"uncertainty": of_numbers(kind, draws, data.targets)}


def of_classes(draws):
    p = ClassHead(np.arange(draws.shape[-1]), "multiclass").of_draws(draws)
    parts = [predictive_entropy(p), mutual_information(p), expected_entropy(p)]
    return np.concatenate([*parts, class_std(p).ravel(), standard_error(p).ravel()])


def of_numbers(kind, draws, y):
    mixture = NumberHead(kind, y.shape[1], np.full(y.shape[1], 0.7)).mixture(draws)
    parts = [
        mixture.quantile(0.1),
        mixture.quantile(0.9),
        mixture.distribution(y),
        *spread(mixture),
    ]
    return np.concatenate([mixture.log_density(y), *(part.ravel() for part in parts)])


def known():
    return json.loads(KNOWN.read_text())


if __name__ == "__main__":
    before = {} if "--all" in sys.argv else known()
    found = {name: before.get(name) or answers(name) for name in CASES}
    KNOWN.write_text(json.dumps(found, indent=1) + "\n")
