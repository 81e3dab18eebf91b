"""Faults of model files."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "running statistics of any length are let into a network",
        "persistence/networks.py",
        "_vectors",
        "_size((*s.state, *s.counters) for s in shapes)",
        'len(state["state"])',
        ("persistence/test_model_loading.py::test_parts_that_do_not_fit_are_refused_by_name",),
    ),
    Mutant(
        "a loaded network begins at step 0 again",
        "persistence/networks.py",
        "make_network",
        "Clock(*(checks.integer(name, state[name], 0, MAX_STEP) for name in OF_CLOCK))",
        "Clock()",
        (
            "persistence/test_model_files.py::test_a_warm_start_goes_on_as_if_the_model_had_never_been_saved",
        ),
    ),
    Mutant(
        "an attribute of another type is let into an estimator",
        "persistence/ways.py",
        "_check_kinds",
        "not isinstance(value, known[name])",
        "False",
        ("persistence/test_model_loading.py::test_parts_that_do_not_fit_are_refused_by_name",),
    ),
    Mutant(
        "an estimator without a part of what fit adds is taken for one before fit",
        "persistence/ways.py",
        "_is_fitted",
        "lacking and any(name in state for name in (*always, *maybe))",
        "False",
        ("persistence/test_model_loading.py::test_parts_that_do_not_fit_are_refused_by_name",),
    ),
    Mutant(
        "another scikit-learn is not warned of",
        "persistence/files.py",
        "_compare_versions",
        'then.split(".")[:2] != now.split(".")[:2]',
        "False",
        (
            "persistence/test_model_loading.py::test_another_scikit_learn_is_warned_of_where_parts_of_it_are_saved",
        ),
    ),
    Mutant(
        "code points beyond all letters become text",
        "persistence/tensors.py",
        "from_tensor",
        "(codes > sys.maxunicode).any()",
        "False",
        ("persistence/test_model_saving.py::test_code_points_beyond_all_letters_are_refused",),
    ),
    Mutant(
        "members of an ensemble may have other classes than it",
        "persistence/wrappers.py",
        "finish_ensemble_classifier",
        "not fits",
        "False",
        (
            "persistence/test_model_saving.py::test_a_member_with_other_classes_than_its_ensemble_is_refused",
        ),
    ),
    Mutant(
        "bins without edges are taken from files",
        "persistence/tables.py",
        "finish_encoder",
        "not np.isfinite(numbers).all()",
        "False",
        (
            "persistence/test_table_models.py::test_a_part_that_does_not_fit_is_named_and_nothing_is_written",
        ),
    ),
    Mutant(
        "drift is not held against the columns there are",
        "persistence/tables.py",
        "_check_drift",
        "[(known.name, known.kind) for known in found] != used",
        "False",
        (
            "persistence/test_table_models.py::test_a_part_that_does_not_fit_is_named_and_nothing_is_written",
        ),
    ),
    Mutant(
        "a file has rows of the table",
        "persistence/tables.py",
        "state_of_table",
        "state.pop(HELD_OUT, None)",
        "pass",
        ("tables/test_importances.py::test_fit_computes_nothing_and_no_row_goes_into_a_file",),
    ),
    Mutant(
        "holes of a file are of any column",
        "persistence/cards.py",
        "check_card",
        "name not in names",
        "False",
        (
            "persistence/test_table_models.py::test_a_part_that_does_not_fit_is_named_and_nothing_is_written",
        ),
    ),
    Mutant(
        "edges of no width are let into an encoder",
        "persistence/tables.py",
        "_ascend",
        "edges[1:] > edges[:-1]",
        "edges[1:] >= edges[:-1]",
        (
            "persistence/test_table_forgery.py::test_parts_that_disagree_are_refused_when_saved_and_when_read",
        ),
    ),
    Mutant(
        "texts are hashed as wide as a file says",
        "persistence/tables.py",
        "finish_hashed",
        'checks.integer("n_features", hashed.n_features, 1, MOST_HASHED)',
        "pass",
        (
            "persistence/test_table_forgery.py::test_parts_that_disagree_are_refused_when_saved_and_when_read",
        ),
    ),
]
