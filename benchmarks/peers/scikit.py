"""scikit-learn's MLP, which has no dropout; for tables in a pipeline."""

from __future__ import annotations

import warnings

from harness import Prepared
from problems import Table, Training
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def training(problem: Training) -> Prepared:
    X, y = problem.data()
    kind = MLPClassifier if problem.classifies else MLPRegressor
    how = {} if problem.optimizer == "adam" else {"momentum": 0.0, "nesterovs_momentum": False}
    model = kind(
        problem.sizes[1:-1],
        solver=problem.optimizer,
        alpha=0.0,
        batch_size=problem.batch,
        learning_rate_init=problem.learning_rate,
        max_iter=1,
        warm_start=True,
        **how,
    )

    def work() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y if problem.classifies else y.ravel())

    return Prepared(work, problem.batches)


def table_row(problem: Table) -> Prepared:
    columns = make_column_transformer(
        (StandardScaler(), make_column_selector("number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector("category")),
    )
    model = make_pipeline(columns, MLPClassifier(max_iter=5, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(problem.frame(), problem.labels())
    row = problem.row()
    return Prepared(lambda: model.predict_proba(row))
