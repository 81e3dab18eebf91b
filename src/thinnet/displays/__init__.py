"""Pictures of fitted estimators, in the manner of scikit-learn's Display objects."""

from thinnet.displays.learning_curve import LearningCurve
from thinnet.displays.masks import KeptUnits

__all__ = ["KeptUnits", "LearningCurve"]
