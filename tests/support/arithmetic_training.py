"""A training by docs/arithmetic.md alone, in plain NumPy: steps of a network of known layers."""

import math
from types import SimpleNamespace

import numpy as np
from arithmetic import chained_within_rows, fma, sum_over_rows
from arithmetic_functions import power
from arithmetic_layers import ACTIVATIONS, KINDS, SLOPES, Dropout
from arithmetic_losses import LOSSES

from thinnet import SGD, Adagrad, AdamW, RMSprop, Run, layers, masks
from thinnet.layers import Flatten, Identity, Sigmoid, Tanh
from thinnet.optimizers.base import at_least_tiny


class OracleSite:
    """Arrays of the oracle's own, beside the addresses of the masks."""

    def __init__(self, layer, site):
        self._layer, self._site, self.out = layer, site, site.out
        self.rate, self.keep, self.normals = site.rate, site.keep, site.normals
        self.p, self.s, self._counters = (
            SimpleNamespace(**{n: getattr(group, n).copy() for n in getattr(group, "_fields", ())})
            for group in (site.p, site.s, site.counters)
        )
        self._where = True

    def start(self, run):
        kept = self._site.presence(run)
        self._where = True if kept is None or kept.ndim > 1 else kept

    def keep_weights(self, run, rate):
        return self._layer.keep(self._site, run, 1)

    def keep_columns(self, run, rate, columns, rows):
        shared = self._layer.share == "batch"
        ids = [masks.SHARED] if shared else run.samples(rows)
        kept = masks.mask(self._site.stream(run), np.array(ids, np.uint32), columns, rate)
        return np.broadcast_to(kept, (rows, columns))

    def counted(self):
        """How often each unit's batches have been seen, with this one."""
        np.add(self._counters.seen, 1, out=self._counters.seen, where=self._where)
        return self._counters.seen.astype(np.float64)

    def learn(self, name, weight, batch):
        old = getattr(self.s, name)
        np.copyto(old, fma(weight, batch - old, old), where=self._where)


class OracleTraining:
    """Steps of `network`, whose own arrays stay as they are."""

    def __init__(self, network, loss, optimizer, clip_norm=None):
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.clip_norm, self.real = clip_norm, network.dtype.type
        pairs = zip(network.layers, network.sites, strict=True)
        self.places = [(layer, OracleSite(layer, site)) for layer, site in pairs]
        self.state = [part.copy() for part in optimizer.start(network.theta)]
        self.t = 0

    @property
    def theta(self):
        parts = [w.ravel() for _, site in self.places for w in vars(site.p).values()]
        return np.concatenate(parts)

    def forward(self, x, run):
        caches = []
        for i, (layer, site) in enumerate(self.places):
            kind = type(layer)
            site.start(run)
            if kind in (Identity, Flatten):
                x, cache = x.reshape(len(x), *site.out), x.shape
            elif kind in ACTIVATIONS:
                y = ACTIVATIONS[kind](x, layer)
                x, cache = y, (x, self._undone(i, y, run))
            else:
                x, cache = KINDS[kind].forward(layer, site, x, run)
                x = x.reshape(len(x), *site.out)
            caches.append(cache)
        return x, caches

    def _undone(self, i, y, run):
        """The output of an activation as it is read off what a dropout behind it has scaled."""
        layer, behind = self.places[i][0], self.places[i + 1 : i + 2]
        if type(layer) in (Tanh, Sigmoid) and behind and type(behind[0][0]) is layers.Dropout:
            scale = Dropout.scale(*behind[0], run, self.real)
            if scale != 0:
                return (y * scale) * (self.real(1) / scale)
        return y

    def backward(self, caches, dy, run):
        gradients = [{} for _ in self.places]
        for i in reversed(range(len(self.places))):
            (layer, site), cache = self.places[i], caches[i]
            kind = type(layer)
            if kind in (Identity, Flatten):
                dy = dy.reshape(cache)
            elif kind in SLOPES:
                dy = SLOPES[kind](*cache, dy, layer)
            else:
                dy, gradients[i] = KINDS[kind].backward(layer, site, cache, dy, run)
                dy = dy if i == 0 else dy.reshape(len(dy), *self.places[i - 1][1].out)
        return gradients

    def step(self, X, targets, weights, ids, learning_rate):
        """One step on a whole batch; its loss."""
        run = Run.train(self.t, ids)
        z, caches = self.forward(X.astype(self.real), run)
        each, slope = LOSSES[type(self.loss)](self.loss, z.reshape(len(z), -1), targets)
        total = float(len(X)) if weights is None else math.fsum(weights.tolist())
        share = (np.ones(len(X)) if weights is None else weights) / total
        value = sum_over_rows(each.astype(np.float64) * share)
        slope = slope * share.astype(self.real)[:, None]
        gradients = self.backward(caches, slope.reshape(z.shape), run)
        self._update(gradients, learning_rate, run)
        self.t += 1
        return value

    def _update(self, gradients, learning_rate, run):
        for (layer, site), found in zip(self.places, gradients, strict=True):
            self._penalise(layer, site, found)
        self._leave_out_absent(gradients, run)
        if self.clip_norm is not None:
            self._clip(gradients)
        self._move(gradients, learning_rate, run)
        for layer, site in self.places:
            self._limit(getattr(layer, "dense", layer), site, run)

    def _penalise(self, layer, site, found):
        dense = getattr(layer, "dense", layer)
        for name, before in (("W", ""), ("b", "bias_")):
            if name in found:
                l1, l2 = (getattr(dense, f"{before}{which}") for which in ("l1", "l2"))
                w = getattr(site.p, name)
                g = found[name] + self.real(l1) * np.sign(w) if l1 else found[name]
                found[name] = fma(self.real(2 * l2), w, g) if l2 else g

    def _leave_out_absent(self, gradients, run):
        presence, start = self.network.presence(run), 0
        for found, (_, site) in zip(gradients, self.places, strict=True):
            for name, w in vars(site.p).items():
                if presence is not None:
                    kept = presence.kept[start : start + w.size].reshape(w.shape)
                    found[name] = np.where(kept, found[name], self.real(0))
                start += w.size

    def _clip(self, gradients):
        total = 0.0
        for found in gradients:
            for name, g in found.items():
                rows = g.astype(np.float64).reshape(len(g) if name == "W" else 1, -1)
                for square in chained_within_rows(rows, rows):
                    total = total + square
        norm = math.sqrt(total)
        if norm > self.clip_norm:
            for found in gradients:
                for name in found:
                    found[name] = found[name] * self.real(self.clip_norm / norm)

    def _limit(self, dense, site, run):
        most = getattr(dense, "max_norm", None)
        if most is None:
            return
        rows = site.p.W.astype(np.float64)
        kept = site._where
        for unit, square in enumerate(chained_within_rows(rows, rows)):
            norm = math.sqrt(square)
            if norm > most and (kept is True or kept[unit]):
                site.p.W[unit] = site.p.W[unit] * self.real(most / norm)

    def _move(self, gradients, learning_rate, run):
        parts = [
            gradients[i][name].ravel()
            for i, (_, site) in enumerate(self.places)
            for name in vars(site.p)
        ]
        g, theta = np.concatenate(parts), self.theta
        presence = self.network.presence(run)
        kept = np.ones(len(theta), bool) if presence is None else presence.kept
        chance = np.ones(len(theta)) if presence is None else presence.probability
        new, state = self._optimized(theta, g, chance, self.real(learning_rate))
        theta = np.where(kept, new, theta)
        self.state = [np.where(kept, b, a) for a, b in zip(self.state, state, strict=True)]
        start = 0
        for _, site in self.places:
            for name, w in vars(site.p).items():
                setattr(site.p, name, theta[start : start + w.size].reshape(w.shape))
                start += w.size

    def _stored(self, moment):
        """Without numbers below the smallest normal one."""
        return np.where(abs(moment) < np.finfo(self.real).tiny, self.real(0), moment)

    def _optimized(self, w, g, chance, lr):
        real, o = self.real, self.optimizer
        if type(o) is SGD:
            return self._descended(w, g, lr)
        epsilon = at_least_tiny(o.epsilon, w)
        if type(o) in (Adagrad, RMSprop):
            (squares,) = self.state
            if type(o) is Adagrad:
                s = g * g + squares
            else:
                s = fma(real(1 - o.rho), g * g, real(o.rho) * squares)
            s = self._stored(s)
            return w - lr * g / (np.sqrt(s) + real(epsilon)), [s]
        first, second = self.state
        m = self._stored(fma(real(1 - o.beta_1), g, real(o.beta_1) * first))
        v = self._stored(fma(real(1 - o.beta_2), g * g, real(o.beta_2) * second))
        c_1, c_2, hat = self._corrections(chance)
        decay = real(o.weight_decay) * lr if type(o) is AdamW else real(0)
        epsilon = (epsilon * hat).astype(real)
        move = lr * c_1 * m / (np.sqrt(v * c_2) + epsilon)
        return fma(-decay, w, w) - move, [m, v]

    def _corrections(self, chance):
        """For each parameter, by the steps that it has been through."""
        o, counts = self.optimizer, 1 + self.t * chance
        by = {
            count: [1 / (1 - power(beta, count)) for beta in (o.beta_1, o.beta_2)]
            for count in set(counts.tolist())
        }
        both = np.array([by[count] for count in counts.tolist()])
        hat = np.sqrt(both[:, 1]) if getattr(o, "epsilon_hat", False) else np.ones(len(both))
        return both[:, 0].astype(self.real), both[:, 1].astype(self.real), hat

    def _descended(self, w, g, lr):
        if not self.optimizer.momentum:
            return fma(-lr, g, w), []
        mu, step = self.real(self.optimizer.momentum), lr * g
        v = self._stored(fma(mu, self.state[0], -step))
        return w + (fma(mu, v, -step) if self.optimizer.nesterov else v), [v]
