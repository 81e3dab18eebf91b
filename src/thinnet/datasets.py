"""Data to begin with: digits (bundled), spirals (made), Fashion-MNIST and MNIST (idx files)."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from rich.progress import Progress

from thinnet import checks
from thinnet.arrays import Array
from thinnet.checks import DataFileError


class Split(NamedTuple):
    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array


def digits() -> Split:
    """scikit-learn's 1,797 handwritten digits, 8 x 8, in [0, 1]: 1,437 to train, 360 to test.

    The split is stratified and always the same.

    Examples
    --------
    >>> digits().X_train.shape
    (1437, 64)
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=360, stratify=y, random_state=0
    )
    return Split(X_train, y_train, X_test, y_test)


def spiral(
    n_per_class: int = 1000, n_classes: int = 3, *, noise: float = 0.2, seed: int = 0
) -> tuple[Array, Array]:
    """Points on intertwined arms with noise, as in Kinsley and Kukiela 2020, chapter 3.

    Parameters
    ----------
    n_per_class, n_classes : int
        At least 1.
    noise : float
        Standard deviation of the angles, at least 0, in units of 2.5 radians; 0.2 there.
    seed : int
        Of the noise.

    Returns
    -------
    X : float32 array, shape (n_per_class * n_classes, 2)
    y : int array, shape (n_per_class * n_classes,)

    Raises
    ------
    ValueError
        If a count is below 1, or the noise below 0.

    Examples
    --------
    >>> X, y = spiral(100)
    >>> X.shape, int(y.max())
    ((300, 2), 2)
    """
    checks.integer("n_per_class", n_per_class, 1)
    checks.integer("n_classes", n_classes, 1)
    checks.non_negative("noise", noise)
    off = np.random.default_rng(seed).normal(scale=noise, size=(n_classes, n_per_class))
    radius = np.linspace(0, 1, n_per_class)
    start = 4.0 * np.arange(n_classes)[:, None]
    angle = 2.5 * (start + np.linspace(0, 4, n_per_class) + off)
    X = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=-1)
    y = np.repeat(np.arange(n_classes), n_per_class)
    return X.reshape(-1, 2).astype(np.float32), y


class Source(NamedTuple):
    """Where four official idx files come from, with their official md5 sums."""

    name: str
    url: str
    md5: dict[str, str]


N_CLASSES: Final = 10
FILES: Final = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
FASHION_MNIST: Final = Source(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    dict(
        zip(
            FILES,
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
            strict=True,
        )
    ),
)
MNIST: Final = Source(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    dict(
        zip(
            FILES,
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
            strict=True,
        )
    ),
)


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
    paths = [_find(source, file, data_dir) for file in FILES]
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


def _find(source: Source, file: str, data_dir: str | os.PathLike[str] | None) -> Path:
    """The path of an idx file, packed or not, after a download where it is needed and possible."""
    if data_dir is None:
        return _cached(source, file)
    folder = Path(data_dir)
    for path in (folder / file, folder / file.removesuffix(".gz")):
        if path.is_file():
            return path
    raise DataFileError(
        f"{folder} must hold the four idx files {', '.join(FILES)} of {source.name}, got no {file}"
    )


def _cached(source: Source, file: str) -> Path:
    """The file in the cache, downloaded unless it is there with the official checksum."""
    import pooch

    cache = Path(pooch.os_cache("thinnet")) / source.name
    try:
        with Progress(transient=True) as progress:
            downloader = pooch.HTTPDownloader(progressbar=_Bar(progress, file), timeout=20)
            return Path(
                pooch.retrieve(
                    source.url + file,
                    known_hash=f"md5:{source.md5[file]}",
                    fname=file,
                    path=cache,
                    downloader=downloader,
                )
            )
    except ValueError as error:
        raise DataFileError(
            f"{file} of {source.name} must have the official checksum {source.md5[file]}, "
            "got a download with another"
        ) from error
    except OSError as error:
        raise DataFileError(
            f"{file} of {source.name} could not be downloaded ({type(error).__name__}); put the "
            f"four files {', '.join(FILES)} into {cache}, or into a folder named by data_dir"
        ) from error


class _Bar:
    """pooch's progress interface on a rich bar."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress, self._task = progress, progress.add_task(title, total=None)
        self._total = 0

    @property
    def total(self) -> int:
        return self._total

    @total.setter
    def total(self, value: int) -> None:
        self._total = value
        self._progress.update(self._task, total=value)

    def update(self, n: int) -> None:
        self._progress.advance(self._task, n)

    def reset(self) -> None:
        self._progress.reset(self._task, total=self._total)

    def close(self) -> None:
        pass


def read_idx(path: str | os.PathLike[str]) -> Array:
    """The bytes of an idx file (LeCun's format), packed by gzip or not.

    Parameters
    ----------
    path : path
        A file of unsigned bytes, with 1 to 4 axes.

    Returns
    -------
    uint8 array, of the shape that the file states

    Raises
    ------
    DataFileError
        If the file can't be read, is cut short or too long, or is no idx file of bytes.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "labels"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 9]))
    ...     read_idx(path)
    array([3, 9], dtype=uint8)
    """
    try:
        with _unpacked(path) as file:
            return _values(file, os.fspath(path))
    except (OSError, EOFError, zlib.error) as error:
        raise DataFileError(
            f"{os.fspath(path)} must be a readable idx file, got {type(error).__name__}: {error}"
        ) from error


def _values(file: BufferedIOBase, what: str) -> Array:
    """What an open idx file holds."""
    start = file.read(4)
    if len(start) < 4 or start[:3] != b"\x00\x00\x08" or not 1 <= start[3] <= 4:
        raise DataFileError(
            f"{what} must be an idx file of bytes (00 00 08 and 1 to 4 axes), got a file that "
            f"begins with {start.hex(' ') or 'nothing'}"
        )
    n_axes = start[3]
    lengths = file.read(4 * n_axes)
    shape: tuple[int, ...] = ()
    if len(lengths) == 4 * n_axes:
        shape = struct.unpack(f">{n_axes}I", lengths)
    size = math.prod(shape) if shape else 0
    values = _at_most(file, size + 1)
    if not shape or len(values) != size:
        raise DataFileError(
            f"{what} must hold {size if shape else 'its'} values of shape {shape}, got "
            f"{len(values)}{' or more' if len(values) > size else ''}: it is cut short or damaged"
        )
    return np.frombuffer(bytes(values), np.uint8).reshape(shape)


def _at_most(file: BufferedIOBase, size: int) -> bytearray:
    """The next bytes; of a file that unpacks to more, no more than `size`."""
    found = bytearray()
    while len(found) < size and (piece := file.read(min(2**20, size - len(found)))):
        found += piece
    return found


def _unpacked(path: str | os.PathLike[str]) -> BufferedIOBase:
    with Path(path).open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else Path(path).open("rb")
