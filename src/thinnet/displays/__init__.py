"""Pictures of fitted estimators, in the manner of scikit-learn's Display objects."""

from thinnet.displays.bands import PredictiveBand
from thinnet.displays.images import CertainImages
from thinnet.displays.learning_curve import LearningCurve
from thinnet.displays.maps import UncertaintyMap
from thinnet.displays.masks import KeptUnits
from thinnet.displays.pit import PITHistogram
from thinnet.displays.reliability import ReliabilityDiagram
from thinnet.displays.risk_coverage import RiskCoverageCurve

__all__ = [
    "CertainImages",
    "KeptUnits",
    "LearningCurve",
    "PITHistogram",
    "PredictiveBand",
    "ReliabilityDiagram",
    "RiskCoverageCurve",
    "UncertaintyMap",
]
