"""Networks and multilayer perceptrons in ONNX: what follows the raw outputs."""

from __future__ import annotations

import numpy as np

from thinnet.estimators import MLPClassifier, MLPRegressor
from thinnet.export.models import network_of
from thinnet.export.onnx_graph import Graph, Value
from thinnet.export.onnx_labels import add_label, most_probable
from thinnet.export.onnx_layers import outputs
from thinnet.network import Network


def network_graph(network: Network) -> Graph:
    graph = Graph("Network", ("outputs",))
    graph.output("outputs", _outputs(graph, network), network.out)
    return graph


def regressor_graph(model: MLPRegressor) -> Graph:
    graph = Graph("MLPRegressor", ("variable",))
    z = _outputs(graph, model)
    y = z.to("Exp") if model.loss == "poisson" else z
    graph.output("variable", y, (model.n_outputs_,))
    return graph


def classifier_graph(model: MLPClassifier) -> Graph:
    graph = Graph("MLPClassifier", ("label", "probabilities"))
    heads = {"binary": _binary, "multiclass": _multiclass, "multilabel-indicator": _multilabel}
    heads[model._labels.kind](model, _outputs(graph, model))
    return graph


def _outputs(graph: Graph, model: Network | MLPClassifier | MLPRegressor) -> Value:
    network = network_of(model)
    return outputs(network, graph.input("X", network.dtype, network.features))


def _binary(model: MLPClassifier, z: Value) -> None:
    p, last = z.to("Sigmoid"), len(model.classes_) - 1
    add_label(z.graph, (z > 0.0).cast(np.int64).shaped(-1) * last, model.classes_)
    both = z.graph.node("Concat", p.to("Neg") + 1.0, p, axis=1)
    z.graph.output("probabilities", both, (2,))


def _multiclass(model: MLPClassifier, z: Value) -> None:
    add_label(z.graph, most_probable(z), model.classes_)
    z.graph.output("probabilities", z.to("Softmax", axis=-1), (model.n_outputs_,))


def _multilabel(model: MLPClassifier, z: Value) -> None:
    z.graph.output("label", (z > 0.0).cast(np.int64), (model.n_outputs_,))
    z.graph.output("probabilities", z.to("Sigmoid"), (model.n_outputs_,))
