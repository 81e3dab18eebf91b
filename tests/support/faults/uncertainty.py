"""Faults of uncertainty."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "a quantile is refined until that of its neighbours is found",
        "uncertainty/draws/mixtures.py",
        "Gaussians.quantile",
        "going &= np.abs(step) > near",
        "going[:] = (np.abs(step) > near).any()",
        (
            "uncertainty/draws/test_mixtures.py::test_a_quantile_has_the_same_bits_alone_as_among_others",
        ),
    ),
    Mutant(
        "settings of draws that are the defaults count as not given",
        "uncertainty/draws/drawing.py",
        "Given._found",
        "each is not unset[name]",
        "each not in (unset[name], How._field_defaults[name])",
        (
            "uncertainty/test_uncertainty.py"
            "::test_settings_of_draws_that_predict_would_not_use_are_refused",
        ),
    ),
    Mutant(
        "ids of rows that share a mask are passed over",
        "masks.py",
        "row_ids",
        "_check_no_ids(samples, share)",
        "None",
        ("wide/test_share.py::test_one_mask_for_all_rows_goes_with_no_ids",),
    ),
    Mutant(
        "error bars leave the noise out",
        "uncertainty/draws/spreads.py",
        "spread",
        "np.sqrt(epistemic + aleatoric)",
        "np.sqrt(epistemic)",
        ("uncertainty/draws/test_mixtures.py::test_moments_are_those_of_samples_of_the_mixture",),
    ),
    Mutant(
        "a density in the network's units is taken for one in the target's",
        "uncertainty/draws/mixtures.py",
        "Gaussians.log_density",
        "together + reducing.sum_along(self.units.log_slope(y))",
        "together",
        ("uncertainty/draws/test_mixtures.py::test_the_density_integrates_to_the_distribution",),
    ),
    Mutant(
        "draws are added in the order in which they come",
        "uncertainty/draws/reducing.py",
        "mean",
        "lane_mean(values)",
        "values.mean(axis=0)",
        ("uncertainty/draws/test_bits.py::test_a_mixture_of_gaussians_is_the_oracles",),
    ),
    Mutant(
        "rows are added in the order in which they come",
        "arithmetic/sums.py",
        "tree_sum",
        "len(x) <= ROWS_OF_A_LEAF",
        "True",
        ("arithmetic/test_sums.py::test_a_sum_over_rows_is_the_oracles",),
    ),
    Mutant(
        "rows wait for each other until they are precise enough",
        "uncertainty/draws/drawing.py",
        "Drawer._block",
        "done = (error <= how.tolerance).all(axis=1)",
        "done = np.repeat((error <= how.tolerance).all(), len(error))",
        (
            "uncertainty/test_uncertainty.py::test_a_row_is_drawn_as_often_whatever_rows_are_asked_with_it",
        ),
    ),
    Mutant(
        "draws of several networks begin at 0 wherever they are asked from",
        "uncertainty/draws/drawing.py",
        "Drawer._draw",
        "mine.start // m",
        "0",
        ("uncertainty/test_uncertainty.py::test_draw_17_is_the_same_alone",),
    ),
    Mutant(
        "noise is the error of the draws, their own spread included",
        "uncertainty/draws/noise.py",
        "_of_output",
        'return float(exp(optimize.minimize_scalar(cost, bounds=bounds, method="bounded").x))',
        "return size",
        ("uncertainty/draws/test_mixtures.py::test_noise_around_draws_is_found_again",),
    ),
    Mutant(
        "quantiles of draws cross",
        "losses/quantiles.py",
        "Pinball.ascending",
        "np.sort(apart.astype(np.float64), axis=-2)",
        "apart.astype(np.float64)",
        ("losses/test_losses.py::test_predictions_are_in_the_targets_terms",),
    ),
    Mutant(
        "quantiles are not corrected by rows held out",
        "uncertainty/draws/curves.py",
        "Curves._at",
        "self.shape.at(w)",
        "np.repeat(w[:, None], self.knots.shape[1], axis=1)",
        ("uncertainty/draws/test_curves.py::test_the_distribution_at_a_quantile_is_its_level",),
    ),
    Mutant(
        "a density of quantiles forgets the shape of errors",
        "uncertainty/draws/curves.py",
        "Curves.log_density",
        "log(slopes) + log(more)",
        "log(slopes)",
        (
            "uncertainty/draws/test_curves.py::test_the_density_is_the_derivative_of_the_distribution",
        ),
    ),
    Mutant(
        "errors of one network's quantiles count for the mean of all",
        "tables/calibrating.py",
        "curves_of_folds",
        "errors *= _of_mean(folds.y - np.stack(plain), folds.owner, folds.weights)",
        "errors *= 2",
        (
            "tables/test_quantiles.py::test_intervals_hold_what_they_promise_and_are_as_wide_as_a_rows_noise",
        ),
    ),
]
