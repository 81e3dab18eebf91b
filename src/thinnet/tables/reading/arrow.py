"""Columns of Arrow as columns of pandas, of types that don't depend on the values in a block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from thinnet.checks import DataFileError, one_line, quoted
from thinnet.tables.reading.cells import Frame, text_type
from thinnet.tables.reading.packing import first_line


def pyarrow(where: str, part: str = "") -> Any:
    """The library, or a part of it, to read `where` or write it."""
    try:
        return import_module(f"pyarrow{part}")
    except ImportError as error:
        raise DataFileError(f"{where} needs the library pyarrow; pip install pyarrow") from error


@contextmanager
def refusing(where: str) -> Iterator[None]:
    """A context in which Arrow's errors are DataFileErrors, but for a lack of memory."""
    pa = pyarrow(where)
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise DataFileError(
            f"{where} must be a readable table, got {type(error).__name__}: {first_line(error)}; "
            "it may be cut short or damaged"
        ) from error


def check_columns(where: str, schema: Any) -> None:
    """DataFileError where a column holds lists or records."""
    types = pyarrow(where).types
    for field in schema:
        if types.is_nested(field.type):
            raise DataFileError(
                f"column {quoted(field.name)} of {where} must hold single values, got "
                f"{one_line(field.type, 80)}; drop it or spread it over columns"
            )


def frame(table: Any, names: Sequence[str], start: int) -> Frame:
    """A frame whose rows are numbered from `start`.

    Whole numbers and truth values are of pandas' types that may be missing, also where none is:
    else a block without missing cells would have another type than one with some.
    """
    import pandas as pd
    import pyarrow as pa

    table.validate(full=True)
    columns = [_plain(_decoded(column)) for column in table.columns]
    found = pa.table(columns, names=list(names)).to_pandas(
        types_mapper=_mapped, date_as_object=False, ignore_metadata=True
    )
    return found.set_axis(pd.RangeIndex(start, start + len(found)))


def kept(table: Any, names: Sequence[str], keep: Sequence[str]) -> Frame | None:
    """Some columns with Arrow's own types, so that nothing of them is lost; None for none."""
    import pandas as pd

    if not keep:
        return None
    named = table.rename_columns(list(names)).select(list(keep))
    return named.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)


def _plain(column: Any) -> Any:
    """Bytes as the texts that they should be, and decimal numbers as doubles."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    is_bytes = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    if is_bytes or types.is_null(kind):
        return column.cast(pa.string())
    return column.cast(pa.float64()) if types.is_decimal(kind) else column


def _decoded(column: Any) -> Any:
    """Categories as their values."""
    import pyarrow as pa
    from pyarrow import types

    if not types.is_dictionary(column.type):
        return column
    kind = column.type.value_type
    kind = pa.large_string() if types.is_string_view(kind) else kind  # Arrow can't take from views
    parts = [part.dictionary.cast(kind).take(part.indices) for part in column.chunks]
    return pa.chunked_array(parts, kind)


def _mapped(kind: Any) -> Any:
    """The pandas type for a type of Arrow, or None for Arrow's own choice."""
    import pandas as pd
    from pyarrow import types

    if types.is_integer(kind):
        return pd.api.types.pandas_dtype(str(kind).replace("i", "I").replace("u", "U"))
    if types.is_boolean(kind):
        return pd.BooleanDtype()
    is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    return text_type() if is_text else None
