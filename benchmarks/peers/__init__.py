"""The systems that are compared, a module for each; one is imported in its own process only."""
