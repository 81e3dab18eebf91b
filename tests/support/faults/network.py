"""Faults of networks."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "all layers draw the same mask",
        "network/binding.py",
        "bind",
        "max(int(ordinals[i]) - 1, 0)",
        "0",
        ("training/test_reference.py::test_each_layer_that_draws_has_masks_of_its_own_number",),
    ),
    Mutant(
        "prediction draws masks",
        "network/network.py",
        "Network.outputs",
        "lambda rows: Run.predict()",
        "lambda rows: Run.sample(0)",
        ("engine/test_prediction.py::test_compiled_outputs_are_the_references",),
    ),
    Mutant(
        "a stale cache is not noticed",
        "network/network.py",
        "Network.backward",
        "of.number != self._latest",
        "False",
        ("network/test_network.py::test_the_cache_of_an_older_pass_is_refused",),
    ),
    Mutant(
        "the rows of later blocks get the ids of the first",
        "network/sampling.py",
        "sample.run_of",
        "own = ids[block] if share is None else None",
        "own = ids[: len(ids[block])] if share is None else None",
        (
            "engine/test_prediction.py::test_rows_of_later_blocks_are_drawn_as_the_reference_draws_them",
        ),
    ),
    Mutant(
        "a draw has a mask for each row where all should share it",
        "network/sampling.py",
        "sample.run_of",
        "return Run.sample(number, own, draws.seed, share=share)",
        "return Run.sample(number, ids[block], draws.seed)",
        ("engine/test_prediction.py::test_compiled_draws_are_the_references",),
    ),
    Mutant(
        "every epoch has the same order",
        "network/row_order.py",
        "keyed_order",
        "epoch",
        "0",
        (
            "network/test_row_order.py::test_every_row_comes_once_an_epoch_in_another_order_each_time",
        ),
    ),
    Mutant(
        "a rate of 0 upstream of BatchNorm is warned of",
        "network/summary.py",
        "order_advice",
        'getattr(layer, "rate", 0.0) != 0.0',
        "True",
        ("training/test_diagnostics.py::test_dropout_elsewhere_gives_no_warning",),
    ),
    Mutant(
        "the order of the rows is not shuffled on",
        "network/row_order.py",
        "Shuffles.__call__",
        "self._order = self._order[self.stream.permutation(len(self._order))]",
        "self._order = self.stream.permutation(len(self._order))",
        ("estimators/test_estimators.py::test_without_dropout_a_classifier_is_scikit_learns",),
    ),
    Mutant(
        "rows of a step are those of its network's first epoch",
        "network/logbook.py",
        "Logbook._ordered",
        "keyed_order(network, entry.epoch + epoch, entry.rows)",
        "keyed_order(network, epoch, entry.rows)",
        ("network/test_rows.py::test_several_trainings_of_several_kinds_keep_their_own_rows",),
    ),
    Mutant(
        "a generator that goes on is taken for one that starts again",
        "network/logbook.py",
        "Logbook._continued_shuffles",
        "return both._replace(per_call=of_each, resets=False)",
        "return both._replace(per_call=of_each, resets=True)",
        ("network/test_rows.py::test_partial_fit_called_often_is_one_entry",),
    ),
    Mutant(
        "a seed of draws is not used",
        "network/sampling.py",
        "Draws.of",
        "network.seed if seed is None else int(seed)",
        "network.seed",
        ("uncertainty/test_uncertainty.py::test_draws_are_those_of_their_seed",),
    ),
]
