"""A step: what it does to the weights, written out by hand and in parts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_trainings import (
    CLASSES,
    FEATURES,
    ROWS,
    SEED,
    Recorder,
    layers,
    network,
    problem,
    trained,
)

from thinnet import SGD, Adam, Dense, DropConnect, Dropout, Network, ReLU, keep_mask, train
from thinnet.philox import permutation
from thinnet.schedules import InverseTime


def sgd(theta, g, memory, t):
    return theta - 0.1 * g


def momentum(theta, g, memory, t):
    memory["v"] = 0.9 * memory.get("v", 0) - 0.1 * g
    return theta + memory["v"]


def adam(theta, g, memory, t):
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * g**2
    m, v = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return theta - 0.01 * m / (np.sqrt(v) + 1e-8)


def by_hand(net, X, y, rule, l2, rate, epochs, batch):
    """The same training in plain NumPy, from the first weights of `net`."""
    W1, b1 = (a.copy() for a in net.sites[0].p)
    W2, b2 = (a.copy() for a in net.sites[3].p)
    parts, memory, step, seen = [W1, b1, W2, b2], [{}, {}, {}, {}], 0, []
    for epoch in range(epochs):
        order, losses, hits = permutation(SEED, "shuffle", epoch, len(X)), 0.0, 0
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            W1, b1, W2, b2 = parts
            keep = keep_mask(seed=SEED, layer=0, step=step, samples=rows, units=7, rate=rate)
            q = 1 - round(rate * 65536) / 65536
            a = X[rows] @ W1.T + b1
            h = np.maximum(a, 0) * keep / q
            z = h @ W2.T + b2
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            here = np.arange(len(rows))
            losses -= np.log(p[here, y[rows]]).sum()
            hits += (z.argmax(axis=1) == y[rows]).sum()
            dz = (p - np.eye(CLASSES)[y[rows]]) / len(rows)
            da = dz @ W2 * keep / q * (a > 0)
            slopes = [da.T @ X[rows] + 2 * l2 * W1, da.sum(axis=0), dz.T @ h, dz.sum(axis=0)]
            step += 1
            parts = [rule(w, g, m, step) for w, g, m in zip(parts, slopes, memory, strict=True)]
        seen.append((losses / len(X), hits / len(X), l2 * (parts[0] ** 2).sum()))
    return np.concatenate([w.ravel() for w in parts]), np.array(seen).T


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [(SGD(0.1), sgd), (SGD(0.1, momentum=0.9), momentum), (Adam(0.01), adam)],
    ids=["sgd", "momentum", "adam"],
)
def test_training_equals_the_same_loop_written_by_hand(optimizer, rule):
    X, y = problem()
    net = network(layers(rate=0.4, l2=0.02))
    theta, (losses, scores, penalties) = by_hand(net, X, y, rule, 0.02, 0.4, epochs=4, batch=8)
    history = train(net, X, y, optimizer=optimizer, epochs=4, batch_size=8, progress=False)
    assert_allclose(net.theta, theta, rtol=1e-10, atol=1e-13)
    assert_allclose(history["loss"], losses, rtol=1e-10)
    assert_allclose(history["score"], scores, rtol=1e-12)
    assert_allclose(history["penalty"], penalties, rtol=1e-10)


NOISY = {
    "dropout": layers(),
    "shared": [Dense(7), ReLU(), Dropout(0.4, share="batch"), Dense(CLASSES)],
    "dropconnect": [DropConnect(Dense(7), 0.4), ReLU(), Dense(CLASSES)],
}


@pytest.mark.parametrize("chain", NOISY.values(), ids=NOISY)
@pytest.mark.parametrize("parts", [2, 3, 4])
def test_a_step_in_micro_batches_is_the_step_of_the_whole_batch(chain, parts):
    whole, parted = trained(chain), trained(chain, accumulate=parts)
    assert_allclose(parted.theta, whole.theta, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("executor", ["reference", "compiled"])
def test_a_batch_that_is_cut_between_its_rows_is_learned_from_as_a_whole(executor):
    def theta(**settings):
        chain = Network(layers(), FEATURES, seed=SEED, dtype=np.float64, executor=executor)
        train(chain, *problem(300), batch_size=300, epochs=2, progress=False, **settings)
        return chain.theta

    assert_allclose(theta(accumulate=3), theta(), rtol=1e-10, atol=1e-12)


def test_micro_batches_and_weights_go_together():
    weights = np.random.default_rng(1).uniform(0, 2, size=ROWS)
    whole = trained(sample_weight=weights)
    assert_allclose(trained(sample_weight=weights, accumulate=3).theta, whole.theta, rtol=1e-10)


@pytest.mark.parametrize(("rows", "batch_size"), [(10, 4), (2, 8)])
def test_a_batch_with_fewer_rows_than_micro_batches_is_learned_from_all_the_same(rows, batch_size):
    whole = trained(data=problem(rows), batch_size=batch_size)
    parted = trained(data=problem(rows), batch_size=batch_size, accumulate=3)
    assert_allclose(parted.theta, whole.theta, rtol=1e-10, atol=1e-12)


def test_masks_go_with_the_rows_when_the_data_is_permuted():
    X, y = problem()
    order = np.random.default_rng(3).permutation(ROWS)
    straight = trained(data=(X, y), batch_size=None)
    permuted = trained(data=(X[order], y[order]), batch_size=None, samples=order)
    assert_allclose(permuted.theta, straight.theta, rtol=1e-10, atol=1e-12)
    assert not np.allclose(
        trained(data=(X[order], y[order]), batch_size=None).theta, straight.theta
    )


def test_rows_are_numbered_by_their_place_unless_ids_are_given():
    assert_array_equal(trained(samples=range(ROWS)).theta, trained().theta)
    assert (trained(samples=range(100, 100 + ROWS)).theta != trained().theta).any()


def test_ids_that_are_no_indices_name_the_masks_of_training():
    class Outputs(Recorder):
        def forward(self, site, x, run):
            if run.learns:
                self.learned.append(x != 0)
            return x, None

    seen, ids = Outputs(), np.arange(ROWS) * 7 + 4_000_000_000
    chain = [Dropout(0.5), seen, Dense(CLASSES)]
    net = trained(chain, batch_size=None, samples=ids, epochs=2)
    for step in (0, 1):
        assert_array_equal(seen.learned[step], net.masks(step=step, samples=ids)[0])


def test_each_layer_that_draws_has_masks_of_its_own_number():
    class Kept(Recorder):
        def forward(self, site, x, run):
            if run.learns:
                self.learned.append(x != 0)
            return x, None

    first, second = Kept(), Kept()
    chain = [Dropout(0.25), first, Dropout(0.5), second, Dense(CLASSES)]
    trained(chain, batch_size=None, epochs=1)
    coordinates = {"seed": SEED, "step": 0, "samples": range(ROWS), "units": FEATURES}
    masks = [keep_mask(layer=i, rate=r, **coordinates) for i, r in ((0, 0.25), (1, 0.5))]
    assert_array_equal(first.learned[0], masks[0])
    assert_array_equal(second.learned[0], masks[0] & masks[1])


def test_a_row_of_weight_two_counts_as_the_row_twice():
    X, y = problem()
    weights = np.ones(ROWS)
    weights[[3, 5]] = 2
    twice = [*range(ROWS), 3, 5]
    whole = {"batch_size": None, "optimizer": SGD(0.1)}
    weighted = trained(layers(rate=0.0), sample_weight=weights, **whole)
    repeated = trained(layers(rate=0.0), (X[twice], y[twice]), **whole)
    assert_allclose(weighted.theta, repeated.theta, rtol=1e-10, atol=1e-13)


def test_rows_of_weight_zero_change_nothing():
    X, y = problem()
    weights = np.r_[np.ones(12), np.zeros(8)]
    half = trained(data=(X[:12], y[:12]), batch_size=None, optimizer=SGD(0.1))
    padded = trained(batch_size=None, optimizer=SGD(0.1), sample_weight=weights)
    assert_allclose(padded.theta, half.theta, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"clean_rows": 1}], ids=str)
def test_a_batch_or_part_without_any_weight_breaks_nothing(settings):
    for only in range(4):
        weights = np.eye(4)[only]
        net = trained(data=problem(4), sample_weight=weights, **settings)
        assert np.isfinite(net.theta).all()


@pytest.mark.parametrize("limit", [1e-3, 1e3])
def test_a_step_is_no_longer_than_the_clipped_gradient(limit):
    free = trained(batch_size=None, epochs=1, optimizer=SGD(1.0)).theta - network().theta
    net = trained(batch_size=None, epochs=1, optimizer=SGD(1.0), clip_norm=limit)
    wanted = free * min(1.0, limit / np.linalg.norm(free))
    assert_allclose(net.theta - network().theta, wanted, rtol=1e-9, atol=1e-15)


def test_what_is_absent_does_not_count_when_a_gradient_is_clipped():
    chain = [Dense(7, l2=5.0), ReLU(), Dropout(0.5, share="batch"), Dense(CLASSES)]
    net = trained(chain, batch_size=None, epochs=1, optimizer=SGD(1.0), clip_norm=0.1)
    moved = net.theta - network(chain).theta
    assert_allclose(np.linalg.norm(moved), 0.1, rtol=1e-9)
    assert (moved[:35].reshape(7, 5) == 0).all(axis=1).any()


def test_a_schedule_sets_the_learning_rate_of_each_step():
    net = network()
    rates = []

    class Watch:
        def on_step_end(self, training):
            rates.append(training.learning_rate)

    schedule = InverseTime(0.5, decay=1.0)
    train(net, *problem(), optimizer=SGD(schedule), batch_size=8, epochs=1, callbacks=[Watch()])
    assert rates == [0.5 / 2, 0.5 / 3, 0.5 / 4]


def test_a_learning_rate_of_zero_leaves_the_weights_alone():
    assert_array_equal(trained(optimizer=Adam(0.0)).theta, network().theta)


def test_no_unit_exceeds_its_norm_after_training():
    net = trained([Dense(7, max_norm=0.5), ReLU(), Dense(CLASSES)], optimizer=SGD(0.5))
    assert (np.linalg.norm(net.sites[0].p.W, axis=1) <= 0.5 + 1e-12).all()
