"""Faults of the command line."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "what is typed wrongly ends like what fails",
        "cli/common.py",
        "one_sentence",
        "fail(error, WRONG_USE)",
        "fail(error, FAILED)",
        ("cli/test_cli.py::test_what_is_wrong_is_named_in_one_sentence",),
    ),
    Mutant(
        "settings are called as in Python",
        "cli/common.py",
        "as_typed",
        "renamed(error)",
        "error",
        ("cli/test_cli.py::test_what_is_wrong_is_named_in_one_sentence",),
    ),
    Mutant(
        "a run that is broken off in training says nothing of its model",
        "cli/common.py",
        "unsaved",
        'str(pressed) or f"stopped; {what}"',
        "str(pressed)",
        ("cli/test_cli.py::test_a_second_ctrl_c_says_that_no_model_is_saved",),
    ),
    Mutant(
        "columns and all columns are both kept",
        "cli/predict.py",
        "predict",
        "keep and keep_all",
        "False",
        ("commands/test_keeping.py::test_what_cannot_be_kept_is_refused",),
    ),
    Mutant(
        "a model goes onto the table that it is made of",
        "cli/fit_table.py",
        "fit",
        'places.check("--out", out, places.MODEL, read, force)',
        "pass",
        ("commands/test_places.py::test_what_is_read_is_never_written_over",),
    ),
    Mutant(
        "classes are not balanced when that is asked for",
        "cli/fit_table.py",
        "_order",
        'settings["class_weight"] = "balanced"',
        "pass",
        (
            "cli/test_fit_table.py::test_rows_without_a_target_and_columns_to_leave_out_are_left_out",
        ),
    ),
    Mutant(
        "a column's name ends at its first equals sign",
        "cli/fit_table.py",
        "_kinds",
        'text.rpartition("=")',
        'text.partition("=")',
        ("tables/columns/test_meanings.py::test_a_columns_name_may_hold_an_equals_sign",),
    ),
]
