"""Faults of commands."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "an output may be its input under another name",
        "commands/places.py",
        "is_same",
        "return Path(one).samefile(other)",
        "return Path(one) == Path(other)",
        ("commands/test_places.py",),
    ),
]
