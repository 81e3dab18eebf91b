"""What is shown on a screen: progress bars and tables."""
