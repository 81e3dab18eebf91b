"""Output on a screen: progress bars and tables."""
