"""A column may be called anything that a text can say: it is learned from as any other."""

import numpy as np
import pandas as pd
import pytest

import thinnet as tn

ROWS = 60
DAYS = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(ROWS) * 7 % ROWS, "D")
WORDS = ["in the spring", "we read it again", "nothing of that"]
CELLS = {
    "numbers": np.sin(np.arange(ROWS)),
    "categories": np.resize(["a", "b", "b"], ROWS),
    "dates": DAYS,
    "texts": [f"{WORDS[i % 3]} and page {i} was good" for i in range(ROWS)],
}


def table(name, cells):
    return pd.DataFrame({"born": DAYS, name: cells, "other": np.cos(np.arange(ROWS))})


@pytest.mark.parametrize("name", ["", " ", "born: day", "text 0", "x__y", "hole__other", "'", "€"])
@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_a_column_of_any_name_is_as_good_as_one_of_a_plain_name(name, cells):
    plain = tn.TableEncoder().fit_transform(table("plain", cells))
    encoder = tn.TableEncoder().fit(table(name, cells))
    np.testing.assert_array_equal(encoder.transform(table(name, cells)), plain)
    names = encoder.get_feature_names_out()
    assert len(set(names)) == len(names) == plain.shape[1]


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_a_model_of_nameless_columns_is_saved_whole(cells, tmp_path):
    X = table("", cells)
    model = tn.TableClassifier(n_networks=1, hidden_layer_sizes=(4,), max_iter=1)
    model.fit(X, np.resize(["no", "yes"], ROWS))
    tn.save(model, tmp_path / "model.thinnet")
    again = tn.load(tmp_path / "model.thinnet")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("name", ["\0", "born\0", "a\0b"])
def test_a_name_with_the_character_that_ends_texts_is_refused(name):
    with pytest.raises(
        ValueError, match=r"^the name of a column must be a text without NUL, got '"
    ):
        tn.TableEncoder().fit(table(name, CELLS["numbers"]))
