"""A training step opened: every number, its formula and its origin."""
