"""Faults of model files."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "running statistics of any length are let into a network",
        "persistence/networks.py",
        "_vectors",
        "_size((*s.state, *s.counters) for s in shapes)",
        'len(state["state"])',
        ("persistence/test_model_loading.py",),
    ),
    Mutant(
        "a loaded network begins at step 0 again",
        "persistence/networks.py",
        "make_network",
        "Clock(*(checks.integer(name, state[name], 0, MAX_STEP) for name in OF_CLOCK))",
        "Clock()",
        ("persistence/test_model_files.py",),
    ),
    Mutant(
        "an attribute of another type is let into an estimator",
        "persistence/ways.py",
        "_check_kinds",
        "not isinstance(value, known[name])",
        "False",
        ("persistence/test_model_loading.py",),
    ),
    Mutant(
        "an estimator without a part of what fit adds is taken for one before fit",
        "persistence/ways.py",
        "_is_fitted",
        "lacking and any(name in state for name in (*always, *maybe))",
        "False",
        ("persistence/test_model_loading.py",),
    ),
    Mutant(
        "another scikit-learn is not warned of",
        "persistence/files.py",
        "_compare_versions",
        'then.split(".")[:2] != now.split(".")[:2]',
        "False",
        ("persistence/test_model_loading.py",),
    ),
    Mutant(
        "code points beyond all letters become text",
        "persistence/tensors.py",
        "from_tensor",
        "(codes > sys.maxunicode).any()",
        "False",
        ("persistence/test_model_saving.py",),
    ),
    Mutant(
        "members of an ensemble may have other classes than it",
        "persistence/wrappers.py",
        "finish_ensemble_classifier",
        "not fits",
        "False",
        ("persistence/test_model_saving.py",),
    ),
    Mutant(
        "bins without edges are taken from files",
        "persistence/tables.py",
        "finish_encoder",
        "not np.isfinite(numbers).all()",
        "False",
        ("persistence/test_table_models.py",),
    ),
    Mutant(
        "drift is not held against the columns there are",
        "persistence/tables.py",
        "_check_drift",
        "[(known.name, known.kind) for known in found] != used",
        "False",
        ("persistence/test_table_models.py",),
    ),
]
