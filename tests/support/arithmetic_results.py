"""What is made of outputs, by docs/arithmetic.md in plain Python: losses, scores, mixtures."""

import math

import numpy as np
from arithmetic_numbers import (
    HALF_LOG_2_PI,
    cdf,
    density,
    exp,
    lanes,
    lgamma,
    log,
    log_chance,
    log_sum_exp,
    mean,
    normal_quantile,
    poisson_cdf,
    rows,
    sigmoid,
    softmax,
    softplus,
)

from thinnet import losses


def cross_entropy(loss, z, t):
    top, n, s = max(z), len(z), loss.label_smoothing
    log_sum = log(lanes([exp(each - top) for each in z]))
    t = [float(k == t) for k in range(n)] if np.ndim(t) == 0 else t
    t = [(1 - s) * each + s / n for each in t] if s else t
    return lanes([a * (log_sum - (b - top)) if a > 0 else 0.0 for a, b in zip(t, z, strict=True)])


def huber(error, delta):
    slope = min(max(error, -delta), delta)
    return slope * (error - slope / 2)


def gaussian(z, t):
    m = len(t)
    each = []
    for mu, s, y in zip(z[:m], z[m:], t, strict=True):
        error = mu - y
        each.append((2 * HALF_LOG_2_PI + s + error * error * exp(-s)) / 2)
    return mean(each)


def of_outputs(loss, z, t):
    """The loss of each of a row's outputs."""
    for a, y in zip(z, t, strict=True):
        error = a - y
        if isinstance(loss, losses.SquaredError):
            yield error * error
        elif isinstance(loss, losses.AbsoluteError):
            yield abs(error)
        elif isinstance(loss, losses.Huber):
            yield huber(error, loss.delta)
        elif isinstance(loss, losses.BinaryCrossEntropy):
            yield softplus(a) - y * a
        else:
            yield exp(a) - y * a + lgamma(y + 1.0)


def pinball(loss, z, t):
    """The loss of each of a row's outputs, which lie level by level."""
    n = len(z) // len(loss.levels)
    for i, (a, y) in enumerate(zip(z, t, strict=True)):
        p, error = loss.levels[i // n], a - y
        yield (1 - p) * error if error > 0 else -p * error


def row_loss(loss, z, t):
    if isinstance(loss, losses.SoftmaxCrossEntropy):
        return cross_entropy(loss, z, t)
    if isinstance(loss, losses.GaussianNLL):
        return gaussian(z, t)
    if isinstance(loss, losses.Pinball):
        return mean([*pinball(loss, z, t)])
    return mean([*of_outputs(loss, z, t)])


def relative(weights, n):
    total = n if weights is None else math.fsum(weights)
    return [w / total for w in ([1.0] * n if weights is None else weights)]


def loss_of(loss, z, t, weights=None):
    """The mean loss of rows of outputs `z` with targets `t`."""
    shares = relative(weights, len(z))
    each = [row_loss(loss, a, b) for a, b in zip(z.tolist(), t.tolist(), strict=True)]
    rounded = np.array(each).astype(z.dtype).tolist()  # to the type of the network
    return rows([w * value for w, value in zip(shares, rounded, strict=True)])


def r_squared(predicted, t, weights=None):
    w = relative(weights, len(t))
    found = []
    for column, y in zip(predicted.T.tolist(), t.T.tolist(), strict=True):
        pairs = list(zip(w, column, y, strict=True))
        residual = rows([a * ((b - p) * (b - p)) for a, p, b in pairs])
        shifted = [b - y[0] for b in y]
        center = rows([a * b for a, b in zip(w, shifted, strict=True)])
        spread = rows([a * ((b - center) * (b - center)) for a, b in zip(w, shifted, strict=True)])
        found.append(1 - residual / spread if spread > 0 else 0.0)
    return mean(found)


def probabilities(z, dtype):
    """Softmax of each row, rounded to the type of the network."""
    return np.array([softmax(row) for row in z.tolist()]).astype(dtype)


def sigmoids(z, dtype):
    return np.array([[sigmoid(a) for a in row] for row in z.tolist()]).astype(dtype)


def gaussian_log_density(centers, spread, y):
    """Of one row: centers of shape (n_draws, outputs)."""
    of_draws = []
    for row in centers.tolist():
        each = []
        for center, s, target in zip(row, spread, y, strict=True):
            error = (target - center) / s
            each.append(-error * error / 2 - log(s) - HALF_LOG_2_PI)
        of_draws.append(lanes(each))
    return log_sum_exp(of_draws) - log(len(of_draws))


def gaussian_cdf(centers, spread, y):
    return mean([cdf((y - center) / spread) for center in centers])


def gaussian_quantile(centers, spread, level):
    """Of one output, by the steps of docs/arithmetic.md."""
    ends = [center + spread * normal_quantile(level) for center in centers]
    low, high = min(ends), max(ends)
    near, z = 1e-10 * (high - low), (low + high) / 2
    while near > 0:
        scaled = [(z - center) / spread for center in centers]
        over = mean([cdf(x) for x in scaled]) - level
        slope = mean([density(x) / spread for x in scaled])
        low, high = (z, high) if over < 0 else (low, z)
        newton = z - over / slope if slope else math.nan
        step = (newton if low < newton < high else (low + high) / 2) - z
        z = z + step
        if abs(step) <= near:
            break
    return z


def poisson_log_density(rates, y):
    """Of one row: rates of shape (n_draws, outputs)."""
    of_draws = [lanes([*map(log_chance, y, row)]) for row in rates.tolist()]
    return log_sum_exp(of_draws) - log(len(of_draws))


def poisson_distribution(rates, y):
    return mean([poisson_cdf(y, rate) for rate in rates])


def poisson_quantile(rates, level):
    k = 0.0
    while poisson_distribution(rates, k) < level:
        k += 1
    return k


def weighted_mean(values, weights=None):
    if weights is None:
        return rows(values) / len(values)
    return rows([w * v for w, v in zip(weights, values, strict=True)]) / math.fsum(weights)
