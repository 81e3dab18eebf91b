"""The benchmark of published splits: any set in the same form, and a run that goes on."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from paths import ROOT

UCI = ROOT / "benchmarks" / "uci.py"


@pytest.fixture
def sets(tmp_path):
    """One set as the folders of 2015 have it, one as the repository of 2018 has."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    for folder in (tmp_path / "sets" / "hills", tmp_path / "sets" / "lakes" / "data"):
        folder.mkdir(parents=True)
        order = rng.permutation(40)
        files = {
            "data": np.column_stack([X, 3 * X[:, 0] + rng.normal(size=40)]),
            "index_features": np.arange(3), "index_target": [3], "n_splits": [2], "n_hidden": [5],
            "tau_values": [0.5, 1.0], "dropout_rates": [0.01, 0.05],
        }  # fmt: skip
        for number in range(2):
            files |= {f"index_train_{number}": order[:30], f"index_test_{number}": order[30:]}
        for name, values in files.items():
            np.savetxt(folder / f"{name}.txt", values)
    return tmp_path / "sets"


def command(sets, out, *options):
    return list(map(str, [UCI, "--data-dir", sets, "--out", out, "--jobs", "1", *options]))


@pytest.fixture
def run(monkeypatch, sets, capsys):
    """The command within this process: threads in place of the processes that it starts."""
    monkeypatch.syspath_prepend(UCI.parent)
    import uci

    monkeypatch.setattr(uci, "ProcessPoolExecutor", lambda n, context: ThreadPoolExecutor(n))

    def run(out, *options):
        monkeypatch.setattr(sys, "argv", command(sets, out, *options))
        uci.main()
        return capsys.readouterr().out

    return run


def test_every_set_runs_by_one_command_and_a_run_goes_on(run, tmp_path):
    quick = ("--epochs", 20, "--draws", 20)
    printed = run(tmp_path / "out", *quick)
    assert "hills" in printed
    assert "lakes" in printed
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 4
    first = json.loads(files[0].read_text())
    assert first["rate"] in (0.01, 0.05)
    assert first["tau"] in (0.5, 1.0)
    assert 0 < first["rmse"] < 10
    files[0].write_text(json.dumps(first | {"rmse": 7.0}))
    files[1].unlink()
    run(tmp_path / "out", *quick)
    assert json.loads(files[0].read_text())["rmse"] == 7.0  # was not done again
    assert files[1].exists()


@pytest.mark.slow
def test_a_split_is_the_same_again_also_in_another_process(run, sets, tmp_path):
    options = ("--sets", "hills", "--splits", 1, "--epochs", 10, "--draws", 10)
    run(tmp_path / "one", *options)
    subprocess.run([sys.executable, *command(sets, tmp_path / "other", *options)], check=True)
    found = [
        [json.loads(path.read_text()) | {"seconds": 0} for path in sorted(folder.iterdir())]
        for folder in (tmp_path / "one", tmp_path / "other")
    ]
    assert found[0] == found[1] != []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sets", "hills", "hilly"), "--sets must be among hills, lakes, got 'hilly'"),
        (("--draws", 0), "argument --draws: must be an integer >= 1, got 0"),
        (("--data-dir", UCI.parent), "--data-dir must hold folders with data.txt"),
    ],
    ids=["set", "draws", "folder"],
)
def test_what_is_not_there_is_named_before_anything_runs(run, tmp_path, capsys, options, message):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path / "out", *options)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.torch
@pytest.mark.parametrize("draws", [1, 3, 1002, 2000])
def test_a_loop_of_pytorch_takes_as_many_draws_as_asked(draws, monkeypatch, sets):
    import torch

    monkeypatch.syspath_prepend(UCI.parent)
    from published import torch_loop
    from published.sets import DataSet

    passed = []

    class Counting(torch.nn.Identity):
        def forward(self, X):
            if not torch.is_grad_enabled():
                passed.append(len(X))
            return X[:, :1]

    monkeypatch.setattr(torch_loop, "_trained", lambda *of_split: Counting())
    before = torch.get_num_threads()
    try:
        torch_loop.run(DataSet(sets / "hills"), 0, epochs=1, draws=draws)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    n_settings = 4
    assert sum(passed) == draws * (n_settings * 6 + 10)  # rows held out, of 30 and of 40
    assert max(passed) <= 1000 * 10


def test_fewer_draws_than_networks_are_one_of_each(monkeypatch, sets):
    monkeypatch.syspath_prepend(UCI.parent)
    from published import tuned
    from published.sets import DataSet

    quick = tuned.Candidate(4, 0.1, 1, own_noise=False)
    monkeypatch.setattr(tuned, "CANDIDATES", (quick,))
    drawn = []
    mixture_of = tuned.mixture_of
    monkeypatch.setattr(
        tuned, "mixture_of", lambda *args: drawn.append(len(args[1])) or mixture_of(*args)
    )
    assert np.isfinite(tuned.run(DataSet(sets / "hills"), 0, 1, draws=3)["rmse"])
    assert drawn[-1] == tuned.N_NETWORKS
