"""A small network whose first layer looks up the columns of a table."""

import numpy as np

from thinnet import ColumnEncoding, Columns, Dense, Network, ReLU, train

COLUMNS = (
    ColumnEncoding(bins=6, values=1, categories=1), ColumnEncoding(categories=5),
    ColumnEncoding(bins=3, means=(0.75, 0.5, 0.25)), ColumnEncoding(values=2),
)  # fmt: skip


def encoded_rows(n=60):
    """Rows as `COLUMNS` reads them."""
    rng = np.random.default_rng(12)
    positions, others = rng.uniform(0, [6, 3], (n, 2)), rng.normal(size=(n, 3))
    codes = rng.integers(0, [2, 6], (n, 2))
    parts = positions[:, :1], others[:, :1], codes, positions[:, 1:], others[:, 1:]
    return np.hstack(parts).astype(np.float32)


def a_network_of_columns():
    network = Network([Columns(COLUMNS, Dense(7), 0.2), ReLU(), Dense(3)], features=7, seed=9)
    x = encoded_rows()
    train(network, x, x[:, :3], epochs=3, batch_size=8, progress=False)
    return network
