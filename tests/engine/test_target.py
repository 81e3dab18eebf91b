"""What code is compiled for, and variables that claim what is not there: a sentence, no crash."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from targets import AVX2

from thinnet import Dense, Network
from thinnet.engine import caching, shapes, target
from thinnet.engine.features import architecture, features_of, of_host
from thinnet.network import executor

on_x86 = pytest.mark.skipif(architecture() != "x86", reason="features of x86-64")
LACKING = next((name for name, there in sorted(of_host().items()) if not there), None)
COMMAND = "import sys; sys.argv[0] = 'thinnet'; from thinnet_command import main; main()"


@pytest.fixture
def held(monkeypatch):
    """As with these variables in a new process."""

    def hold(name=None, features=None):
        monkeypatch.setattr(numba.config, "CPU_NAME", name)
        monkeypatch.setattr(numba.config, "CPU_FEATURES", features)

    return hold


@on_x86
def test_a_name_and_features_bring_what_they_imply(held):
    held("haswell", "")
    assert target.fuses()
    assert target.has("avx2")
    assert not target.has("avx512f")
    held("nehalem", "+fma")
    assert target.has("avx")
    assert not target.has("avx2")


@on_x86
def test_a_name_alone_leaves_the_hosts_features(held):
    host = features_of(target.target())
    held("nehalem")
    assert features_of(target.target()) == host


@on_x86
def test_what_is_taken_away_is_not_there(held):
    held(None, "-avx512f,-avx2")
    assert not target.has("avx512f")
    assert not target.has("avx2")


@on_x86
@pytest.mark.parametrize("held_to", [("generic", ""), ("nehalem", ""), (None, "-fma")], ids=str)
def test_a_processor_without_fused_multiply_add_says_so(held, held_to):
    held(*held_to)
    assert target.obstacle() == ""
    assert target.obstacle_to_networks() == "this processor has no fused multiply-add"


@on_x86
def test_a_network_says_that_the_processor_has_no_fused_multiply_add(held, monkeypatch, capsys):
    monkeypatch.setattr(executor, "obstacle", executor.obstacle.__wrapped__)
    held("nehalem", "")
    network = Network([Dense(1)], 3, seed=0)
    network.describe()
    words = " ".join(capsys.readouterr().out.split())
    why = "run by the reference executor: this processor has no fused multiply-add"
    assert why in words
    assert network.outputs(np.ones((2, 3))).shape == (2, 1)


def test_every_armv8_fuses(monkeypatch):
    for module in (target, sys.modules["thinnet.engine.features"]):
        monkeypatch.setattr(module, "architecture", lambda: "arm")
    wanted = target.Target("aarch64-unknown-linux-gnu", "generic", "-sve")
    assert features_of.__wrapped__(wanted) == {"neon"}


def test_where_no_kernels_are_known_there_is_a_reason(monkeypatch):
    monkeypatch.setattr(target, "architecture", lambda: "riscv64")
    assert "not for riscv64" in target.obstacle()


NAMES = ["no-such-processor", "help", 'x" "', "haswell ", "Haswell"]
FEATURES = ["+no-such", "avx2", "+help", "+avx2 ,+fma", "+avx2;+fma", '+avx2"', "+"]


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_processor_is_refused(held, name, capfd):
    held(name)
    allowed = "NUMBA_CPU_NAME must be the name of a processor that LLVM knows, got "
    with pytest.raises(ValueError, match=f"^{allowed}"):
        target.target()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("features", FEATURES)
def test_an_unknown_feature_is_refused(held, features, capfd):
    held(None, features)
    allowed = r"NUMBA_CPU_FEATURES must be features that LLVM knows, \+ or - before each"
    with pytest.raises(ValueError, match=f"^{allowed}"):
        target.target()
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(LACKING is None, reason="LLVM can't say what this processor lacks")
def test_a_feature_that_the_processor_lacks_is_refused(held):
    held(None, f"+{LACKING}")
    sentence = rf"^NUMBA_CPU_FEATURES must be features of this processor, got '\+{LACKING}'$"
    with pytest.raises(ValueError, match=sentence):
        target.target()


@on_x86
def test_a_processor_with_more_than_this_one_is_refused(held, monkeypatch):
    there = dict.fromkeys(of_host(), False)
    for module in (target, sys.modules["thinnet.engine.features"]):
        monkeypatch.setattr(module, "of_host", lambda: there)
    with pytest.raises(ValueError, match=r"^NUMBA_CPU_NAME must be a processor whose features"):
        target._check.__wrapped__(target.Target(target.target().triple, "haswell", ""))


@pytest.mark.parametrize(
    "asked", ["", "8", "0x16", "17x16", "8x17", "8x64", "-1x16", "axb", "8x48 "]
)
def test_tiles_that_there_are_not_are_refused(monkeypatch, asked):
    monkeypatch.setenv("THINNET_TILES", asked)
    sentence = f"^THINNET_TILES must be ROWSxNUMBERS, from 1 to 16 rows .*, got {asked!r}$"
    with pytest.raises(ValueError, match=sentence):
        shapes.chosen()
    with pytest.raises(ValueError, match=sentence):
        executor.obstacle.__wrapped__()


@pytest.mark.parametrize(("asked", "rows"), [("12x32", (12, 8, 4, 2, 1)), ("1x16", (1,))])
def test_tiles_may_be_asked_for(monkeypatch, asked, rows):
    monkeypatch.setenv("THINNET_TILES", asked)
    assert str(shapes.chosen()) == asked
    assert shapes.chosen().rows == rows


@on_x86
def test_processors_and_tiles_never_share_machine_code(held, monkeypatch):
    found = []
    for name, features in [(None, None), ("haswell", None), ("haswell", ""), (None, "-avx512f")]:
        held(name, features)
        found.append(caching.machine_code_hash.__wrapped__())
    for asked in ("12x32", "8x32", "12x16"):
        monkeypatch.setenv("THINNET_TILES", asked)
        found.append(caching.machine_code_hash.__wrapped__())
    assert len(set(found)) == len(found)


def in_another_process(code, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def assert_refused(done, variable):
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"thinnet: {variable} must be ")
    assert done.stderr.count("\n") == 1


def test_the_command_says_it_in_a_sentence():
    done = in_another_process(COMMAND, "info", NUMBA_CPU_FEATURES="avx2")
    assert_refused(done, "NUMBA_CPU_FEATURES")


REFUSED = [("NUMBA_CPU_NAME", "no-such"), ("NUMBA_CPU_FEATURES", "+no"), ("THINNET_TILES", "9")]


@pytest.mark.slow
@pytest.mark.parametrize(("variable", "value"), REFUSED, ids=str)
@pytest.mark.parametrize("command", [["info"], ["fit", "digits", "--epochs", "1"]], ids=str)
def test_every_command_says_it_in_a_sentence(variable, value, command, tmp_path):
    if "fit" in command:
        command = [*command, "--out", str(tmp_path / "digits.png")]
    assert_refused(in_another_process(COMMAND, *command, **{variable: value}), variable)


UNFUSED = """
import numpy as np
from thinnet import Dense, Dropout, Network, dropout, keep_mask, train
network = Network([Dense(4), Dropout(0.5), Dense(1)], 3, seed=0)
network.describe()
try:
    Network([Dense(1)], 3, executor="compiled")
except ValueError as error:
    print(error)
X = np.random.default_rng(0).normal(size=(50, 3))
train(network, X, X[:, :1], epochs=3, progress=False)
assert np.isfinite(network.outputs(X)).all() and np.isfinite(network.sample(X, 3)).all()
x = np.ones((64, 512), np.float32)
y = dropout(x, 0.5, seed=0, training=True)
kept = keep_mask(seed=0, layer=0, step=0, samples=range(64), units=512, rate=0.5)
np.testing.assert_array_equal(y > 0, kept)
"""
NO_FUSING = [
    {"NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": ""},
    {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": ""},
    {"NUMBA_DISABLE_JIT": "1"},
]


@on_x86
@pytest.mark.slow
@pytest.mark.parametrize("environment", NO_FUSING, ids=str)
def test_without_fused_multiply_add_the_reference_executor_does_it_all(environment, tmp_path):
    done = in_another_process(
        UNFUSED, THINNET_CACHE_DIR=str(tmp_path), COLUMNS="150", **environment
    )
    assert done.returncode == 0, done.stderr
    why = "NUMBA_DISABLE_JIT is set" if len(environment) == 1 else "no fused multiply-add"
    table, refused = done.stdout.rstrip().rsplit("\n", 1)
    described = " ".join(table.split())  # its lines end where the table does
    assert "run by the reference executor: " in described
    assert why in described
    assert refused.startswith("executor must be 'reference' or None for this network: ")
    assert why in refused


@on_x86
@pytest.mark.slow
def test_a_network_held_to_avx2_is_compiled(tmp_path):
    code = "from thinnet import Dense, Network; Network([Dense(1)], 3, executor='compiled')"
    done = in_another_process(code, THINNET_CACHE_DIR=str(tmp_path), **AVX2)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_reference_executor_needs_no_processor(monkeypatch):
    monkeypatch.setattr(executor, "obstacle", executor.obstacle.__wrapped__)
    monkeypatch.setenv("THINNET_TILES", "none")
    network = Network([Dense(1)], 3, seed=0, executor="reference")
    assert network.outputs(np.ones((2, 3))).shape == (2, 1)
    with pytest.raises(ValueError, match=r"^THINNET_TILES must be"):
        Network([Dense(1)], 3, seed=0).outputs(np.ones((2, 3)))
