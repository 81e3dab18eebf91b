"""Functions and sums of float64 with the same bits everywhere (docs/arithmetic.md).

They use ``+ - * /`` and the square root alone, in a fixed order, and neither the C library's nor
NumPy's own functions and sums, which round differently from system to system.  What a network
starts from, what estimators make of its outputs, and what training decides by are computed here.
"""

from thinnet.arithmetic.constants import (
    COSINE,
    ERFCX,
    FULL_TURN,
    HALF_LOG_2_PI,
    LOG_2,
    ODD_PARTS,
    ROWS_OF_A_LEAF,
    SINE,
    STIRLING,
    VERSION,
)
from thinnet.arithmetic.exponentials import log_sum_exp, softmax
from thinnet.arithmetic.functions import (
    cos_sin,
    entropy_of,
    exp,
    expm1,
    log,
    log1p,
    nearest_power_of_two,
    power,
    sigmoid,
    softplus,
    whole_power,
    x_log_y,
)
from thinnet.arithmetic.matrices import orthonormal
from thinnet.arithmetic.normal import normal_cdf, normal_cdf_and_density, normal_quantile
from thinnet.arithmetic.poisson import log_gamma, poisson_cdf, poisson_log_chance
from thinnet.arithmetic.sums import (
    folded_sum,
    joined,
    lane_mean,
    lane_sum,
    total_weight,
    tree_mean,
    tree_sum,
    tree_variance,
)

__all__ = [
    "COSINE",
    "ERFCX",
    "FULL_TURN",
    "HALF_LOG_2_PI",
    "LOG_2",
    "ODD_PARTS",
    "ROWS_OF_A_LEAF",
    "SINE",
    "STIRLING",
    "VERSION",
    "cos_sin",
    "entropy_of",
    "exp",
    "expm1",
    "folded_sum",
    "joined",
    "lane_mean",
    "lane_sum",
    "log",
    "log1p",
    "log_gamma",
    "log_sum_exp",
    "nearest_power_of_two",
    "normal_cdf",
    "normal_cdf_and_density",
    "normal_quantile",
    "orthonormal",
    "poisson_cdf",
    "poisson_log_chance",
    "power",
    "sigmoid",
    "softmax",
    "softplus",
    "total_weight",
    "tree_mean",
    "tree_sum",
    "tree_variance",
    "whole_power",
    "x_log_y",
]
