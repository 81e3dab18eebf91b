"""Networks and multilayer perceptrons in ONNX, from the input to predictions."""

from __future__ import annotations

import numpy as np

from thinnet.estimators import MLPClassifier, MLPRegressor
from thinnet.export.models import network_of
from thinnet.export.onnx_graph import Graph, Value
from thinnet.export.onnx_labels import add_label, most_probable
from thinnet.export.onnx_layers import outputs, predicted
from thinnet.network import Network
from thinnet.uncertainty.draws.heads import ClassHead


def network_graph(network: Network) -> Graph:
    graph = Graph("Network", ("outputs",))
    graph.output("outputs", _outputs(graph, network), network.out)
    return graph


def regressor_graph(model: MLPRegressor) -> Graph:
    graph = Graph("MLPRegressor", ("variable",))
    head, z = model.head_, _outputs(graph, model)
    graph.output("variable", predicted(head, z), (head.n_outputs,))
    return graph


def classifier_graph(model: MLPClassifier) -> Graph:
    graph = Graph("MLPClassifier", ("label", "probabilities"))
    kinds = {"binary": _binary, "multiclass": _multiclass, "multilabel-indicator": _multilabel}
    kinds[model.head_.kind](model.head_, _outputs(graph, model))
    return graph


def _outputs(graph: Graph, model: Network | MLPClassifier | MLPRegressor) -> Value:
    network = network_of(model)
    return outputs(network, graph.input("X", network.dtype, network.features))


def _binary(head: ClassHead, z: Value) -> None:
    p, last = predicted(head, z), len(head.classes) - 1
    add_label(z.graph, (z > 0.0).cast(np.int64).shaped(-1) * last, head.classes)
    both = z.graph.node("Concat", p.to("Neg") + 1.0, p, axis=1)
    z.graph.output("probabilities", both, (2,))


def _multiclass(head: ClassHead, z: Value) -> None:
    add_label(z.graph, most_probable(z), head.classes)
    z.graph.output("probabilities", predicted(head, z), (head.width,))


def _multilabel(head: ClassHead, z: Value) -> None:
    z.graph.output("label", (z > 0.0).cast(np.int64), (head.width,))
    z.graph.output("probabilities", predicted(head, z), (head.width,))
