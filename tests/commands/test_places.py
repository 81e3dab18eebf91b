"""What a command reads is never overwritten, and a stranger's file only when that is asked for."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from idx_files import write_idx
from mangling import people, written
from matplotlib.figure import Figure

from thinnet import Dense, Network, save
from thinnet.commands import fitting, places, predicting, reporting
from thinnet.displays.saving import save_figure

FAST = ("--epochs", "1", "--networks", "2", "--hidden", "2")
FIT = ("fit", "people.csv", "--target", "buys", *FAST)
SPIRAL = ("fit", "spiral", "--epochs", "1", "--hidden", "2", "--no-compare")
PREDICT = ("predict", "model.thinnet", "people.csv")


def in_one_line(*arguments):
    code, output = thinnet_command(*arguments)
    return code, " ".join(output.split())


def content():
    """Of all files here."""
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    table = folder / "people.csv"
    lines = people(np.random.default_rng(0), rows=60)
    table.write_bytes(written([[line[i] for i in (0, 1, 5, 7)] for line in lines]))
    shutil.copy(table, folder / "test.csv")
    settings = {"hidden_layer_sizes": (2,), "max_iter": 1, "n_networks": 2}
    job = fitting.FitJob(table, "buys", settings=settings)
    save(fitting.fit(job).estimator, folder / "model.thinnet")
    return folder


@pytest.fixture(autouse=True)
def _beside_a_table_and_a_model(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def as_it_is(name):
    return name


def by_another_way(name):
    return f"../{Path.cwd().name}/./{name}"


def by_a_link(name):
    end = "".join(name.partition(".")[1:])
    Path(f"link{end}").symlink_to(name)
    return f"link{end}"


def by_a_second_name(name):
    end = "".join(name.partition(".")[1:])
    Path(f"second{end}").hardlink_to(name)
    return f"second{end}"


WAYS = [as_it_is, by_another_way, by_a_link, by_a_second_name]
USES = {
    "predict onto the table": (PREDICT, "--out", "people.csv", "TABLE"),
    "fit onto the table": (FIT, "--out", "people.csv", "DATA"),
    "fit onto the test": ((*FIT, "--test", "test.csv"), "--out", "test.csv", "--test"),
    "export onto the model": (("export", "model.thinnet"), None, "model.thinnet", "MODEL"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("command", "option", "name", "called"), USES.values(), ids=USES)
def test_what_is_read_is_never_written_over(command, option, name, called, way, monkeypatch):
    """Not even by force; nor is any work done before the refusal."""
    for work in ("thinnet.load", "thinnet.commands.fitting.fit"):
        monkeypatch.setattr(work, None, raising=False)
    out = way(name)
    before = content()
    code, output = in_one_line(*command, *([option] if option else []), out, "--force")
    assert code == 2
    assert f"must be another file than {called} '{name}', which it would replace, got" in output
    assert content() == before


def test_predictions_do_not_go_onto_their_model():
    Path("model.thinnet").rename("model.csv")
    before = content()
    code, output = in_one_line("predict", "model.csv", "people.csv", "--out", "model.csv")
    assert code == 2
    assert "--out must be another file than MODEL 'model.csv'" in output
    assert content() == before


@pytest.mark.parametrize(
    "command", [FIT, ("evaluate", "model.thinnet", "people.csv")], ids=" ".join
)
def test_a_reports_pictures_do_not_go_onto_what_is_read(command):
    Path("report").mkdir()
    Path("report/confusion.png").symlink_to("../people.csv")
    before = content()
    code, output = in_one_line(*command, "--report", "report", "--force")
    assert code == 2
    assert "--report must be another file than" in output
    assert content() == before


def test_a_models_file_is_none_of_its_reports():
    code, output = in_one_line(*FIT, "--report", "r", "--out", "r/confusion.png")
    assert code == 2
    assert "--out must be in a folder" in output
    Path("r").mkdir()
    code, output = in_one_line(*FIT, "--report", "r", "--out", "r/confusion.png")
    assert code == 2
    assert "--report must be another file than --out 'r/confusion.png'" in output


def test_a_picture_does_not_go_onto_the_images(tmp_path):
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"):
        write_idx(tmp_path / name, np.zeros((3, 2, 2), np.uint8))
    for name in ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"):
        write_idx(tmp_path / name, np.arange(3, dtype=np.uint8))
    Path("curves.png").symlink_to("train-images-idx3-ubyte")
    before = content()
    code, output = in_one_line("fit", "mnist", "--data-dir", ".", "--out", "curves.png")
    assert code == 2
    assert "--out must be another file than train-images-idx3-ubyte" in output
    assert content() == before


def test_predictions_from_python_do_not_go_onto_their_table():
    with pytest.raises(ValueError, match=r"--out must be another file than TABLE 'people.csv'"):
        predicting.predict(None, "people.csv", "people.csv")


STRANGERS = {
    "a table": ((*PREDICT, "--out"), "mine.csv", b"a,b\n1,2\n"),
    "a table with the target": ((*PREDICT, "--out"), "mine.csv", b"a,buys\n1,yes\n"),
    "a packed table": ((*PREDICT, "--out"), "mine.csv.gz", gzip.compress(b"a,b\n1,2\n")),
    "no table": ((*PREDICT, "--out"), "mine.parquet", b"PAR1 or not"),
    "a text as model": ((*FIT, "--out"), "mine.thinnet", b"dear diary"),
    "a text as ONNX": (("export", "model.thinnet"), "mine.onnx", b"dear diary"),
    "a picture": ((*SPIRAL, "--out"), "mine.png", b"\x89PNG\r\n\x1a\n"),
}


@pytest.mark.parametrize(("command", "name", "mine"), STRANGERS.values(), ids=STRANGERS)
def test_a_strangers_file_is_replaced_only_by_force(command, name, mine, tmp_path):
    path = tmp_path / name
    path.write_bytes(mine)
    code, output = in_one_line(*command, name)
    assert code == 2
    assert f"(or use --force), got '{name}'" in output
    assert path.read_bytes() == mine
    code, output = in_one_line(*command, name, "--force")
    assert code == 0, output
    assert path.read_bytes() != mine
    code, output = in_one_line(*command, name)  # now it is thinnet's
    assert code == 0, output


@pytest.mark.parametrize("name", ["empty.onnx", "new.onnx"])
def test_a_new_or_empty_file_needs_no_force(name):
    Path("empty.onnx").touch()
    code, output = in_one_line("export", "model.thinnet", name)
    assert code == 0, output
    assert Path(name).stat().st_size


def test_other_columns_of_predictions_need_force():
    assert in_one_line(*PREDICT, "--out", "p.csv")[0] == 0
    code, output = in_one_line(*PREDICT, "--out", "p.csv", "--proba")
    assert code == 2
    assert "--out must be a new file or predictions with the same columns (buys, p(" in output
    assert list(pd.read_csv("p.csv").columns) == ["buys"]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_pictures_of_others_are_not_taken_for_ours(tmp_path, suffix):
    """Also those that matplotlib has drawn."""
    path, figure = tmp_path / f"mine.{suffix}", Figure()
    figure.suptitle("thinnet")
    figure.savefig(path)
    with pytest.raises(ValueError, match="--out must be a new file or a picture of thinnet's"):
        places.check("--out", path, places.PICTURE, {})
    places.check("--out", path, places.PICTURE, {}, force=True)
    save_figure(figure, path)
    places.check("--out", path, places.PICTURE, {})


def test_a_reports_strangers_are_replaced_only_by_force(tmp_path):
    """All that it holds is known beforehand."""
    evaluate = ("evaluate", "model.thinnet", "people.csv", "--uncertainty", "--draws", "2")
    report = tmp_path / "r"
    code, output = in_one_line(*evaluate, "--report", "r")
    assert code == 0, output
    files = list(report.iterdir())
    assert len(files) > 4
    places.check_report("--report", "r", reporting.names(), {})
    for path in files:
        ours = path.read_bytes()
        path.write_text("mine")
        code, output = in_one_line(*evaluate, "--report", "r")
        assert code == 2
        assert f"(or use --force), got 'r/{path.name}'" in output
        assert path.read_text() == "mine"
        path.write_bytes(ours)


def test_a_file_in_place_of_the_report_is_refused_before_training(monkeypatch):
    monkeypatch.setattr("thinnet.commands.fitting.fit", None)
    code, output = in_one_line(*FIT, "--report", "test.csv")
    assert code == 2
    assert "--report must be a folder, got 'test.csv'" in output


def test_a_network_is_a_model_file_too(tmp_path):
    save(Network([Dense(2)], features=2), tmp_path / "network.thinnet")
    code, output = in_one_line(*FIT, "--out", "network.thinnet")
    assert code == 0, output


def test_a_table_that_is_piped_in_is_the_file_behind_the_pipe(monkeypatch):
    with open("people.csv") as piped:  # noqa: PTH123
        monkeypatch.setattr("sys.stdin", piped)
        assert places.is_same("people.csv", "-")
        assert not places.is_same("test.csv", "-")
        assert not places.is_same("nowhere.csv", "-")
