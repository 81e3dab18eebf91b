"""The layers of docs/arithmetic.md in plain NumPy: forward and backward of one bound layer.

`forward(layer, site, x, run)` gives the output and what backward needs; `backward` the gradient of
the input and those of the parameters.  A site has `p` and `s`, arrays that the oracle owns, and
`keep` and `normals`, which are the masks' specification (docs/masks.md).
"""

import math
from types import SimpleNamespace

import numpy as np
from arithmetic import (
    blocked_product,
    chained_over_rows,
    chained_within_rows,
    fma,
    product_over_rows,
    sum_over_rows,
    sum_within_rows,
)
from arithmetic_functions import exp, expm1, normal_cdf, quietly, sigmoid, softplus, tanh

from thinnet import layers, masks

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def _relu(x, layer):
    return np.where(x <= 0, x.dtype.type(0), x)


def _leaky(x, layer):
    return x * np.where(x > 0, x.dtype.type(1), x.dtype.type(layer.slope))


def _elu(x, layer):
    return np.where(x <= 0, x.dtype.type(layer.alpha) * expm1(np.minimum(x, 0)), x)


def _selu(x, layer):
    real = x.dtype.type
    return np.where(x <= 0, real(SCALE * ALPHA) * expm1(np.minimum(x, 0)), real(SCALE) * x)


ACTIVATIONS = {
    layers.ReLU: _relu,
    layers.LeakyReLU: _leaky,
    layers.ELU: _elu,
    layers.SELU: _selu,
    layers.GELU: lambda x, layer: x * normal_cdf(x),
    layers.SiLU: lambda x, layer: x * sigmoid(x),
    layers.Softplus: lambda x, layer: softplus(x),
    layers.Tanh: lambda x, layer: tanh(x),
    layers.Sigmoid: lambda x, layer: sigmoid(x),
}


def _slope_leaky(x, f, dy, layer):
    return dy * np.where(x > 0, x.dtype.type(1), x.dtype.type(layer.slope))


def _slope_elu(x, f, dy, layer):
    real = x.dtype.type
    return dy * np.where(x > 0, real(1), real(layer.alpha) * exp(np.minimum(x, 0)))


def _slope_selu(x, f, dy, layer):
    real = x.dtype.type
    return dy * np.where(x > 0, real(SCALE), real(SCALE * ALPHA) * exp(np.minimum(x, 0)))


def _slope_gelu(x, f, dy, layer):
    real = x.dtype.type
    density = exp(real(-0.5) * x * x) * real(1 / (2 * np.pi) ** 0.5)
    return dy * fma(x, density, normal_cdf(x))


def _slope_silu(x, f, dy, layer):
    s, one = sigmoid(x), x.dtype.type(1)
    return dy * (s * fma(x, one - s, one))


# From the input x and the output f.
SLOPES = {
    layers.ReLU: lambda x, f, dy, layer: np.where(f > 0, dy, dy.dtype.type(0)),
    layers.LeakyReLU: _slope_leaky,
    layers.ELU: _slope_elu,
    layers.SELU: _slope_selu,
    layers.GELU: _slope_gelu,
    layers.SiLU: _slope_silu,
    layers.Softplus: lambda x, f, dy, layer: dy * sigmoid(x),
    layers.Tanh: lambda x, f, dy, layer: dy * fma(-f, f, f.dtype.type(1)),
    layers.Sigmoid: lambda x, f, dy, layer: dy * (f * (f.dtype.type(1) - f)),
}


def _flat(x):
    return x.reshape(len(x), -1)


@quietly
def softmax(z):
    """Probabilities and the numbers they are made of, along the last axis."""
    d = z - z.max(axis=-1, keepdims=True)
    e = exp(d)
    total = sum_within_rows(e)
    inverse = z.dtype.type(1) / total
    return SimpleNamespace(p=e * inverse[..., None], d=d, e=e, total=total, inverse=inverse)


class Dense:
    @staticmethod
    def weights(layer, site, run):
        return site.p.W

    @classmethod
    def forward(cls, layer, site, x, run):
        W, flat = cls.weights(layer, site, run), _flat(x)
        return blocked_product(flat, W.T) + site.p.b, (flat, W)

    @classmethod
    def backward(cls, layer, site, cache, dy, run):
        x, W = cache
        return blocked_product(dy, W), {"W": product_over_rows(dy, x), "b": sum_over_rows(dy)}


class DropConnect(Dense):
    @classmethod
    def _mask(cls, layer, site, run):
        rate = site.rate(layer.rate, run)
        scale = site.p.W.dtype.type(_inverted(rate))
        return site.keep_weights(run, rate), scale

    @classmethod
    def weights(cls, layer, site, run):
        kept, scale = cls._mask(layer, site, run)
        return np.where(kept, site.p.W * scale, site.p.W.dtype.type(0))

    @classmethod
    def backward(cls, layer, site, cache, dy, run):
        dx, gradients = super().backward(layer, site, cache, dy, run)
        kept, scale = cls._mask(layer, site, run)
        W = np.where(kept, gradients["W"] * scale, dy.dtype.type(0))
        return dx, gradients | {"W": W}


class Columns:
    """Each bin has two terms: the sum of the weights of those below it, and its own.

    Codes have one each, that of no category included.
    """

    @staticmethod
    def _terms(each):
        return 2 * each.bins + each.values + each.categories + (each.categories > 0)

    @staticmethod
    def _columns(layer):
        """Each column with the first of its terms, of its slots and of its inputs."""
        term = slot = first = 0
        for each in layer.columns:
            yield each, term, slot, first
            term, slot = term + Columns._terms(each), slot + each.slots
            first += each.inputs

    @classmethod
    def _factors(cls, layer, site, x, run):
        real, rate = x.dtype.type, site.rate(layer.rate, run)
        kept = site.keep_columns(run, rate, len(layer.columns), len(x))
        z = np.zeros((len(x), sum(map(cls._terms, layer.columns))), x.dtype)
        for c, (each, term, slot, _) in enumerate(cls._columns(layer)):
            for r in np.flatnonzero(kept[:, c]):
                scale, left = real(_inverted(rate)), list(x[r, slot : slot + each.slots])
                if each.bins:
                    position = left.pop(0)
                    own = min(int(position), each.bins - 1)
                    z[r, term + 2 * own] = scale
                    z[r, term + 2 * own + 1] = scale * (position - real(own))
                for k in range(each.values):
                    z[r, term + 2 * each.bins + k] = scale * left.pop(0)
                if each.categories:
                    z[r, term + 2 * each.bins + each.values + int(left[0])] = scale
        return z

    @staticmethod
    def _offsets(each, real):
        """What is taken off the inputs of bins, and of categories."""
        means = [real(mean) for mean in each.means or [0.0] * (each.bins + each.categories)]
        return means[: each.bins], means[each.bins :]

    @classmethod
    def forward(cls, layer, site, x, run):
        z, W = cls._factors(layer, site, x, run), site.p.W.T
        weights = np.zeros((z.shape[1], W.shape[1]), x.dtype)
        for each, term, _, first in cls._columns(layer):
            of_bins, of_categories = cls._offsets(each, x.dtype.type)
            below, none = np.zeros_like(W[0]), np.zeros_like(W[0])
            for k, mean in enumerate(of_bins):
                below = fma(np.full_like(below, -mean), W[first + k], below)
            for k in range(each.bins):
                weights[term + 2 * k], weights[term + 2 * k + 1] = below, W[first + k]
                below = below + W[first + k]
            term, first = term + 2 * each.bins, first + each.bins
            weights[term : term + each.values] = W[first : first + each.values]
            term, first = term + each.values, first + each.values
            for k, mean in enumerate(of_categories):
                none = fma(np.full_like(none, -mean), W[first + k], none)
            if each.categories:
                weights[term] = none
            for k in range(each.categories):
                weights[term + 1 + k] = none + W[first + k]
        return blocked_product(z, weights) + site.p.b, (x, z)

    @classmethod
    def backward(cls, layer, site, cache, dy, run):
        x, z = cache
        terms = product_over_rows(z, dy)
        W = np.zeros_like(site.p.W.T)
        for each, term, _, first in cls._columns(layer):
            of_bins, of_categories = cls._offsets(each, x.dtype.type)
            above, every = np.zeros_like(W[0]), np.zeros_like(W[0])
            for k in reversed(range(each.bins)):
                W[first + k] = terms[term + 2 * k + 1] + above
                above = above + terms[term + 2 * k]
            for k, mean in enumerate(of_bins):
                W[first + k] = fma(np.full_like(above, -mean), above, W[first + k])
            term, first = term + 2 * each.bins, first + each.bins
            W[first : first + each.values] = terms[term : term + each.values]
            term, first = term + each.values, first + each.values
            for k in reversed(range(each.categories + (each.categories > 0))):
                every = every + terms[term + k]
            for k, mean in enumerate(of_categories):
                W[first + k] = fma(np.full_like(every, -mean), every, terms[term + 1 + k])
        return np.zeros_like(x), {"W": W.T, "b": sum_over_rows(dy)}


def _inverted(rate):
    t = masks.threshold(rate)
    return masks.LEVELS / (masks.LEVELS - t) if t < masks.LEVELS else 0.0


class Dropout:
    @staticmethod
    def scale(layer, site, run, real):
        rate = site.rate(layer.rate, run)
        return real(1.0 if layer.scaling == "classical" else _inverted(rate))

    @classmethod
    def forward(cls, layer, site, x, run):
        kept = site.keep(run, len(x), site.rate(layer.rate, run), layer.share, layer.share_axes)
        scale = cls.scale(layer, site, run, x.dtype.type)
        return np.where(kept, x * scale, x.dtype.type(0)), (kept, scale)

    @staticmethod
    def backward(layer, site, cache, dy, run):
        kept, scale = cache
        return np.where(kept, dy * scale, dy.dtype.type(0)), {}


class AlphaDropout:
    @staticmethod
    def forward(layer, site, x, run):
        real, rate = x.dtype.type, site.rate(layer.rate, run)
        q, low = (masks.LEVELS - masks.threshold(rate)) / masks.LEVELS, -(SCALE * ALPHA)
        a = 1 / math.sqrt(q + ((low * low) * q) * (1 - q))
        b = ((-a) * (1 - q)) * low
        kept = site.keep(run, len(x), rate, layer.share, layer.share_axes)
        y = np.where(kept, (x + -real(low)) * real(a), real(0)) + real(a * low + b)
        return y, (kept, real(a))

    backward = Dropout.backward


class GaussianDropout:
    @staticmethod
    def forward(layer, site, x, run):
        rate = site.rate(layer.rate, run)
        level = np.float64(x.dtype.type(math.sqrt(rate / (1 - rate))))
        n = site.normals(run, len(x), layer.share, layer.share_axes)
        factor = fma(np.broadcast_to(level, n.shape), n, np.ones_like(n)).astype(x.dtype)
        return x * factor, factor

    @staticmethod
    def backward(layer, site, factor, dy, run):
        return dy * factor, {}


class GaussianNoise:
    @staticmethod
    def forward(layer, site, x, run):
        level = np.float64(x.dtype.type(layer.scale))
        n = site.normals(run, len(x))
        return x + (level * n).astype(x.dtype), None

    @staticmethod
    def backward(layer, site, cache, dy, run):
        return dy, {}


class Softmax:
    @staticmethod
    def forward(layer, site, x, run):
        p = softmax(x).p
        return p, p

    @staticmethod
    def backward(layer, site, p, dy, run):
        mean = chained_within_rows(p, dy)
        return p * (dy - mean[..., None]), {}


class BatchNorm:
    """Over rows and positions; the last axis has statistics of its own."""

    @staticmethod
    def forward(layer, site, x, run):
        real, rows = x.dtype.type, x.reshape(-1, x.shape[-1])
        m = len(rows)
        mean = sum_over_rows(rows) / real(m)
        d = rows - mean
        variance = chained_over_rows(d, d) / real(m)
        inverse = real(1) / np.sqrt(variance + real(layer.epsilon))
        x_hat = d * inverse
        weight = np.maximum(1 - layer.momentum, 1 / np.maximum(site.counted(), 1.0)).astype(x.dtype)
        site.learn("mean", weight, mean)
        site.learn("variance", weight, variance * real(m / (m - 1)))
        y = fma(site.p.gamma, x_hat, site.p.beta)
        return y.reshape(x.shape), (x_hat, inverse, real(1) / real(m))

    @staticmethod
    def backward(layer, site, cache, dy, run):
        x_hat, inverse, part = cache
        rows = dy.reshape(x_hat.shape)
        beta, gamma = sum_over_rows(rows), chained_over_rows(rows, x_hat)
        common = fma(x_hat, gamma, beta)
        dx = site.p.gamma * inverse * fma(-common, part, rows)
        return dx.reshape(dy.shape), {"gamma": gamma, "beta": beta}


class LayerNorm:
    @staticmethod
    def forward(layer, site, x, run):
        real, rows = x.dtype.type, _flat(x)
        n = real(rows.shape[1])
        mean = sum_within_rows(rows) / n
        d = rows - mean[:, None]
        variance = chained_within_rows(d, d) / n
        inverse = real(1) / np.sqrt(variance + real(layer.epsilon))
        x_hat = d * inverse[:, None]
        y = fma(site.p.gamma.ravel(), x_hat, site.p.beta.ravel())
        return y.reshape(x.shape), (x_hat, inverse)

    @staticmethod
    def backward(layer, site, cache, dy, run):
        x_hat, inverse = cache
        rows = _flat(dy)
        part = rows.dtype.type(1) / rows.dtype.type(rows.shape[1])
        h = rows * site.p.gamma.ravel()
        through_mean, through_variance = (
            sum_within_rows(h) * part,
            chained_within_rows(h, x_hat) * part,
        )
        dx = inverse[:, None] * (h - fma(x_hat, through_variance[:, None], through_mean[:, None]))
        shape = site.p.gamma.shape
        gamma, beta = chained_over_rows(rows, x_hat), sum_over_rows(rows)
        return dx.reshape(dy.shape), {"gamma": gamma.reshape(shape), "beta": beta.reshape(shape)}


KINDS = {
    getattr(layers, kind.__name__): kind
    for kind in (
        Dense, DropConnect, Dropout, AlphaDropout, GaussianDropout, GaussianNoise, Softmax,
        BatchNorm, LayerNorm, Columns,
    )
}  # fmt: skip
