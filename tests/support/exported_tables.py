"""What goes into exported models of tables, and whether what comes out is what they predict."""

import numpy as np
import pandas as pd
from exported_models import exported, runs
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import TableClassifier
from thinnet.export.onnx_graph import Graph
from thinnet.export.onnx_tables import encoded
from thinnet.tables.columns.kinds import as_labels


def feed_of(columns, table):
    """What goes into the graph, with texts as a file would have them."""
    ways = {
        "number": lambda cells: np.asarray(cells, float),
        "category": texts_of,
        "date": seconds_of,
    }
    kinds = {column.name: column.kind for column in columns if column.kind != "left out"}
    return {name: ways[kind](table[name])[:, None] for name, kind in kinds.items()}


def texts_of(cells):
    return np.asarray(as_labels(cells).fillna(""), object)


def seconds_of(cells):
    """As docs/tables.md says."""
    dates = pd.to_datetime(cells).astype("datetime64[us]")
    return np.asarray(dates.astype("int64").where(dates.notna()) / 1e6)


def assert_table_is_alike(model, table, path):
    found = exported(model, feed_of(model.encoder_.columns_, table), path)
    if isinstance(model, TableClassifier):
        assert_array_equal(found["label"], model.predict(table))
        assert_allclose(found["probabilities"], model.predict_proba(table), rtol=0, atol=1e-5)
        return
    wanted = model.predict(table).reshape(len(table), -1)
    assert_allclose(found["variable"], wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def encoder_content(encoder):
    graph = Graph("table", ("encoded",))
    graph.output("encoded", encoded(graph, encoder), (len(encoder.get_feature_names_out()),))
    return graph.content()


def encoded_in_onnx(encoder, table):
    return runs(encoder_content(encoder), feed_of(encoder.columns_, table))["encoded"]
