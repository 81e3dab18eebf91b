"""Data to begin with: digits (bundled), spirals (made), Fashion-MNIST and MNIST (idx files)."""

from thinnet.datasets.idx import read_idx
from thinnet.datasets.images import fashion_mnist, mnist
from thinnet.datasets.small import digits, spiral
from thinnet.datasets.sources import FASHION_MNIST, FILES, MNIST, Source
from thinnet.datasets.splits import Split

__all__ = [
    "FASHION_MNIST",
    "FILES",
    "MNIST",
    "Source",
    "Split",
    "digits",
    "fashion_mnist",
    "mnist",
    "read_idx",
    "spiral",
]
