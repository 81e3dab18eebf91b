"""Draws of networks whose dropout is on, and what they say about a row."""
