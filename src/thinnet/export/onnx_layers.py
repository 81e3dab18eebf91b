"""Each layer's prediction in ONNX.

ONNX Runtime's Elu, Selu, Softplus and LeakyRelu don't take float64, so they are put together from
operators that do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np

from thinnet import layers
from thinnet.export.onnx_graph import Value
from thinnet.layers.encodings import CATEGORY, VALUE, inputs_of
from thinnet.layers.rectifiers import SELU_ALPHA, SELU_SCALE
from thinnet.losses.quantiles import median_weights
from thinnet.masks import keep_probability
from thinnet.network import Network
from thinnet.passes import Run, Site
from thinnet.uncertainty.draws.heads import Head

Form: TypeAlias = Callable[[Any, Site, Value], Value]
OPERATORS: Final = {"exp": "Exp", "identity": None, "logistic": "Sigmoid", "softmax": "Softmax"}


def outputs(network: Network, x: Value, expanded: bool = False) -> Value:
    """The raw outputs of a network with dropout off.

    With `expanded`, x has the inputs that a first layer of Columns makes of encoded rows.

    Raises
    ------
    ValueError
        If a layer has no form in ONNX.
    """
    for layer, site in network.places():
        if type(layer) not in FORMS:
            known = ", ".join(sorted(kind.__name__ for kind in FORMS))
            raise ValueError(f"each layer must be one of {known} for ONNX, got {site.name}")
        if expanded and isinstance(layer, layers.Columns):
            x = _of_inputs(layer, site, x)
        else:
            x = FORMS[type(layer)](layer, site, x)
    return x


def predicted(head: Head, z: Value) -> Value:
    """The probabilities or means that the head makes of raw outputs."""
    if head.activation == "median":
        return _median(z, head.loss)
    operator = OPERATORS[head.activation]
    return z.to(operator) if operator else z


def _median(z: Value, loss: Any) -> Value:
    """The median of quantiles that don't cross, as `thinnet.losses.Pinball` has it."""
    n = len(loss.levels)
    found = z.cast(np.float64).shaped(0, n, -1).ascending(n, axis=1)
    found = found * median_weights(loss.levels)[None, :, None]
    return found.graph.node("ReduceSum", found, np.array([1]), keepdims=0).cast(z.dtype)


def _same(layer: Any, site: Site, x: Value) -> Value:
    return x


def _operator(op: str, **attributes: Any) -> Form:
    return lambda layer, site, x: x.to(op, **attributes)


def _dense(layer: Any, site: Site, x: Value) -> Value:
    return x.graph.node("Gemm", x, site.p.W, site.p.b, transB=1)


def _columns(layer: layers.Columns, site: Site, x: Value) -> Value:
    inputs = inputs_of(layer.columns)
    d = x.columns(inputs.slots) - inputs.numbers.astype(x.dtype)
    is_category, is_value = (
        x.graph.value(inputs.kinds == kind, np.dtype(bool)) for kind in (CATEGORY, VALUE)
    )
    z = d.equals(0.0).cast(x.dtype).where(is_category, d.at_least(0.0).at_most(1.0))
    return _of_inputs(layer, site, d.where(is_value, z))


def _of_inputs(layer: layers.Columns, site: Site, z: Value) -> Value:
    """The layer, of inputs from which no mean is taken off."""
    return _dense(layer, site, z - inputs_of(layer.columns).offsets.astype(z.dtype))


def _dropout(layer: layers.Dropout, site: Site, x: Value) -> Value:
    rate = site.rate(layer.rate, Run.predict())
    return x if layer.scaling == "inverted" or rate == 0 else x * keep_probability(rate)


def _fixed_masks(layer: layers.FixedMasks, site: Site, x: Value) -> Value:
    return x * layer.mean_factor(site, x.dtype)


def _leaky_relu(layer: layers.LeakyReLU, site: Site, x: Value) -> Value:
    return x.where(x > 0.0, x * layer.slope)


def _elu(x: Value, alpha: float) -> Value:
    return x.where(x > 0.0, (x.at_most(0.0).to("Exp") - 1.0) * alpha)


def _gelu(layer: layers.GELU, site: Site, x: Value) -> Value:
    erf = (x * math.sqrt(0.5)).cast(np.float32).to("Erf").cast(x.dtype)  # Erf takes no other type
    return x * ((erf + 1.0) * 0.5)


def _silu(layer: layers.SiLU, site: Site, x: Value) -> Value:
    # ONNX Runtime 1.15 takes x * Sigmoid(x) for an operator that it has in float32 only.
    return x / (x.to("Neg").to("Exp") + 1.0)


def _softplus(layer: layers.Softplus, site: Site, x: Value) -> Value:
    small = (x.to("Abs").to("Neg").to("Exp") + 1.0).to("Log")
    return x.at_least(0.0) + small


def _batch_norm(layer: layers.BatchNorm, site: Site, x: Value) -> Value:
    shape = [1] * len(site.features)
    shape[layer.axis] = -1
    slope = site.p.gamma / np.sqrt(site.s.variance + x.dtype.type(layer.epsilon))
    mean, slope, beta = (part.reshape(shape) for part in (site.s.mean, slope, site.p.beta))
    return (x - mean) * slope + beta


def _layer_norm(layer: layers.LayerNorm, site: Site, x: Value) -> Value:
    axes = list(range(1, 1 + len(site.features)))
    centered = x - x.to("ReduceMean", axes=axes)
    variance = (centered * centered).to("ReduceMean", axes=axes)
    return centered / (variance + layer.epsilon).to("Sqrt") * site.p.gamma + site.p.beta


FORMS: Final[dict[type, Form]] = {
    layers.AlphaDropout: _same,
    layers.BatchNorm: _batch_norm,
    layers.Columns: _columns,
    layers.ConcreteDropout: _dense,
    layers.Dense: _dense,
    layers.DropConnect: _dense,
    layers.Dropout: _dropout,
    layers.ELU: lambda layer, site, x: _elu(x, layer.alpha),
    layers.FixedMasks: _fixed_masks,
    layers.Flatten: _operator("Flatten", axis=1),
    layers.GELU: _gelu,
    layers.GaussianDropout: _same,
    layers.GaussianNoise: _same,
    layers.Identity: _same,
    layers.LayerNorm: _layer_norm,
    layers.LeakyReLU: _leaky_relu,
    layers.ReLU: _operator("Relu"),
    layers.SELU: lambda layer, site, x: _elu(x, SELU_ALPHA) * SELU_SCALE,
    layers.SiLU: _silu,
    layers.Sigmoid: _operator("Sigmoid"),
    layers.Softmax: _operator("Softmax", axis=-1),
    layers.Softplus: _softplus,
    layers.Tanh: _operator("Tanh"),
}
