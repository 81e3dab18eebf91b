"""Images of clothes and of digits, 28 x 28, from four idx files each."""

from __future__ import annotations

import os
from typing import Final

import numpy as np

from thinnet.arrays import Array
from thinnet.checks import DataFileError
from thinnet.datasets.idx import read_idx
from thinnet.datasets.sources import FASHION_MNIST, FILES, MNIST, Source, find
from thinnet.datasets.splits import Split

N_CLASSES: Final = 10


def fashion_mnist(data_dir: str | os.PathLike[str] | None = None) -> Split:
    """Fashion-MNIST (Xiao et al. 2017): 60,000 + 10,000 images of 28 x 28, flat, in [0, 1].

    Parameters
    ----------
    data_dir : path, optional
        A folder with the four official idx files, packed or not; by default the cache, where
        they are put after a download with the official checksums.

    Returns
    -------
    Split
        float32 pixels, shape (rows, 784), and labels 0 to 9 of the two parts.

    Raises
    ------
    DataFileError
        If a file is missing and can't be downloaded, is cut short, or is no idx file.

    Examples
    --------
    >>> fashion_mnist("no such folder")
    Traceback (most recent call last):
        ...
    thinnet.checks.DataFileError: no such folder must hold the four idx files ...
    """
    return _load(FASHION_MNIST, data_dir)


def mnist(data_dir: str | os.PathLike[str] | None = None) -> Split:
    """MNIST (LeCun et al. 1998): handwritten digits, otherwise as `fashion_mnist`."""
    return _load(MNIST, data_dir)


def _load(source: Source, data_dir: str | os.PathLike[str] | None) -> Split:
    paths = [find(source, file, data_dir) for file in FILES]
    X_train, y_train, X_test, y_test = (read_idx(path) for path in paths)
    for images, labels, path in ((X_train, y_train, paths[1]), (X_test, y_test, paths[3])):
        if images.size == 0:
            raise DataFileError(f"{path.parent} must hold images, got shape {images.shape}")
        if labels.size and labels.max() >= N_CLASSES:
            raise DataFileError(
                f"{path} must hold labels from 0 to {N_CLASSES - 1}, got {labels.max()}"
            )
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise DataFileError(
                f"{path} must hold a label for each image of the file beside it, got "
                f"{labels.shape} labels for {images.shape} images"
            )
    return Split(_pixels(X_train), y_train.astype(np.intp), _pixels(X_test), y_test.astype(np.intp))


def _pixels(images: Array) -> Array:
    return images.reshape(len(images), -1) / np.float32(255)
