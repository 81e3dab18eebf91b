"""Where the tests of table files put them."""

import pytest


@pytest.fixture
def put(tmp_path):
    """Puts a content into a file, and says where."""

    def put(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One file for all examples of a property."""
    return tmp_path_factory.mktemp("tables") / "table"
