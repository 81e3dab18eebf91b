"""Table files: their dialect found, their rows read whole or in blocks, and written."""

from thinnet.tables.reading.files import blocks, glimpse, read_dialect, read_table, row_count

__all__ = ["blocks", "glimpse", "read_dialect", "read_table", "row_count"]
