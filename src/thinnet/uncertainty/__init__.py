"""How sure a network is: what its dropout, and data it has not learned from, say about that."""
