"""Numbers that the formulas of docs/arithmetic.md share."""

from __future__ import annotations

import math
from typing import Final

VERSION: Final = 1  # of docs/arithmetic.md
ROWS_OF_A_LEAF: Final = 128  # of the tree of sums over rows
LANES: Final = 16  # the number of partial sums within a row

LOG_2: Final = (6.93147180369123816490e-01, 1.90821492927058770002e-10)  # in two parts
EXP_RANGE: Final = (-746.0, 710.0)  # 0 below, infinity above
FACTORIALS: Final = tuple(1 / math.factorial(k) for k in range(15))
ODD_PARTS: Final = tuple(1 / (2 * k + 1) for k in range(12))  # of log
MORE_ODD_PARTS: Final = tuple(1 / (2 * k + 1) for k in range(18))  # of log1p
COSINE: Final = tuple((-1) ** k / math.factorial(2 * k) for k in range(9))
SINE: Final = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(9))
SQRT_HALF: Final = math.sqrt(0.5)
FULL_TURN: Final = 2 * math.pi
HALF_LOG_2_PI: Final = 0.9189385332046727
# The series of Stirling for the logarithm of gamma, in 1 / x^2.
STIRLING: Final = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
# (1 + 2 x) exp(x^2) erfc(x) for x >= 0 as a Chebyshev series of (x - 3.75) / (x + 3.75), in powers
# (after Shepherd and Laframboise 1981).
ERFCX: Final = (
    1.2375126308378275, -0.14024059858554697, 0.0035854154854644293, 0.0822767384901452,
    -0.10880393014174886, 0.09230432116037748, -0.05869339858963677, 0.028362277418956406,
    -0.009746579558029276, 0.0017556258528952954, 0.0002937136655913448, -0.0002901540805408417,
    5.164909889268241e-05, 2.238423915508223e-05, -1.1444146237700525e-05, -9.735598967367743e-07,
    1.7516376488490644e-06, -5.721823060322481e-08, -2.586685071615614e-07, 2.326350870885963e-08,
    3.867533424222407e-08, -3.744210080962221e-09, -5.17399021401197e-09, 3.111433380980274e-10,
    4.251471444797501e-10,
)  # fmt: skip
