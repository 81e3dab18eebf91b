"""Faults of pictures."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "the error of calibration is a mean over bins, not over rows",
        "displays/reliability.py",
        "ReliabilityDiagram.plot",
        "self.curve.fraction @ self.curve.gaps",
        "self.curve.gaps.mean()",
        (
            "displays/test_calibration_displays.py::test_a_reliability_diagram_shows_accuracy_confidence_rows_and_error",
        ),
    ),
    Mutant(
        "a number's place is that in a normal distribution of deviation 1",
        "displays/pit.py",
        "_below",
        'norm.cdf(checks.same_length("y", y, "X", len(mean)), mean, std)',
        'norm.cdf(checks.same_length("y", y, "X", len(mean)), mean)',
        (
            "displays/test_calibration_displays.py::test_the_pit_of_an_estimator_is_of_its_normal_distribution",
        ),
    ),
    Mutant(
        "the best ranking is that of the uncertainties",
        "displays/risk_coverage.py",
        "RiskCoverageCurve.from_predictions",
        "risk_coverage(error, np.argsort(np.argsort(error)))",
        "risk_coverage(error, uncertainty)",
        (
            "displays/test_calibration_displays.py::test_a_risk_coverage_curve_stands_beside_chance_and_the_best",
        ),
    ),
    Mutant(
        "numbers at ticks are not brought to the unit behind them",
        "displays/ticks.py",
        "_tick_text",
        "x / size",
        "x",
        (
            "displays/test_ticks.py::test_ticks_are_labelled_in_one_unit_and_no_more_digits_than_needed",
        ),
    ),
    Mutant(
        "ticks that are too close for their unit read alike",
        "displays/ticks.py",
        "_unit_and_decimals",
        "step < unit[0] / 1000",
        "False",
        (
            "displays/test_ticks.py::test_ticks_are_labelled_in_one_unit_and_no_more_digits_than_needed",
        ),
    ),
    Mutant(
        "a picture is written in place",
        "displays/saving.py",
        "save_figure",
        "replacing(where)",
        'where.open("wb")',
        ("displays/test_saving.py::test_a_figure_without_room_is_named_and_the_old_one_stays",),
    ),
]
