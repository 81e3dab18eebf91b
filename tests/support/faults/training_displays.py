"""Faults of pictures of trainings, and of what they measure."""

from mutants import Mutant

HEALTH = "displays/test_gradient_health.py"
LAYERS = "displays/test_layer_displays.py"
TRAININGS = "displays/test_training_displays.py"

FAULTS = [
    Mutant(
        "gradients are those by the activations, not by the pre-activations",
        "training/series.py",
        "_of_layers",
        "slopes[sites[layer.place].name].copy()",
        "slopes[sites[layer.activation].name].copy()",
        (f"{HEALTH}::test_what_is_plotted_of_a_network_is_the_chain_rule_written_out",),
    ),
    Mutant(
        "gradients are measured with dropout off",
        "training/series.py",
        "measured",
        "Run.train(network.clock.step)",
        "Run.predict()",
        (f"{HEALTH}::test_the_pass_is_that_of_the_next_step_of_training",),
    ),
    Mutant(
        "measuring leaves its gradient in the network",
        "training/series.py",
        "measured",
        "network.state[:], network.gradient[:] = before",
        "network.state[:] = before[0]",
        (f"{HEALTH}::test_measuring_leaves_state_and_gradient_as_they_are",),
    ),
    Mutant(
        "the weights of before 2010 have LeCun's variance",
        "displays/health_presets.py",
        "BeforeGlorot.__call__",
        "symmetric(stream, units, width) / math.sqrt(width)",
        "symmetric(stream, units, width) * math.sqrt(3 / width)",
        (f"{HEALTH}::test_deep_sigmoids_vanish_and_large_weights_explode",),
    ),
    Mutant(
        "activations are those of a training pass",
        "displays/sparsity.py",
        "activations_of",
        "Run.predict()",
        "Run.train(0)",
        (f"{LAYERS}::test_histograms_are_of_activations_without_dropout",),
    ),
    Mutant(
        "networks of a race keep their own first weights",
        "training/racing.py",
        "race",
        "give_weights(first, runner)",
        "pass",
        (f"{TRAININGS}::test_networks_begin_with_the_weights_of_the_first",),
    ),
    Mutant(
        "there are fewer units at higher rates, not more",
        "training/sweeping.py",
        "by_rate",
        "round(units / (1 - rate))",
        "round(units * (1 - rate))",
        (f"{TRAININGS}::test_a_sweep_over_rates_keeps_n_or_pn",),
    ),
    Mutant(
        "targets of a part of the rows are those of the first ones",
        "training/sweeping.py",
        "by_size",
        "y[part]",
        "y[:size]",
        (f"{TRAININGS}::test_targets_go_with_their_rows",),
    ),
]
