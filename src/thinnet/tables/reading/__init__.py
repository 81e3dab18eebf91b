"""Table files: found out, read whole or block by block, and written."""

from thinnet.tables.reading.files import blocks, glimpse, read_dialect, read_table, row_count

__all__ = ["blocks", "glimpse", "read_dialect", "read_table", "row_count"]
