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
    Mutant(
        "a column that is asked for twice is kept twice",
        "commands/keeping.py",
        "Keep.columns",
        "list(dict.fromkeys(found))",
        "found",
        ("commands/test_keeping.py",),
    ),
    Mutant(
        "a prediction stands beside a kept column of its name",
        "commands/keeping.py",
        "beside",
        "answers.rename(columns=names)",
        "answers",
        ("commands/test_keeping.py",),
    ),
    Mutant(
        "predictions replace a stranger's table",
        "commands/predicting.py",
        "predict",
        'places.check_kind("--out", out, kind)',
        "pass",
        ("commands/test_places.py",),
    ),
    Mutant(
        "the plain answer knows no shares of training",
        "commands/scoring.py",
        "of_classes",
        "np.tile(frequencies, (len(y), 1))",
        "np.full_like(p, 1 / p.shape[1])",
        ("commands/test_scoring.py",),
    ),
    Mutant(
        "a label's own bar is taken for one between labels",
        "commands/conformal.py",
        "columns",
        r'str(label).replace(BETWEEN, "\\" + BETWEEN)',
        "str(label)",
        ("commands/test_conformal.py",),
    ),
]
