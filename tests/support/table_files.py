"""Contents of table files, packed and plain, and all blocks of a table as one."""

import bz2
import gzip
import io
import lzma
import zipfile

import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from thinnet.tables.reading import blocks

FLOATS = st.floats(allow_infinity=False)

RICH = pa.table(
    {
        "n": pa.array([1, None], pa.uint8()),
        "x": [1.5, None],
        "b": [True, None],
        "s": ["x", None],
        "c": pa.array(["x", None]).dictionary_encode(),
        "d": pa.array([18321, None], pa.date32()),
        "m": pa.array([1, None]).cast(pa.decimal128(21, 2)),
        "r": pa.array([b"x", None]),
        "nothing": [None, None],
    }
)


def zipped(content, *more):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("table.csv", *more):
            archive.writestr(name, content)
    return packed.getvalue()


def locked(content):
    """Said to be encrypted in the list of what the archive holds."""
    entry = b"PK\x01\x02\x14\x03\x14\x00"
    return zipped(content).replace(entry + b"\x00", entry + b"\x01")


PACKERS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}


def all_of(source, block_rows, **how):
    """All blocks as one frame, whose columns must have been of one type each."""
    frames = [block.frame for block in blocks(source, block_rows, **how)]
    assert all(len(frame) == block_rows for frame in frames[:-1])
    assert all((frame.dtypes == frames[0].dtypes).all() for frame in frames)
    return pd.concat(frames)
