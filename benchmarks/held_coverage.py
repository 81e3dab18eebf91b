"""Do intervals hold on fresh rows?  `python benchmarks/held_coverage.py --data-dir DIR`.

The rows that calibrate a `TableRegressor` have also stopped its training; fresh rows show the bias.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import train_test_split

from thinnet import TableRegressor
from thinnet.tables.reading import read_table

TABLES = {  # a file, its target, and columns that give it away
    "california": ("california-housing.csv", "median_house_value", []),
    "abalone": ("abalone.csv", "Rings", []),
    "ames": ("ames.csv", "SalePrice", []),
    "bike-sharing": ("bike-sharing.csv", "cnt", ["casual", "registered"]),
    "diamonds": ("diamonds.csv", "price", []),
    "hotel-rates": ("hotel-rates.csv", "avg_price_per_room", []),
    "mpg": ("mpg.csv", "mpg", []),
    "wine-quality-white": ("wine-quality-white.csv", "quality", []),
}
MOST_ROWS = 6000


def held(model: TableRegressor, X: object, y: np.ndarray) -> list[float]:
    q = model.predict_quantiles(X, (0.25, 0.75, 0.05, 0.95), progress=False)
    return [float(((q[:, i] <= y) & (y <= q[:, i + 1])).mean()) for i in (0, 2)]


def measured(path: Path, target: str, without: list[str], seed: int, epochs: int) -> list[float]:
    frame, _ = read_table(path)
    frame = frame[frame[target].notna()].drop(columns=without, errors="ignore")
    frame = frame.sample(min(len(frame), MOST_ROWS), random_state=0)
    X, y = frame.drop(columns=target), frame[target].to_numpy(float)
    kept, fresh, y_kept, y_fresh = train_test_split(X, y, test_size=0.4, random_state=seed)
    model = TableRegressor(random_state=seed, max_iter=epochs).fit(kept, y_kept)
    learned, found = model.calibration_, held(model, fresh, y_fresh)
    del model.calibration_
    plain = held(model, fresh, y_fresh)
    return [len(kept), *(v for i in (0, 1) for v in (learned.held[2 * i], found[i], plain[i]))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder with the tables")
    parser.add_argument("--only", default=",".join(TABLES), help="names, between commas")
    parser.add_argument("--divisions", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=60)
    settings = parser.parse_args()
    heads = [f"{c} %, {where}" for c in (50, 90) for where in ("held out", "fresh", "plain")]
    shown = Table("table", "rows", *heads)
    warnings.simplefilter("ignore")
    for name in settings.only.split(","):
        file, *rest = TABLES[name]
        path = next(settings.data_dir.rglob(file))
        found = [measured(path, *rest, s, settings.epochs) for s in range(settings.divisions)]
        rows, *fractions = np.mean(found, axis=0)
        shown.add_row(name, f"{rows:,.0f}", *(f"{fraction:.3f}" for fraction in fractions))
        print(name, f"{rows:.0f}", *(f"{fraction:.3f}" for fraction in fractions), flush=True)
    Console(width=120).print(shown)


if __name__ == "__main__":
    main()
