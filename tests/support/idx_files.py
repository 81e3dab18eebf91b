"""Four small idx files under the official names: a class is a bright bar at its own height.

As a script, `python tests/idx_files.py FOLDER` writes them there.
"""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np


def write_idx(path, values):
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes()))


def write_bars(folder, n_train=512, n_test=100):
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", n_train), ("t10k", n_test)):
        labels = rng.integers(10, size=rows)
        images = rng.integers(100, size=(rows, 28, 28))
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 4 : 2 * label + 6] = 255
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", labels)
    return folder


if __name__ == "__main__":
    write_bars(Path(sys.argv[1]))
