"""Altered idx files: what they hold, or a DataFileError in one sentence.

No warning, no other exception, and memory in proportion to what the file says that it holds.
"""

import gzip
import struct
import warnings

import numpy as np
from altering import altered, one_sentence

from thinnet.checks import DataFileError
from thinnet.datasets import FILES, mnist, read_idx

ALONE, SECONDS = False, 20


def prepare(folder):
    rng = np.random.default_rng(0)
    return [
        idx(rng.integers(256, size=shape)) if "images" in name else idx(rng.integers(10, size=9))
        for name, shape in zip(FILES, [(9, 4, 4)] * 4, strict=True)
    ]


def idx(values, shape=None):
    shape = values.shape if shape is None else shape
    header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    return header + values.astype(np.uint8).tobytes()


def damaged(rng, content):
    return altered(rng, content)


def packed(rng, content):
    return altered(rng, gzip.compress(content))


def altered_before_packing(rng, content):
    return gzip.compress(altered(rng, content))


def other_shape(rng, content):
    shape = [int(rng.choice([0, 1, 2, 9, 2**31, 2**32 - 1])) for _ in range(rng.integers(0, 6))]
    return idx(np.frombuffer(content, np.uint8), shape)


def a_bomb(rng, content):
    """A few kilobytes that unpack to half a gigabyte of which the header says nothing."""
    return gzip.compress(content) + ZEROS * 8


ZEROS = gzip.compress(bytes(2**26), 9)
WAYS = [damaged, packed, altered_before_packing, other_shape]


def attempt(rng, contents, folder):
    way = a_bomb if rng.random() < 0.005 else WAYS[rng.integers(len(WAYS))]
    bad = int(rng.integers(4))
    for i, (name, content) in enumerate(zip(FILES, contents, strict=True)):
        (folder / name).write_bytes(way(rng, content) if i == bad else content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_alone(folder / FILES[bad])
        check_all(folder)
    return way.__name__


def check_alone(path):
    try:
        assert read_idx(path).dtype == np.uint8
    except DataFileError as error:
        one_sentence(error, str(path))


def check_all(folder):
    try:
        split = mnist(folder)
    except DataFileError as error:
        one_sentence(error, str(folder))
        return
    assert len(split.X_train) == len(split.y_train)
    assert 0 <= split.X_train.min() <= split.X_train.max() <= 1
    assert split.y_train.max(initial=0) < 10
