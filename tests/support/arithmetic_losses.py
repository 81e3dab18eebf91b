"""The losses of docs/arithmetic.md in plain NumPy: each row's loss and slope, in the type of z."""

import math

import numpy as np
from arithmetic import chained_within_rows, fma, sum_within_rows
from arithmetic_functions import exp, log, quietly, sigmoid, softplus
from arithmetic_layers import softmax
from scipy import special

from thinnet import losses


def _one_hot(targets, z):
    if targets.ndim > 1:
        return targets.astype(z.dtype)
    t = np.zeros_like(z)
    t[np.arange(len(t)), targets] = 1
    return t


def cross_entropy(loss, z, targets):
    real, s = z.dtype.type, loss.label_smoothing
    t = fma(real(1 - s), _one_hot(targets, z), real(s) / real(z.shape[1]))
    found = softmax(z)
    log_sum = log(found.total.astype(np.float64)).astype(z.dtype)
    terms = np.where(t > 0, log_sum[:, None] - found.d, real(0))
    return chained_within_rows(t, terms), fma(found.e, found.inverse[:, None], -t)


def _of_outputs(values, slopes):
    """The mean over a row's outputs."""
    n = values.dtype.type(values.shape[1])
    return sum_within_rows(values) / n, slopes * (values.dtype.type(1) / n)


def binary(loss, z, targets):
    t = targets.astype(z.dtype)
    return _of_outputs(fma(-t, z, softplus(z)), sigmoid(z) - t)


def squared(loss, z, targets):
    error = z - targets.astype(z.dtype)
    return _of_outputs(error * error, z.dtype.type(2) * error)


def absolute(loss, z, targets):
    error = z - targets.astype(z.dtype)
    return _of_outputs(abs(error), np.sign(error))


def huber(loss, z, targets):
    real = z.dtype.type
    error = z - targets.astype(z.dtype)
    clipped = np.minimum(np.maximum(error, -real(loss.delta)), real(loss.delta))
    return _of_outputs(clipped * fma(real(-0.5), clipped, error), clipped)


def pinball(loss, z, targets):
    real = z.dtype.type
    error = z - targets.astype(z.dtype)
    p = np.repeat(loss.levels, z.shape[1] // len(loss.levels))
    side = np.where(error < 0, -p.astype(real), error)
    side = np.where(error > 0, (1 - p).astype(real), side)
    return _of_outputs(side * error, side)


def poisson(loss, z, targets):
    t, rate = targets.astype(z.dtype), exp(z)
    constant = special.gammaln(targets.astype(np.float64) + 1).astype(z.dtype)
    return _of_outputs(fma(-t, z, rate) + constant, rate - t)


@quietly
def gaussian(loss, z, targets):
    real, m = z.dtype.type, z.shape[1] // 2
    precision = exp(-z[:, m:])
    error = z[:, :m] - targets.astype(z.dtype)
    square = error * error * precision
    each = real(0.5) * (real(math.log(2 * math.pi)) + z[:, m:] + square)
    slope = [error * precision / real(m), real(0.5) * (real(1) - square) / real(m)]
    return sum_within_rows(each) / real(m), np.hstack(slope)


LOSSES = {
    losses.SoftmaxCrossEntropy: cross_entropy,
    losses.BinaryCrossEntropy: binary,
    losses.SquaredError: squared,
    losses.AbsoluteError: absolute,
    losses.Huber: huber,
    losses.Poisson: poisson,
    losses.Pinball: pinball,
    losses.GaussianNLL: gaussian,
}
