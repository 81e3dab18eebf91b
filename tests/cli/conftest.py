"""For all commands a folder of their own; for those of tables a table and a model of it.

Whatever imports thinnet is imported by the fixtures: its annotations are hooked after this file.
"""

import shutil

import pytest
from fitted_tables import FAST, write_people


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def table(tmp_path):
    return write_people(tmp_path / "people.csv")


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """The file of a model of the table."""
    from commanding import thinnet_command

    folder = tmp_path_factory.mktemp("fitted")
    table = write_people(folder / "people.csv")
    place = ("--out", folder / "people.thinnet")
    assert thinnet_command("fit", table, "--target", "buys", *place, *FAST)[0] == 0
    return folder / "people.thinnet"


@pytest.fixture
def model(fitted, tmp_path):
    """Fitted to `table`, and read from its file."""
    from thinnet import load

    shutil.copy(fitted, tmp_path)
    return load(tmp_path / "people.thinnet")
