"""A fitted model as an ONNX file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from sklearn.utils.validation import check_is_fitted

from thinnet.arrays import FittedEstimator
from thinnet.atomic import check_place, write_atomically
from thinnet.estimators import MLPClassifier, MLPRegressor
from thinnet.export import onnx_estimators, onnx_tables
from thinnet.export.onnx_graph import Graph
from thinnet.network import Network
from thinnet.tables.classifier import TableClassifier
from thinnet.tables.regressor import TableRegressor

GRAPHS: Final[dict[type, Callable[[Any], Graph]]] = {
    Network: onnx_estimators.network_graph,
    MLPClassifier: onnx_estimators.classifier_graph,
    MLPRegressor: onnx_estimators.regressor_graph,
    TableClassifier: onnx_tables.classifier_graph,
    TableRegressor: onnx_tables.regressor_graph,
}


def export_onnx(model: FittedEstimator, path: str | os.PathLike[str]) -> None:
    """Write a model's prediction, dropout off, as a file for ONNX runtimes.

    ============== ========================== ==================================================
    Model          Inputs                     Outputs
    ============== ========================== ==================================================
    Network        X, shape (rows, *features) outputs, raw
    MLPClassifier  X, shape (rows, features)  label, shape (rows,); of several labels at once 0s
                                              and 1s, shape (rows, n_classes); probabilities,
                                              shape (rows, n_classes)
    MLPRegressor   X, shape (rows, features)  variable, shape (rows, n_outputs)
    TableClassifier, TableRegressor
                   one for each column that   as above
                   says something, under its
                   name, shape (rows, 1)
    ============== ========================== ==================================================

    X and the outputs have the type of the network; with tables all numbers are float64.  Labels
    are int64 or text.  A column of numbers has NaN for missing cells, one of categories "".
    Categories are text as a file has it: "3" for 3 and 3.0, "true" for True, without blanks around.
    Dates are seconds since 1970-01-01, by their own clocks (UTC for texts with a time zone), NaN
    for missing ones; docs/tables.md has the line of pandas that makes them.
    The operators are those of opset 13, for categories also those of ai.onnx.ml 2.

    Parameters
    ----------
    model : Network, MLPClassifier, MLPRegressor, TableClassifier or TableRegressor
        Estimators must be fitted.
    path : path
        The place of the file; an old file there is replaced when the new one is complete.

    Raises
    ------
    NotFittedError
        Before fit.
    ValueError
        If the model is of another class, or has a layer without a form in ONNX, classes that are
        neither whole numbers nor text, or columns of texts; if no file can be written at
        `path`; if the library onnx is not installed.
    OSError
        If writing fails; an old file is untouched.

    Examples
    --------
    >>> import onnxruntime  # doctest: +SKIP
    >>> from sklearn.datasets import load_iris
    >>> from thinnet import MLPClassifier, export_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), max_iter=2000, random_state=0).fit(X, y)
    >>> export_onnx(model, "iris.onnx")  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession("iris.onnx")  # doctest: +SKIP
    >>> label, probabilities = session.run(None, {"X": X})  # doctest: +SKIP
    >>> bool((label == model.predict(X)).all())  # doctest: +SKIP
    True
    """
    graph_of = _graph_of(model)
    if not isinstance(model, Network):
        check_is_fitted(model)
    check_place("ONNX file", path)
    write_atomically(path, graph_of(model).content())


def _graph_of(model: Any) -> Callable[[Any], Graph]:
    for kind, graph_of in GRAPHS.items():
        if isinstance(model, kind):
            return graph_of
    known = ", ".join(kind.__name__ for kind in GRAPHS)
    raise ValueError(f"model must be one of {known}, got {type(model).__name__}")
