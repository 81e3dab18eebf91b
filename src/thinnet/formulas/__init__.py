"""Formulas as trees, the numbers that they are of, and how both are written."""
