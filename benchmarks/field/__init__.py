"""Thirty tables and seven systems: what `python benchmarks/thirty.py` measures and shows."""
