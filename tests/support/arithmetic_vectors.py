"""The known answers of docs/arithmetic.md: hashes of small trainings, of their outputs and draws.

Written by ``python tests/support/arithmetic_vectors.py``, for a new version of the arithmetic only.
"""

import json
import warnings

from arithmetic_cases import CASES, digest, make, training
from paths import VECTORS

KNOWN = VECTORS / "arithmetic.json"


def answers(name):
    """Hashes of the weights after a few steps, of outputs, and of two draws."""
    case = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of dropout before BatchNorm
        made = make(case)
    training(case, made).advance(min(case.steps, case.rows // case.batch))
    found = {"weights": made.network.theta, "outputs": made.network.outputs(made.X)}
    if any(getattr(layer, "can_draw", False) for layer in case.layers):
        found["draws"] = made.network.sample(made.X, 2)
        found["thinned draws"] = made.network.sample(made.X, 2, share="batch")
    return {kind: digest(values) for kind, values in found.items()}


def known():
    return json.loads(KNOWN.read_text())


if __name__ == "__main__":
    KNOWN.write_text(json.dumps({name: answers(name) for name in CASES}, indent=1) + "\n")
