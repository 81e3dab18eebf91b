"""What `--avx2`, `--threads`, `--quick`, `--only` and `--without` hold the benchmarks to."""

import json
import os
import subprocess
import sys

import pytest
import typer

CORES = "import os; print(len(os.sched_getaffinity(0)))"


@pytest.fixture
def limits(benchmarks, monkeypatch):
    """The module; variables and cores are as before when the test is done."""
    import limits

    for name in [*limits.AVX2, "NPY_DISABLE_CPU_FEATURES"]:
        monkeypatch.setenv(name, "")  # so that what the test sets is taken back
        monkeypatch.delenv(name)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    yield limits
    if cores is not None:
        os.sched_setaffinity(0, cores)


def has_avx2():
    from llvmlite.binding import get_host_cpu_features

    return dict(get_host_cpu_features()).get("avx2", False)


@pytest.mark.skipif(not has_avx2(), reason="no processor with AVX2")
def test_processes_that_are_started_use_avx2_and_say_so(limits):
    import machine

    found = machine.record({"avx2": True}, limits.hold(avx2=True))
    assert found["processor"].endswith(", held to haswell") or found["llvm"] == "haswell"
    assert found["instructions"] == "AVX2"
    assert not {"X86_V4", "AVX512_ICL"} & set(found["held"]["numpy"].split())
    assert found["held"].get("openblas", "Haswell") in ("Haswell", "")
    assert found["held"].get("torch", "AVX2") == "AVX2"
    assert found["options"] == {"avx2": True}
    assert found["variables"]["XLA_FLAGS"] == "--xla_cpu_max_isa=AVX2"


@pytest.mark.skipif(not has_avx2(), reason="no processor with AVX2")
def test_flags_of_xla_that_are_set_stay(limits, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--other")
    assert limits.hold(avx2=True)["XLA_FLAGS"] == "--other --xla_cpu_max_isa=AVX2"


def test_a_processor_without_avx2_is_not_held_to_it(limits, monkeypatch):
    monkeypatch.setattr(limits, "get_host_cpu_features", lambda: {"avx2": False})
    with pytest.raises(
        typer.BadParameter, match="--avx2 must be asked for on a processor that has"
    ):
        limits.hold(avx2=True)
    assert "ATEN_CPU_CAPABILITY" not in os.environ


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity")
def test_processes_that_are_started_have_so_many_cores(limits):
    limits.hold(threads=1)
    assert subprocess.check_output([sys.executable, "-c", CORES], text=True).strip() == "1"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity")
@pytest.mark.parametrize("threads", [0, -1, 100_000])
def test_more_cores_than_there_are_are_refused(limits, threads):
    with pytest.raises(typer.BadParameter, match=rf"must be an integer in \[1, .*got {threads}$"):
        limits.hold(threads=threads)


def test_cores_of_their_own_come_before_siblings(limits):
    pairs = {0: "0,4", 4: "0,4", 1: "1,5", 5: "1,5"}
    assert limits.spread(pairs, pairs.get) == [0, 1, 4, 5]
    assert limits.spread({5, 0, 4}, pairs.get) == [0, 5, 4]


def test_five_rows_are_quick_and_no_two_rows_have_one_title(benchmarks):
    import rows

    titles = [row.title for row in rows.ROWS]
    assert len(titles) == len(set(titles)) > 15
    assert {row.title for row in rows.chosen("", quick=True)} == set(rows.QUICK)
    assert len(rows.QUICK) == 5
    assert rows.left_out(["jax"], quick=True) == ["jax", "keras", "torch.compile"]
    assert rows.left_out(["jax"], quick=False) == ["jax"]


def test_what_is_left_out_takes_no_part(benchmarks):
    import rows

    (row,) = rows.chosen("256 x 1024, forward + backward", quick=False)
    names = set(row.systems())
    assert {"thinnet", "copy, one thread"} <= names
    assert set(row.systems(["copy, one thread"])) == names - {"copy, one thread"}


def test_unknown_rows_and_systems_are_refused_in_a_sentence(benchmarks):
    import rows

    with pytest.raises(
        typer.BadParameter, match=r"--only must be in a title of .*, got 'spirale'$"
    ):
        rows.chosen("spirale", quick=False)
    with pytest.raises(typer.BadParameter, match=r"the five of --quick, got 'spiral'$"):
        rows.chosen("spiral", quick=True)
    with pytest.raises(typer.BadParameter, match=r"--without must be among .*, got 'thinnet'$"):
        rows.left_out(["thinnet"], quick=False)


def test_systems_are_timed_in_turn_and_a_failing_one_is_named(benchmarks):
    import harness
    from problems import Elements
    from rows import Peer

    copy = Peer("peers.copies", "single_dropout")
    found = harness.compare({"thinnet": copy, "copy": copy}, Elements(64, 64), rounds=2)
    assert [len(seconds) for seconds in found.seconds.values()] == [2, 2]
    kept = json.loads(json.dumps(found.systems(), allow_nan=False))
    assert kept["thinnet"]["ratios"] == {"low": 1.0, "median": 1.0, "high": 1.0}
    assert kept["copy"]["ratios"]["low"] <= kept["copy"]["ratio"] <= kept["copy"]["ratios"]["high"]
    with pytest.raises(RuntimeError, match="broken failed on Elements"):
        harness.compare({"broken": Peer("peers.copies", "none")}, Elements(1, 1), rounds=1)


def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(benchmarks, tmp_path):
    from json_file import JsonFile
    from typer.testing import CliRunner

    def measure(json_file: JsonFile = None) -> None:
        typer.echo("measured")

    app = typer.Typer(rich_markup_mode=None)
    app.command()(measure)
    ended = CliRunner().invoke(app, ["--json", str(tmp_path / "none" / "found.json")])
    assert ended.exit_code == 2
    assert "--json must be in a folder that can be written to" in ended.output
    assert "measured" not in ended.output
    assert CliRunner().invoke(app, ["--json", str(tmp_path / "found.json")]).output == "measured\n"


@pytest.mark.slow
def test_one_quick_row_is_measured_by_the_command_and_its_file_makes_a_page(benchmarks, tmp_path):
    import page
    import results

    file, options = tmp_path / "found.json", ["--quick", "--only", "one row", "--threads", "1"]
    command = [sys.executable, str(benchmarks), *options, "--json", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    found = results.read([file])
    ((kind, _),) = found.items()
    assert kind.threads == 1
    assert "one row predicted" in page.speed(found)
