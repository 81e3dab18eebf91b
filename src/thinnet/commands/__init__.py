"""The work of the command line, as functions."""
