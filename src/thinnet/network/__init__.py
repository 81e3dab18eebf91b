"""Layers bound to a width and a seed, and their executors."""

from thinnet.network.network import Network

__all__ = ["Network"]
