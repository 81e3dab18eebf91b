"""Pictures of fitted estimators, in the manner of scikit-learn's Display objects."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thinnet.displays.bands import PredictiveBand
    from thinnet.displays.images import CertainImages
    from thinnet.displays.learning_curve import LearningCurve
    from thinnet.displays.maps import UncertaintyMap
    from thinnet.displays.masks import KeptUnits
    from thinnet.displays.pit import PITHistogram
    from thinnet.displays.reliability import ReliabilityDiagram
    from thinnet.displays.risk_coverage import RiskCoverageCurve

_LAZY = {
    "PredictiveBand": "thinnet.displays.bands",
    "CertainImages": "thinnet.displays.images",
    "LearningCurve": "thinnet.displays.learning_curve",
    "UncertaintyMap": "thinnet.displays.maps",
    "KeptUnits": "thinnet.displays.masks",
    "PITHistogram": "thinnet.displays.pit",
    "ReliabilityDiagram": "thinnet.displays.reliability",
    "RiskCoverageCurve": "thinnet.displays.risk_coverage",
}


def __getattr__(name: str) -> Any:
    """Saving a figure must not wait for what all displays need."""
    if name not in _LAZY:
        raise AttributeError(f"module 'thinnet.displays' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


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
