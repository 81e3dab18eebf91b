"""Copies of what a network has learned: the best so far, the last good ones."""

from __future__ import annotations

from dataclasses import dataclass

from thinnet.arrays import Array, Flat
from thinnet.network import Network


@dataclass(slots=True)
class Learned:
    """A copy of what a network has learned."""

    theta: Flat
    state: Array

    @classmethod
    def of(cls, network: Network) -> Learned:
        return cls(network.theta.copy(), network.state.copy())

    def copy_from(self, network: Network) -> None:
        self.theta[:], self.state[:] = network.theta, network.state

    def copy_to(self, network: Network) -> None:
        network.theta[:], network.state[:] = self.theta, self.state
