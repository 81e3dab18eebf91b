"""A trace as text, as a page and as a document."""
