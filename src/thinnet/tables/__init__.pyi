from . import reading as reading
from .classifier import TableClassifier as TableClassifier
from .columns.encoding import TableEncoder as TableEncoder
from .explained.rows import ExplainedRow as ExplainedRow
from .explained.rows import explain_row as explain_row
from .importances import Importances as Importances
from .regressor import TableRegressor as TableRegressor
from .uncertain import uncertain_rows as uncertain_rows
