"""Tables: files and data frames, their columns, and networks upon them."""
