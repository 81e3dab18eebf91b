"""Data that needs no file: digits and spirals."""

from __future__ import annotations

import numpy as np

from thinnet import checks
from thinnet.arrays import Array
from thinnet.datasets.splits import Split


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
        The seed of the noise.

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
