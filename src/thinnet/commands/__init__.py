"""What the command line does with tables, as functions."""
