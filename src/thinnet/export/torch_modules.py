"""Each layer as a module of torch.nn, without numbers yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from thinnet.layers import (
    ELU,
    GELU,
    SELU,
    AlphaDropout,
    BatchNorm,
    ConcreteDropout,
    Dense,
    DropConnect,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from thinnet.passes import Run, Site

Make: TypeAlias = Callable[[Any, Any, Site], Any]
BY_AXES: Final = {1: "BatchNorm1d", 2: "BatchNorm1d", 3: "BatchNorm2d", 4: "BatchNorm3d"}
STRAIGHT: Final = 50.0  # from which on Softplus is the identity in float64 too


def module_of(nn: Any, layer: Any, site: Site) -> Any:
    """The module that predicts as the layer does.

    Raises
    ------
    ValueError
        If there is none.
    """
    made = MODULES[type(layer)](nn, layer, site) if type(layer) in MODULES else None
    if made is None:
        raise ValueError(f"each layer must have its like in torch.nn, got {site.name}")
    return made


def _plain(name: str, **settings: Any) -> Make:
    return lambda nn, layer, site: getattr(nn, name)(**settings)


def _linear(nn: Any, layer: Dense | DropConnect | ConcreteDropout, site: Site) -> Any:
    return nn.Linear(*site.features, *site.out)


def _dropout(nn: Any, layer: Dropout, site: Site) -> Any:
    rate = site.rate(layer.rate, Run.predict())
    return nn.Dropout(rate) if layer.scaling == "inverted" or rate == 0 else None


def _alpha_dropout(nn: Any, layer: AlphaDropout, site: Site) -> Any:
    return nn.AlphaDropout(site.rate(layer.rate, Run.predict()))


def _batch_norm(nn: Any, layer: BatchNorm, site: Site) -> Any:
    """PyTorch's has its statistics along the first feature axis, of four at most."""
    axes = len(site.features)
    if layer.axis % axes or axes not in BY_AXES:
        return None
    kind = getattr(nn, BY_AXES[axes])
    return kind(site.features[0], eps=layer.epsilon, momentum=1 - layer.momentum)


MODULES: Final[dict[type, Make]] = {
    AlphaDropout: _alpha_dropout,
    BatchNorm: _batch_norm,
    ConcreteDropout: _linear,
    Dense: _linear,
    DropConnect: _linear,
    Dropout: _dropout,
    ELU: lambda nn, layer, site: nn.ELU(layer.alpha),
    Flatten: _plain("Flatten"),
    GELU: _plain("GELU"),
    GaussianDropout: _plain("Identity"),
    GaussianNoise: _plain("Identity"),
    Identity: _plain("Identity"),
    LayerNorm: lambda nn, layer, site: nn.LayerNorm(site.features, layer.epsilon),
    LeakyReLU: lambda nn, layer, site: nn.LeakyReLU(layer.slope),
    ReLU: _plain("ReLU"),
    SELU: _plain("SELU"),
    SiLU: _plain("SiLU"),
    Sigmoid: _plain("Sigmoid"),
    Softmax: _plain("Softmax", dim=-1),
    Softplus: _plain("Softplus", threshold=STRAIGHT),
    Tanh: _plain("Tanh"),
}
