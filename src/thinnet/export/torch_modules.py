"""Each layer as a module of torch.nn, whose numbers are loaded later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from thinnet import layers
from thinnet.passes import Run, Site

Make: TypeAlias = Callable[[Any, Any, Site], Any]
BY_AXES: Final = {1: "BatchNorm1d", 2: "BatchNorm1d", 3: "BatchNorm2d", 4: "BatchNorm3d"}
STRAIGHT: Final = 50.0  # from here on Softplus is the identity, in float64 too


def module_of(nn: Any, layer: Any, site: Site) -> Any:
    """The module that predicts as the layer does.

    Raises
    ------
    ValueError
        If PyTorch has none.
    """
    made = MODULES[type(layer)](nn, layer, site) if type(layer) in MODULES else None
    if made is None:
        raise ValueError(f"each layer must have its like in torch.nn, got {site.name}")
    return made


def _plain(name: str, **settings: Any) -> Make:
    return lambda nn, layer, site: getattr(nn, name)(**settings)


def _linear(nn: Any, layer: Any, site: Site) -> Any:
    return nn.Linear(*site.features, *site.out)


def _columns(nn: Any, layer: layers.Columns, site: Site) -> Any:
    from thinnet.export.torch_columns import Columns

    return Columns(layer.columns, *site.out)


def _dropout(nn: Any, layer: layers.Dropout, site: Site) -> Any:
    rate = site.rate(layer.rate, Run.predict())
    return nn.Dropout(rate) if layer.scaling == "inverted" or rate == 0 else None


def _alpha_dropout(nn: Any, layer: layers.AlphaDropout, site: Site) -> Any:
    return nn.AlphaDropout(site.rate(layer.rate, Run.predict()))


def _batch_norm(nn: Any, layer: layers.BatchNorm, site: Site) -> Any:
    """PyTorch's BatchNorm, which has its statistics along the first of at most four axes."""
    axes = len(site.features)
    if layer.axis % axes or axes not in BY_AXES:
        return None
    kind = getattr(nn, BY_AXES[axes])
    return kind(site.features[0], eps=layer.epsilon, momentum=1 - layer.momentum)


MODULES: Final[dict[type, Make]] = {
    layers.AlphaDropout: _alpha_dropout,
    layers.BatchNorm: _batch_norm,
    layers.Columns: _columns,
    layers.ConcreteDropout: _linear,
    layers.Dense: _linear,
    layers.DropConnect: _linear,
    layers.Dropout: _dropout,
    layers.ELU: lambda nn, layer, site: nn.ELU(layer.alpha),
    layers.Flatten: _plain("Flatten"),
    layers.GELU: _plain("GELU"),
    layers.GaussianDropout: _plain("Identity"),
    layers.GaussianNoise: _plain("Identity"),
    layers.Identity: _plain("Identity"),
    layers.LayerNorm: lambda nn, layer, site: nn.LayerNorm(site.features, layer.epsilon),
    layers.LeakyReLU: lambda nn, layer, site: nn.LeakyReLU(layer.slope),
    layers.ReLU: _plain("ReLU"),
    layers.SELU: _plain("SELU"),
    layers.SiLU: _plain("SiLU"),
    layers.Sigmoid: _plain("Sigmoid"),
    layers.Softmax: _plain("Softmax", dim=-1),
    layers.Softplus: _plain("Softplus", threshold=STRAIGHT),
    layers.Tanh: _plain("Tanh"),
}
