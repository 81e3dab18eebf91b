"""The UCI regression sets with their splits, and three ways to learn from them (`uci.py`)."""
