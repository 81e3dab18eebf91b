"""Faults of uncertainty."""

from mutants import Mutant

FAULTS = [
    Mutant(
        "a quantile is refined until that of its neighbours is found",
        "uncertainty/draws/mixtures.py",
        "Gaussians.quantile",
        "going &= np.abs(step) > near",
        "going[:] = (np.abs(step) > near).any()",
        ("uncertainty/draws/test_mixtures.py",),
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
        ("wide/test_share.py",),
    ),
    Mutant(
        "error bars leave the noise out",
        "uncertainty/draws/spreads.py",
        "spread",
        "np.sqrt(epistemic + aleatoric)",
        "np.sqrt(epistemic)",
        ("uncertainty/draws/test_mixtures.py",),
    ),
    Mutant(
        "a density in the network's units is taken for one in the target's",
        "uncertainty/draws/mixtures.py",
        "Gaussians.log_density",
        "together + reducing.sum_along(self.units.log_slope(y))",
        "together",
        ("uncertainty/draws/test_mixtures.py",),
    ),
    Mutant(
        "draws are added in the order in which they come",
        "uncertainty/draws/reducing.py",
        "mean",
        "lane_mean(values)",
        "values.mean(axis=0)",
        ("uncertainty/draws/test_bits.py",),
    ),
    Mutant(
        "rows are added in the order in which they come",
        "arithmetic/sums.py",
        "tree_sum",
        "len(x) <= ROWS_OF_A_LEAF",
        "True",
        ("arithmetic/test_sums.py", "losses/test_measured.py"),
    ),
    Mutant(
        "rows wait for each other until they are precise enough",
        "uncertainty/draws/drawing.py",
        "Drawer._block",
        "done = (error <= how.tolerance).all(axis=1)",
        "done = np.repeat((error <= how.tolerance).all(), len(error))",
        ("uncertainty/test_uncertainty.py",),
    ),
    Mutant(
        "draws of several networks begin at 0 wherever they are asked from",
        "uncertainty/draws/drawing.py",
        "Drawer._draw",
        "mine.start // m",
        "0",
        ("uncertainty/test_uncertainty.py",),
    ),
    Mutant(
        "noise is the error of the draws, their own spread included",
        "uncertainty/draws/noise.py",
        "_of_output",
        'return float(exp(optimize.minimize_scalar(cost, bounds=bounds, method="bounded").x))',
        "return size",
        ("uncertainty/draws/test_mixtures.py",),
    ),
]
