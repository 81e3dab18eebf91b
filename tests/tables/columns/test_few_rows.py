"""A few rows are encoded without scikit-learn's transformers, and by the same numbers."""

import numpy as np
import pandas as pd
import pytest
from mixed_table import ROWS, mixed

from thinnet import TableClassifier, TableEncoder
from thinnet.tables import drifting
from thinnet.tables.columns.few import FEW
from thinnet.tables.columns.flat import flat_of


def fitted(table: pd.DataFrame) -> TableEncoder:
    return TableEncoder(n_bins=4, max_categories=20, missing=["-9", "30"]).fit(
        table, np.arange(len(table)) % 7 / 7
    )


@pytest.mark.parametrize("as_objects", [False, True])
def test_a_row_has_the_same_features_alone_and_among_many(as_objects: bool) -> None:
    table = mixed()
    encoder = fitted(table)
    table.loc[20, "city"], table.loc[21, "many"], table.loc[22, "rare"] = "Rom", "new", "r1"
    table.loc[23, "whole"], table.loc[24, "written"], table.loc[25, "number"] = -9, "30", 1e305
    table.loc[26, "number"], table.loc[27, "skewed"] = -9.0, -1.0
    given = table.astype(object) if as_objects else table
    assert flat_of(encoder.parts_) is not None
    assert len(given) > FEW
    together = encoder.transform(given)
    alone = [encoder.transform(given.iloc[[i]]) for i in range(len(given))]
    np.testing.assert_array_equal(np.concatenate(alone), together)
    some = encoder.transform(given.iloc[:FEW])
    np.testing.assert_array_equal(some, together[:FEW])


@pytest.mark.parametrize("rows", [1, FEW, ROWS])
def test_a_number_that_means_a_missing_cell_is_one(rows: int) -> None:
    table = mixed()
    encoder = fitted(table)
    marked, absent = (table.iloc[-rows:].assign(number=value) for value in (-9.0, np.nan))
    np.testing.assert_array_equal(encoder.transform(marked), encoder.transform(absent))


def test_strange_cells_are_counted_alike_in_few_rows_and_in_many() -> None:
    table = mixed()
    y = np.where(table["whole"] > 12, "yes", "no")
    model = TableClassifier(max_iter=1, n_networks=2, random_state=0).fit(table, y)
    table.loc[20, "city"], table.loc[23, "whole"], table.loc[5, "number"] = "Rom", 900, np.nan
    total = drifting.Total()
    with drifting.reported_to(total):
        for i in range(len(table)):
            model.predict(table.iloc[[i]])
    together = drifting.counts(model.encoder_.table(table), model.encoder_, model.drift_)
    assert total.counts is not None
    assert total.counts.rows == together.rows
    for found, wanted in zip(total.counts[1:], together[1:], strict=True):
        assert wanted.sum() > 0
        np.testing.assert_array_equal(found, wanted)


def test_a_row_of_a_table_is_predicted_alike_alone_and_among_many() -> None:
    table = mixed()
    y = np.where(table["whole"] > 12, "yes", "no")
    model = TableClassifier(max_iter=2, n_networks=3, random_state=0).fit(table, y)
    with drifting.reported_to(drifting.ignored):
        alone = np.concatenate([model.predict_proba(table.iloc[[i]]) for i in range(len(table))])
        np.testing.assert_array_equal(alone, model.predict_proba(table))


def test_a_cell_that_is_a_list_is_refused_in_one_row_too() -> None:
    table = mixed()
    encoder = fitted(table)
    row = table.iloc[[0]].astype(object)
    row.at[row.index[0], "city"] = ["Ulm"]
    with pytest.raises(ValueError, match="must hold single values, got the list"):
        encoder.transform(row)
    with pytest.raises(ValueError, match="column 'many' must be in the table"):
        encoder.transform(table.drop(columns="many").iloc[[0]])
