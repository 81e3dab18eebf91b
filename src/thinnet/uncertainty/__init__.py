"""The uncertainty of networks: draws with dropout, and calibration on rows held out.

Functions of arrays, by the module that they stand in:

- `brier`: the Brier score and its parts.
- `calibration`: expected and maximum calibration error, negative log likelihood; `reliability`,
  the bins behind them.
- `intervals`: coverage, width and score of intervals.
- `predictive`: probability integral transforms and CRPS of draws of numbers.
- `selection`: risk and coverage where a model may abstain.
- `temperature`: one number by which logits are divided, `TemperatureScaling` around a classifier.
- `predictive_entropy`, `expected_entropy`, `mutual_information`, `variation_ratio` and `class_std`
  take draws of class probabilities.

Functions of networks: `moments`, mean and variance of the outputs over all masks without draws.

For estimators: `SplitConformalRegressor` and `SplitConformalClassifier` give intervals and sets
with a guarantee; `NumberUncertainty` and `ClassUncertainty` are returned by `uncertainty`.

Each name is imported when it is first used.

Examples
--------
>>> from thinnet import uncertainty
>>> uncertainty.mutual_information([[[1.0, 0.0]], [[0.0, 1.0]]]).round(4)  # two draws disagree
array([0.6931])
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
