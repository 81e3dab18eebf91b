"""The values of `activation` in estimators: the layer, and scikit-learn's first weights before it.

All else about an activation stands in its layer (`thinnet.layers.base`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

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


class Activation(NamedTuple):
    """A layer, and the factor of its first weights.

    Attributes
    ----------
    layer : Layer
    factor : float
        First weights are uniform up to ``sqrt(factor / (n_in + n_out))``, as in scikit-learn
        (Glorot and Bengio 2010, eq. 16).
    """

    layer: Layer
    factor: float = 6.0


OF_SCIKIT_LEARN: Final = {
    "identity": Activation(Identity()),
    "logistic": Activation(Sigmoid(), factor=2.0),
    "tanh": Activation(Tanh()),
    "relu": Activation(ReLU()),
}
OURS: Final = {
    "leaky_relu": Activation(LeakyReLU()),
    "elu": Activation(ELU()),
    "selu": Activation(SELU()),
    "gelu": Activation(GELU()),
    "silu": Activation(SiLU()),
    "softplus": Activation(Softplus()),
}
ACTIVATIONS: Final[dict[str, Activation]] = OF_SCIKIT_LEARN | OURS
