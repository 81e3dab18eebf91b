"""Where PyTorch must be there, no test of it is passed over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch_oracle

SKIPPED = {  # in the order of their names
    "at_its_head": "import torch_oracle, sys\nsys.modules['torch'] = None\ntorch_oracle.imported()",
    "for_itself": "import sys, types\nsys.modules['torch'] = types.ModuleType('torch')",
}
TEST = "\nimport pytest\n@pytest.mark.torch\ndef test_it():\n    pytest.skip('not today')\n"


@pytest.mark.parametrize("options", [(), ("--torch", "--continue-on-collection-errors")])
def test_a_skipped_test_of_pytorch_fails_where_it_must_run(options, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = torch\n")
    for name, head in SKIPPED.items():
        (tmp_path / f"test_{name}.py").write_text(head + TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "torch_oracle", *options],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(Path(torch_oracle.__file__).parent)}
        | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    message = done.stdout.splitlines()[-1]
    assert ("1 failed, 1 error" if options else "2 skipped") in message
