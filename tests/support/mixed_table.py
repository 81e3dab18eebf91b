"""A table of columns of every kind, with strange cells."""

import numpy as np
import pandas as pd

ROWS = 40
WORDS = ["red", "green", "blue", "rough", "smooth", "old", "new"]


def mixed(rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    number = rng.normal(size=rows).round(2)
    number[:3] = np.nan, np.inf, -np.inf
    table = pd.DataFrame(
        {
            "number": number,
            "skewed": np.where(rng.random(rows) < 0.6, 0.0, rng.exponential(size=rows)),
            "whole": rng.integers(0, 30, rows),
            "flag": rng.random(rows) < 0.4,
            "city": rng.choice(["Köln ", "Ulm", "Bonn", "?", "true", "020"], rows),
            "rare": [f"r{i}" if i < 5 else "often" for i in range(rows)],
            "many": [f"m{i % 25}" for i in range(rows)],
            "code": rng.choice(["01", "02", "10"], rows),
            "text": [" ".join(rng.choice(WORDS, 4)) for _ in range(rows)],
            "written": [f"{value:.3f}" for value in rng.normal(size=rows)],
            "price": [f"${value:,.2f}" for value in rng.uniform(1, 9000, rows)],
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
            "until": rng.choice(["2021-05-06", "2022-07-08 09:10", "9999-12-31", ""], rows),
            "kind": pd.Categorical(rng.choice(["a", "b"], rows)),
            "mixed": rng.choice(np.array([1.5, 2.0, None, np.nan], object), rows),
        }
    )
    table.loc[7, "written"], table.loc[8, "written"], table.loc[9, "written"] = "-", "many", "NA"
    return table
