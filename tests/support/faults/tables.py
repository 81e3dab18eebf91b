"""Faults of mixed tables."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "a frequent value takes all bins",
        "tables/columns/pieces.py",
        "_edges",
        "weights = np.minimum(counts, len(column) / (2 * n_bins))",
        "weights = counts",
        ("tables/test_tables.py::test_a_frequent_value_leaves_bins_for_the_others",),
    ),
    Mutant(
        "predicted logarithms are not turned back",
        "tables/targets.py",
        "TargetScale.back",
        "y[..., logged] = expm1(y[..., logged]) * self.unit[logged]",
        "pass",
        ("tables/test_tables.py::test_a_skewed_target_is_learned_as_a_logarithm",),
    ),
    Mutant(
        "infinite numbers are not brought to the range",
        "tables/columns/preparing.py",
        "_cells",
        "numbers.clip(column.low, column.high)",
        "numbers",
        ("tables/columns/test_few_rows.py::test_a_row_has_the_same_features_alone_and_among_many",),
    ),
    Mutant(
        "a column drifts by chance",
        "tables/drifting.py",
        "_finding",
        "p < CHANCE and fraction > before",
        "fraction > before",
        ("tables/test_drifting.py::test_one_strange_cell_among_few_rows_is_no_drift",),
    ),
    Mutant(
        "a fold's rows are judged by ranges that they have widened",
        "tables/drifting.py",
        "_known",
        "_range(cells.at(kept), column.kind)",
        "_range(cells, column.kind)",
        (
            "tables/test_drifting.py::test_what_only_a_held_out_row_has_is_strange_among_held_out_rows",
        ),
    ),
    Mutant(
        "a wanted recall is reached with whatever precision",
        "tables/deciding.py",
        "decision",
        "np.where(enough, other, -1.0)",
        "np.where(enough, -other, -1.0)",
        ("tables/test_deciding.py::test_the_best_threshold_is_as_good_as_any",),
    ),
    Mutant(
        "the mean of networks errs as one of them does",
        "tables/calibrating.py",
        "of_folds",
        "networks is stopped",
        "False",
        (
            "tables/test_calibrating.py::test_the_mean_of_networks_errs_less_than_one_by_how_little_their_errors_are_alike",
        ),
    ),
    Mutant(
        "a number that means a missing cell is one in a column of numbers",
        "tables/columns/missing.py",
        "cleaned",
        "return cells.mask(cells.isin(numbers))",
        "return cells",
        ("tables/test_drifting.py::test_numbers_that_mean_a_missing_cell_are_missing",),
    ),
    Mutant(
        "targets of rows to measure by are shaped twice",
        "tables/heads.py",
        "AmountHead.targets",
        "self.units.forward(self.read(y))",
        "super().targets(self.read(y))",
        (
            "tables/test_refusals.py::test_rows_that_were_given_to_measure_by_calibrate_and_choose_thresholds",
        ),
    ),
    Mutant(
        "a position stays in the lower half of its bin",
        "tables/columns/pieces.py",
        "_positions",
        "np.clip((column - edges[own]) / np.diff(edges)[own], 0, 1)",
        "np.clip((column - edges[own]) / np.diff(edges)[own], 0, 0.5)",
        ("tables/columns/test_lookups.py",),
    ),
    Mutant(
        "parameters of many categories are not counted where some rows don't show them",
        "tables/memory.py",
        "check_inputs",
        "needed > (there := available())",
        "False and (there := 0)",
        (
            "tables/test_bad_input.py::test_more_categories_than_there_is_memory_for_are_refused_before_training",
        ),
    ),
    Mutant(
        "whole numbers below float64 become the largest",
        "tables/columns/amounts.py",
        "_of_float64",
        "cell > 0 or -1",
        "1",
        ("tables/test_bad_input.py::test_what_strange_cells_mean",),
    ),
    Mutant(
        "infinite cells are noted as missing ones",
        "tables/columns/kinds.py",
        "_ranged",
        "_missing_text(present[holes])",
        "_missing_text(present[~finite])",
        ("tables/test_bad_input.py::test_a_note_says_what_infinite_numbers_are_taken_for",),
    ),
    Mutant(
        "a NaN that can't be compared is compared",
        "tables/columns/missing.py",
        "_is_loud",
        "isinstance(value, Decimal) and value.is_snan()",
        "False",
        (
            "tables/test_bad_input.py::test_a_strange_cell_has_a_meaning_that_few_and_many_rows_share",
        ),
    ),
]
