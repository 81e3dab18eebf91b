"""A training step with every number, its formula and its origin."""
