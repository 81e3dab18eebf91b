"""JAX: a compiled step that Python calls, and a whole epoch as one compiled scan."""

from __future__ import annotations

import jax
import numpy as np
from harness import Prepared
from jax import lax
from jax import numpy as jnp
from problems import Elements, Sampling, Training


def keep_scaled(key, x, rate, shape):
    return jnp.where(jax.random.bernoulli(key, 1 - rate, shape), x / (1 - rate), 0)


def layers_of(problem):
    """Weights of shape (width, units): products with their transpose are slower."""
    return [(jnp.asarray(layer.W.T.copy()), jnp.asarray(layer.b)) for layer in problem.weights()]


def forward(layers, x, key, rates, shared=False):
    """Raw outputs; with `shared` one mask for all rows."""
    for i, (W, b) in enumerate(layers):
        rate = rates[0] if i == 0 else rates[1]
        if rate:
            shape = (1, x.shape[1]) if shared else x.shape
            x = keep_scaled(jax.random.fold_in(key, i), x, rate, shape)
        x = x @ W + b
        if i < len(layers) - 1:
            x = jax.nn.relu(x)
    return x


def loss_of(problem: Training, rates):
    def loss(layers, x, y, key):
        z = forward(layers, x, key, rates, problem.thinned)
        if not problem.classifies:
            return jnp.mean((z - y) ** 2)
        return -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(len(y)), y])

    return loss


def start(problem: Training):
    layers = layers_of(problem)
    zeros = jax.tree.map(jnp.zeros_like, layers)
    return layers, zeros, jax.tree.map(jnp.zeros_like, layers), jnp.zeros((), jnp.int32)


def adam(problem, layers, first, second, t, g):
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, g)
    by_1, by_2 = 1 / (1 - 0.9 ** (t + 1.0)), 1 / (1 - 0.999 ** (t + 1.0))

    def moved(w, m, v):
        return w - problem.learning_rate * m * by_1 / (jnp.sqrt(v * by_2) + 1e-8)

    return jax.tree.map(moved, layers, m, v), m, v, t + 1


def step_of(problem: Training, rates):
    gradient = jax.grad(loss_of(problem, rates))

    def step(state, x, y, key):
        layers, first, second, t = state
        g = gradient(layers, x, y, jax.random.fold_in(key, t))
        if problem.optimizer == "adam":
            return adam(problem, layers, first, second, t, g)
        layers = jax.tree.map(lambda w, g: w - problem.learning_rate * g, layers, g)
        return layers, first, second, t + 1

    return step


def checked_loss(problem: Training) -> float:
    X, y = map(jnp.asarray, problem.data())
    step, state = jax.jit(step_of(problem, (0.0, 0.0))), start(problem)
    for i in range(problem.checked_epochs * problem.checked_batches):
        first = i % problem.checked_batches * problem.batch
        rows = slice(first, first + problem.batch)
        state = step(state, X[rows], y[rows], jax.random.key(0))
    first = slice(0, problem.batch)
    loss = loss_of(problem, (0.0, 0.0))
    return float(loss(state[0], X[first], y[first], jax.random.key(0)))


def training(problem: Training) -> Prepared:
    """A call for each step, the batch gathered inside it."""
    X, y = map(jnp.asarray, problem.data())
    inner = step_of(problem, problem.rates)

    def with_rows(state, X, y, rows, key):
        return inner(state, X[rows], y[rows], key)

    step, key = jax.jit(with_rows, donate_argnums=0), jax.random.key(0)
    holder = [start(problem)]

    def work() -> None:
        state, order = holder[0], jnp.asarray(problem.order(0).reshape(problem.batches, -1))
        for rows in order:
            state = step(state, X, y, rows, key)
        holder[0] = jax.block_until_ready(state)

    return Prepared(work, problem.batches, checked_loss(problem))


def scanned_training(problem: Training) -> Prepared:
    """An epoch as one compiled call."""
    X, y = map(jnp.asarray, problem.data())
    inner, key = step_of(problem, problem.rates), jax.random.key(0)

    def epoch(state, order, X, y):
        def body(state, rows):
            return inner(state, X[rows], y[rows], key), None

        return lax.scan(body, state, order)[0]

    compiled, holder = jax.jit(epoch, donate_argnums=0), [start(problem)]

    def work() -> None:
        order = jnp.asarray(problem.order(0).reshape(problem.batches, -1))
        holder[0] = jax.block_until_ready(compiled(holder[0], order, X, y))

    return Prepared(work, problem.batches, checked_loss(problem))


def sampling(problem: Sampling, shared: bool = False) -> Prepared:
    X = jnp.asarray(problem.data())
    layers = layers_of(problem)
    rates = (0.0, problem.rate)
    draw = jax.jit(lambda X, key: forward(layers, X, key, rates, shared))

    def work() -> np.ndarray:
        keys = jax.random.split(jax.random.key(0), problem.draws)
        return np.stack([draw(X, key) for key in keys])

    return Prepared(work, problem.draws)


def shared_sampling(problem: Sampling) -> Prepared:
    return sampling(problem, shared=True)


def dropout(problem: Elements) -> Prepared:
    x, rate = jnp.asarray(problem.array()), problem.rate

    def one_way(x, key):
        return keep_scaled(key, x, rate, x.shape)

    def both(x, key):
        y, pull = jax.vjp(lambda x: one_way(x, key), x)
        return y, pull(y)

    step, key = jax.jit(both if problem.backward else one_way), jax.random.key(0)
    return Prepared(lambda: jax.block_until_ready(step(x, key)), problem.size)
