from .bands import PredictiveBand as PredictiveBand
from .images import CertainImages as CertainImages
from .learning_curve import LearningCurve as LearningCurve
from .maps import UncertaintyMap as UncertaintyMap
from .masks import KeptUnits as KeptUnits
from .pit import PITHistogram as PITHistogram
from .reliability import ReliabilityDiagram as ReliabilityDiagram
from .risk_coverage import RiskCoverageCurve as RiskCoverageCurve
