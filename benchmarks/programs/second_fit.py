"""The peak memory of a second fit of 60,000 x 784 float32, above what stood before it, in MB."""

import gc
import threading
import time
from pathlib import Path

import numpy as np

from thinnet import Network, train
from thinnet.layers import mlp as chains

PAGE = 4096


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def fit() -> None:
    network = Network(chains.mlp((256, 256), 10, dropout=(0.2, 0.5)), 784, seed=0)
    train(network, X, y, epochs=2, batch_size=256, validation=(X, y), progress=False)


rng = np.random.default_rng(0)
X = rng.random(size=(60_000, 784), dtype=np.float32)
y = rng.integers(0, 10, len(X))
fit()
gc.collect()
before, most, done = resident(), [0], threading.Event()


def watch() -> None:
    while not done.is_set():
        most[0] = max(most[0], resident())
        time.sleep(0.002)


watcher = threading.Thread(target=watch)
watcher.start()
fit()
done.set()
watcher.join()
print((most[0] - before) / 1e6)
