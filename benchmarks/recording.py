"""What recording costs: digits trained with and without it, in alternation.

Each pair trains the same network from the same seed, in an order that changes from pair to pair.
Prints the median ratio of times, its quartiles, and what the recording holds.
"""

import sys
import time

import numpy as np
from sklearn.datasets import load_digits

from thinnet import Adam, Dense, Dropout, Network, Recording, ReLU, train

EPOCHS, BATCH = 50, 128
CASES = {"256-256": (256, 256), "64": (64,)}


def layers(widths, classes=10):
    hidden = [layer for width in widths for layer in (Dense(width), ReLU(), Dropout(0.5))]
    return [*hidden, Dense(classes)]


def seconds(widths, X, y, held, recording):
    network = Network(layers(widths), X.shape[1], seed=0)
    callbacks = [] if recording is None else [recording]
    start = time.perf_counter()
    train(
        network, X, y, optimizer=Adam(0.001), epochs=EPOCHS, batch_size=BATCH,
        validation=held, callbacks=callbacks, progress=False,
    )  # fmt: skip
    return time.perf_counter() - start, network


def pair(widths, X, y, held, recorded_first):
    recording, found = Recording(), {}
    for recorded in (recorded_first, not recorded_first):
        found[recorded] = seconds(widths, X, y, held, recording if recorded else None)
    assert (found[True][1].theta == found[False][1].theta).all()
    return found[True][0], found[False][0], recording


def main(pairs):
    digits = load_digits()
    X, y = (digits.data / 16).astype(np.float32), digits.target
    X, y, held = X[:1437], y[:1437], (X[1437:], y[1437:])
    for name, widths in CASES.items():
        seconds(widths, X, y, held, Recording())
        times = [pair(widths, X, y, held, i % 2 == 0) for i in range(pairs)]
        ratios = [watched / alone for watched, alone, _ in times]
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        recording, alone = times[-1][2], np.median([t[1] for t in times])
        print(
            f"digits, {name}, {EPOCHS} epochs in {alone:.3f} s: recorded / not = {middle:.3f} "
            f"({low:.3f} to {high:.3f}, {pairs} pairs); {len(recording.keyframes_of())} keyframes "
            f"for {recording.steps().stop - 1} steps, {recording.nbytes / 1e6:.1f} MB"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
