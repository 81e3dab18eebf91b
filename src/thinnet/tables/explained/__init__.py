"""One row of a table explained: its cells as numbers, what they add up to, and the answer."""
