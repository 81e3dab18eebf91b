"""`thinnet show`."""

import pathlib

import pytest
from commanding import thinnet_command

from thinnet import save


@pytest.mark.usefixtures("model")
def test_notes_of_columns_are_shown_once():
    _, output = thinnet_command("show", "people.thinnet")
    (note,) = (line for line in output.splitlines() if "column 'id'" in line)
    assert output.count(note.partition(": ")[2].partition(": ")[2]) == 1


def test_an_empty_file_is_no_model():
    pathlib.Path("empty.thinnet").touch()
    code, output = thinnet_command("show", "empty.thinnet")
    assert (code, "must be a complete file, got an empty one" in output) == (1, True)


def test_a_file_of_another_model_is_refused(table, tmp_path):
    from sklearn.datasets import load_iris

    from thinnet import MLPClassifier

    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((4,), solver="lbfgs", max_iter=2000, random_state=0)
    save(model.fit(X, y), tmp_path / "iris.thinnet")
    code, output = thinnet_command("show", "iris.thinnet")
    assert code == 1
    assert "one that `thinnet fit` has saved for a table" in output
