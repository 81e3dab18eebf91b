"""Many random inputs of every kind that has ever broken something: `pytest -m slow tests/attack`.

What counts as passing stands at the head of each module in `kinds`.
"""

import json
import os
import subprocess
import sys

import pytest
from paths import TESTS

PARTS = 2  # of each kind, so that two workers end together
SHARES = {  # of the time, as the least inputs of each need it
    "interrupts": 20,
    "csv_files": 20,
    "strings": 17,
    "parquet_files": 14.5,
    "threads": 14.5,
    "kills": 4.5,
    "model_files": 3,
    "checkpoints": 2.4,
    "faults": 2.2,
    "idx_files": 0.9,
    "csr": 0.8,
}
ALONE = {"interrupts", "kills", "faults", "csr"}  # each input in a process of its own
LEAST_ALONE, LEAST = 100, 2000
BEGINNING = 20  # seconds until pytest has begun


@pytest.fixture
def order(request, workers):
    """What one part of a kind has to do."""
    option = request.config.option

    def order(kind, part):
        settings = {"seed": option.attack_seed, "first": part, "step": PARTS}
        if option.attack_input is not None:
            if option.attack_input % PARTS != part:
                pytest.skip("the input is in the other part")
            return settings | {"first": option.attack_input, "least": 1, "seconds": 0}
        share = SHARES[kind] / sum(SHARES.values()) / PARTS
        total = (option.minutes * 60 - BEGINNING) * workers
        least = (LEAST_ALONE if kind in ALONE else LEAST) // PARTS
        return settings | {"least": least, "seconds": share * total}

    return order


def tally_of(kind, order):
    """In a process without tests' hooks, where types are checked as little as in production."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS / "support"), *filter(None, sys.path)])
    }
    environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "attack.server", kind, json.dumps(order)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", SHARES)
def test_nothing_breaks(kind, part, order, record_property):
    settings = order(kind, part)
    tally = tally_of(kind, settings)
    record_property(f"attack {kind}", tally)
    assert tally["tried"] >= settings["least"]
    again = f"pytest -n 0 -m slow tests/attack -k {kind} --attack-seed {settings['seed']}"
    messages = [
        f"{tally['messages'][where]}\n    at {where}\n"
        f"    {len(numbers)} times; again: {again} --attack-input {numbers[0]}"
        for where, numbers in tally["failures"].items()
    ]
    if messages:
        pytest.fail("\n".join(messages), pytrace=False)
