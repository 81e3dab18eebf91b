"""The UCI regression sets with their splits, and two ways to learn from them (`uci.py`)."""
