"""The benchmark of fits beside other libraries, and that they hold no fit up."""

import json
import os
import subprocess
import sys

import pytest
from paths import ROOT

MOST = 2.0  # times as long as alone; 1.2 on a machine with nothing else to do


@pytest.mark.slow
def test_a_fit_beside_other_libraries_takes_about_as_long_as_alone(tmp_path):
    script, found = ROOT / "benchmarks" / "company.py", tmp_path / "found.json"
    asked = ["--only", "6 epochs", "--rounds", "9", "--json", found]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, script, *asked], env=environment, check=True, timeout=300)
    places = json.loads(found.read_text())["places"]
    assert len(places) >= 5
    assert [place for place in places if place["ratio"] > MOST] == []
