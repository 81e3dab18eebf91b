"""What the columns of a table hold, and how they become numbers."""
