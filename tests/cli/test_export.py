"""`thinnet export`."""

import sys

import pytest
from commanding import thinnet_command


@pytest.mark.usefixtures("model")
def test_export_without_its_library_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, output = thinnet_command("export", "people.thinnet", "people.onnx")
    assert (code, "needs the library onnx: pip install 'thinnet[onnx]'" in output) == (1, True)
