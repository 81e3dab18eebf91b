"""Faults of mixed tables."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "a frequent value takes all bins",
        "tables/columns/pieces.py",
        "_edges",
        "weights = np.minimum(counts, len(column) / (2 * n_bins))",
        "weights = counts",
        ("tables/test_tables.py",),
    ),
    Mutant(
        "predicted logarithms are not turned back",
        "tables/targets.py",
        "TargetScale.back",
        "y[..., logged] = expm1(y[..., logged]) * self.unit[logged]",
        "pass",
        ("tables/test_tables.py",),
    ),
    Mutant(
        "infinite numbers are not brought to the range",
        "tables/columns/preparing.py",
        "_cells",
        "numbers.clip(column.low, column.high)",
        "numbers",
        ("tables/columns/test_few_rows.py",),
    ),
    Mutant(
        "a column drifts by chance",
        "tables/drifting.py",
        "_finding",
        "p < CHANCE and fraction > before",
        "fraction > before",
        ("tables/test_drifting.py",),
    ),
    Mutant(
        "a fold's rows are judged by ranges that they have widened",
        "tables/drifting.py",
        "_known",
        "_range(cells.at(kept), column.kind)",
        "_range(cells, column.kind)",
        ("tables/test_drifting.py",),
    ),
    Mutant(
        "a wanted recall is reached with whatever precision",
        "tables/deciding.py",
        "decision",
        "np.where(enough, other, -1.0)",
        "np.where(enough, -other, -1.0)",
        ("tables/test_deciding.py",),
    ),
    Mutant(
        "the mean of networks errs as one of them does",
        "tables/calibrating.py",
        "of_folds",
        "networks is stopped",
        "False",
        ("tables/test_calibrating.py",),
    ),
    Mutant(
        "a number that means a missing cell is one in a column of numbers",
        "tables/columns/missing.py",
        "cleaned",
        "return cells.mask(cells.isin(numbers))",
        "return cells",
        ("tables/test_drifting.py",),
    ),
    Mutant(
        "targets of rows to measure by are shaped twice",
        "tables/heads.py",
        "AmountHead.targets",
        "self.units.forward(self.read(y))",
        "super().targets(self.read(y))",
        ("tables/test_refusals.py",),
    ),
]
