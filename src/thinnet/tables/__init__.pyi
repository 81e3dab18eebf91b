from . import reading as reading
from .classifier import TableClassifier as TableClassifier
from .columns.encoding import TableEncoder as TableEncoder
from .importances import Importances as Importances
from .regressor import TableRegressor as TableRegressor
from .uncertain import uncertain_rows as uncertain_rows
