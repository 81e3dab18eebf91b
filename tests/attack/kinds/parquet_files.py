"""Altered Parquet files, and whole ones of every type: as tables of text are tried.

One that is cut, flipped or overwritten is read or refused in one sentence; memory stays bounded.
"""

import datetime
import decimal
import io
import json
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from altering import altered
from attack.tables import a_model, try_some
from forging import pick
from mangling import ODD, people

ALONE, SECONDS = False, 60
UTC = datetime.timezone.utc  # noqa: UP017
MOMENTS = [datetime.datetime(2020, 2, 29, 12), datetime.datetime(1, 1, 1), None,
           datetime.datetime(9999, 12, 31, 23, 59, 59)]  # fmt: skip
COLUMNS = {
    "integers": pa.array([0, -1, None, 2**62], pa.int64()),
    "unsigned": pa.array([0, 1, None, 2**64 - 1], pa.uint64()),
    "bytes": pa.array([0, 1, None, 255], pa.uint8()),
    "halves": pa.array(np.array([0, np.nan, np.inf, 6e4], np.float16)),
    "floats": pa.array([1e308, -np.inf, None, np.nan]),
    "truth": pa.array([True, False, None, True]),
    "texts": pa.array(["", "a\x00b", None, "x" * 5000]),
    "large texts": pa.array(["a", "b", None, "c"], pa.large_string()),
    "binary": pa.array([b"\xff", b"", None, b"x"]),
    "words": pa.array(["a", None, "b", "a"]).dictionary_encode(),
    "numbered words": pa.DictionaryArray.from_arrays([0, 1, None, 0], pa.array([1.5, 2.5])),
    "days": pa.array([datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None, None]),
    "seconds": pa.array(MOMENTS, pa.timestamp("s")),
    "microseconds": pa.array(MOMENTS, pa.timestamp("us")),
    "nanoseconds": pa.array([0, 2**62, None, -(2**62)], pa.timestamp("ns")),
    "zoned": pa.array([datetime.datetime(2020, 1, 1, tzinfo=UTC)] * 4, pa.timestamp("us", "UTC")),
    "times": pa.array([datetime.time(1, 2), None, None, datetime.time(23)], pa.time64("us")),
    "spans": pa.array([1, -1, None, 2**60], pa.duration("us")),
    "money": pa.array([decimal.Decimal("1.23"), None, None, None], pa.decimal128(38, 2)),
    "lists": pa.array([[1], [], None, [1, None]]),
    "structs": pa.array([{"a": 1}, None, {"a": None}, {"a": 2}]),
    "maps": pa.array([[("a", 1)], [], None, []], pa.map_(pa.string(), pa.int64())),
    "nothing": pa.nulls(4),
}


def prepare(folder):
    return a_model(folder), written(a_table()), footer_of(written(a_table()))


def a_table(rows=60):
    head, *lines = people(np.random.default_rng(0), rows)
    columns = zip(*lines, strict=True)
    table = pa.table({name: list(cells) for name, cells in zip(head, columns, strict=True)})
    return table.set_column(0, "age", pa.array([int(line[0]) for line in lines]))


def written(table, **how):
    file = io.BytesIO()
    pq.write_table(table, file, **how)
    return file.getvalue()


def footer_of(content):
    """How many bytes at the end say what the file is."""
    return int.from_bytes(content[-8:-4], "little") + 8


def damaged(rng, content, footer):
    return altered(rng, content)


def altered_footer(rng, content, footer):
    """Where sizes, offsets and types stand."""
    return content[:-footer] + altered(rng, content[-footer:])


def altered_pages(rng, content, footer):
    """Of the same length, so that the end is found where it should be."""
    pages = bytearray(content[:-footer])
    for _ in range(rng.integers(1, 30)):
        pages[rng.integers(4, len(pages))] = rng.integers(256)
    return bytes(pages) + content[-footer:]


def other_types(rng, content, footer):
    """People, one column of whom is replaced by one of another type, name or both."""
    table = a_table(rows=40)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(table.num_columns))
        values = COLUMNS[pick(rng, sorted(COLUMNS))]
        name = table.column_names[place] if rng.random() < 0.7 else str(pick(rng, ODD))
        many = pa.concat_arrays([values.combine_chunks() if isinstance(values, pa.ChunkedArray)
                                 else values] * 10)  # fmt: skip
        table = table.set_column(place, name, many)
    return written(table, row_group_size=int(rng.integers(1, 50)))


def other_shapes(rng, content, footer):
    table = a_table()
    how = rng.integers(5)
    if how == 0:
        table = table.slice(0, 0)
    elif how == 1:
        table = table.select(rng.permutation(8)[: rng.integers(0, 8)].tolist())
    elif how == 2:
        names = [str(pick(rng, [*table.column_names, *ODD])) for _ in range(8)]
        table = table.rename_columns(names)
    elif how == 3:
        table = table.replace_schema_metadata({"pandas": json.dumps(pick(rng, METADATA))})
    else:
        table = table.slice(0, int(rng.integers(1, 5)))
    codec = str(rng.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]))
    return written(table, compression=codec, use_dictionary=bool(rng.random() < 0.5))


RANGE = {"kind": "range", "start": 0, "stop": 10**9, "step": 1}
METADATA = [{}, [], None, {"columns": 1}, {"index_columns": ["age"], "columns": []},
            {"index_columns": [RANGE]}]  # fmt: skip
ALTERATIONS = [damaged, altered_footer, altered_pages, other_types, other_shapes]


def attempt(rng, made, folder):
    model, content, footer = made
    alteration = pick(rng, ALTERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        new = alteration(rng, content, footer)
    table = folder / str(rng.choice(["t.parquet", "t.pq", "t.csv"]))
    table.write_bytes(new)
    try_some(rng, model, table, folder)
    return alteration.__name__
