"""Targets of tables: columns that can't be one, and the rows that are held out to measure by."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from thinnet import TableClassifier, TableRegressor
from thinnet.tables.splitting import held_out

UNFIT = {
    "one class": (TableClassifier, ["x"] * 6, "two classes at least, got only the class 'x'"),
    "numbers": (TableClassifier, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5], "continuous"),
    "text": (TableRegressor, ["1", "x"] * 3, "'x'"),
    "infinite": (TableRegressor, [1.0, np.inf] * 3, "infinity"),
    "infinite class": (TableClassifier, [1.0, np.inf] * 3, "infinity"),
    "missing": (TableRegressor, [None] * 6, "got missing cells only"),
}


@pytest.mark.parametrize(("kind", "cells", "message"), UNFIT.values(), ids=UNFIT)
def test_a_column_that_cannot_be_a_target_is_named(kind, cells, message):
    table = pd.DataFrame({"x": [1, 2, 4, 8, 16, 32], "goal": cells})
    with pytest.raises(ValueError, match=rf"column 'goal' .*{message}"):
        kind().fit(table, "goal")


def test_a_model_remembers_how_its_file_is_written_until_it_is_fitted_anew(tmp_path):
    path, goal = tmp_path / "marks.csv", ["a", "b"] * 20
    table = pd.DataFrame({"x": np.arange(40) ** 2, "y": np.arange(40) % 3})
    table.assign(goal=goal).to_csv(path, index=False, sep=";")
    model = TableClassifier(n_networks=1, max_iter=1).fit(path, "goal")
    assert model.dialect_.delimiter == ";"
    assert model.target_name_ == "goal"
    model.fit(table, goal)
    assert model.dialect_ is None
    assert not hasattr(model, "target_name_")
    assert len(model.predict(path)) == 40


@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=5),
    st.sampled_from([0.1, 0.2, 0.25, 1 / 3, 0.5, 0.6, 0.75]),
    st.integers(0, 99),
)
def test_a_part_of_a_class_is_held_out_wherever_that_is_a_row(counts, share, seed):
    y = np.repeat([f"class {i}" for i in range(len(counts))], counts).astype(object)
    n = len(y)
    assume(1 <= n * share <= n - 1)
    kept, held = held_out(y, share, seed)
    assert sorted([*kept, *held]) == list(range(n))
    assert set(y[kept]) == set(y)
    assert len(held) <= np.ceil(n * share)
    if min(counts) * min(share, 1 - share) >= 1:
        assert len(held) == np.ceil(n * share)
        for label, count in zip(np.unique(y), counts, strict=True):
            assert 0 < (y[held] == label).sum() < count
            assert abs((y[held] == label).sum() - count * share) < 2


def test_labels_that_are_numbers_beyond_all_integers_are_refused_without_a_warning():
    with pytest.raises(ValueError, match="Unknown label type"):
        TableClassifier().fit(np.arange(20.0).reshape(10, 2), np.linspace(0, 1e308, 10) + 0.5)
