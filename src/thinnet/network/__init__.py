"""Layers bound to a width and a seed, and who runs them."""

from thinnet.network.network import Network

__all__ = ["Network"]
