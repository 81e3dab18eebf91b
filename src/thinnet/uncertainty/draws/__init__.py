"""Draws of networks with dropout on, and predictions with uncertainty from them."""
