"""A small table of people, and how a model learns it fast."""

import numpy as np
import pandas as pd
from mangling import people, written

FAST = ("--epochs", "20", "--networks", "2", "--hidden", "16")


def write_people(path):
    lines = people(np.random.default_rng(0), rows=200)
    for line in lines[1:]:
        line[7] = "yes" if int(line[0]) > 50 else "no"
    path.write_bytes(written(lines))
    return path


def cut(table, rows):
    """Leave the first rows of the file."""
    table.write_text("\n".join(table.read_text().splitlines()[: 1 + rows]))


def write_rare(path, rows=300):
    """A table with three rows of a rare class among the first."""
    x = np.random.default_rng(0).normal(size=(rows, 2))
    frame = pd.DataFrame(x, columns=["a", "b"])
    frame["y"] = np.where(np.arange(rows) < 3, "fraud", "ok")
    frame.to_csv(path, index=False)
    return frame
