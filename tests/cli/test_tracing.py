"""`thinnet trace`."""

import pathlib
import re

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command
from fitted_tables import cut
from paths import VECTORS

from thinnet import Dense, MLPClassifier, Network, ReLU, load, save
from thinnet.commands import places

LINES = re.compile(r"^│ (\S+) +│", re.MULTILINE)


@pytest.mark.usefixtures("model")
def test_a_row_is_explained_from_its_cells_to_its_error_bar(model, table):
    code, output = thinnet_command("trace", "people.thinnet", table, "--row", 7)
    assert code == 0, output
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    p = model.predict_proba(frame)[7]
    label = model.predict(frame)[7]
    assert f"row 7: buys is {label}, with probability {p.max():.4g}" in output
    titles = ("The cells, and what they become", "With a typical value in place of a cell",
              "first layer", "What the networks answer", "Network 0, dropout off")  # fmt: skip
    places_of = [output.index(title) for title in titles]
    assert places_of == sorted(places_of)
    assert "draws with dropout on" in output
    assert "its loss, and back" in output
    shown = LINES.findall(output)
    for column in model.encoder_.columns_:
        assert shown.count(column.name) == (1 if column.kind == "left out" else 3)


@pytest.mark.usefixtures("model")
def test_without_the_target_there_is_the_way_forward_alone(table, tmp_path):
    frame = pd.read_csv(table, dtype=str, keep_default_na=False).drop(columns="buys")
    frame.to_csv(tmp_path / "new.csv", index=False)
    code, output = thinnet_command("trace", "people.thinnet", "new.csv", "--row", 7)
    assert code == 0, output
    assert "Network 0, dropout off: forward\n" in output
    assert "dE/d" not in output


@pytest.mark.usefixtures("model")
def test_rows_count_from_0_and_a_row_is_explained_alike_wherever_it_stands(table, monkeypatch):
    _, whole = thinnet_command("trace", "people.thinnet", table, "--row", 33)
    monkeypatch.setattr("thinnet.tables.reading.files.BLOCK_CELLS", 56)  # 7 rows
    _, in_blocks = thinnet_command("trace", "people.thinnet", table, "--row", 33)
    assert in_blocks == whole
    lines = table.read_text().splitlines()
    pathlib.Path("one.csv").write_text("\n".join([lines[0], lines[34]]))
    code, alone = thinnet_command("trace", "people.thinnet", "one.csv", "--row", 0)
    assert code == 0, alone
    ids = re.compile(r"\[(?:0|33)\b")  # names of numbers have the row's
    words = ids.sub("[row", alone.replace("row 0:", "row 33:")).split()
    assert words == ids.sub("[row", whole).split()


@pytest.mark.usefixtures("model")
def test_another_member_is_shown(table):
    _, first = thinnet_command("trace", "people.thinnet", table, "--row", 1)
    code, second = thinnet_command("trace", "people.thinnet", table, "--row", 1, "--member", 1)
    assert code == 0
    assert "Network 1, dropout off" in second
    assert "units of network 1's first layer" in " ".join(second.split())
    assert first.partition("What columns add")[0] == second.partition("What columns add")[0]


@pytest.mark.usefixtures("model")
def test_a_page_is_written_in_place_of_the_text(table, tmp_path):
    arguments = ("trace", "people.thinnet", table, "--row", 7, "--out", "row.html")
    assert thinnet_command(*arguments) == (0, "page: row.html\n")
    first = (tmp_path / "row.html").read_bytes()
    assert places.is_page(tmp_path / "row.html")
    assert thinnet_command(*arguments)[0] == 0
    assert (tmp_path / "row.html").read_bytes() == first
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--row", 200), 1, "--row must be in [0, 199] for a table of 200 rows, counted from 0"),
        (("--row", -1), 2, "--row must be an integer >= 0, got -1"),
        (("--row", 1, "--member", 2), 1, "--member must be an integer from 0 to 1, got 2"),
        (("--row", 1, "--member", -1), 2, "--member must be an integer >= 0, got -1"),
        (("--row", 1, "--out", "a.txt"), 2, "--out must be a name that ends in .html, .htm"),
        (("--row", 1, "--out", "no/a.html"), 2, "--out must be in a folder"),
        ((), 2, "Missing option '--row'"),
    ],
)
@pytest.mark.usefixtures("model")
def test_what_cannot_be_shown_is_refused_in_a_sentence(options, code, message, table):
    found, output = thinnet_command("trace", "people.thinnet", table, *options)
    assert (found, message in output) == (code, True), output
    assert list(pathlib.Path().glob("*.html")) == []


@pytest.mark.usefixtures("model")
def test_a_table_without_a_column_of_training_is_to_blame(table):
    pathlib.Path("less.csv").write_text(table.read_text().replace("income", "salary"))
    code, output = thinnet_command("trace", "people.thinnet", "less.csv", "--row", 0)
    assert code == 1
    assert "column 'income' must be in the table" in output


@pytest.mark.usefixtures("model")
def test_files_that_are_read_and_those_of_others_are_left_as_they_are(table, tmp_path):
    page = tmp_path / "mine.html"
    page.write_text("mine")
    arguments = ("trace", "people.thinnet", table, "--row", 0, "--out")
    code, output = thinnet_command(*arguments, page)
    assert (code, page.read_text()) == (2, "mine")
    assert "a new file or a report of thinnet's (or use --force)" in output
    assert thinnet_command(*arguments, page, "--force")[0] == 0
    linked = tmp_path / "linked.html"
    linked.symlink_to(table)
    before = table.read_bytes()
    code, output = thinnet_command(*arguments, linked, "--force")
    assert (code, table.read_bytes()) == (2, before)
    assert "another file than TABLE" in output


@pytest.mark.usefixtures("model")
def test_a_page_that_cannot_be_written_leaves_the_old_one(table, tmp_path, monkeypatch):
    arguments = ("trace", "people.thinnet", table, "--row", 0, "--out", "row.html")
    assert thinnet_command(*arguments)[0] == 0
    before = (tmp_path / "row.html").read_bytes()

    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("thinnet.commands.explaining.write_atomically", full)
    code, output = thinnet_command(*arguments)
    assert (code, "No space left on device: row.html" in output) == (1, True)
    assert (tmp_path / "row.html").read_bytes() == before


@pytest.mark.parametrize(
    "file",
    sorted(VECTORS.glob("models/[124]/command-*.thinnet")),
    ids=lambda file: f"{file.parent.name}-{file.stem}",
)
def test_a_model_of_before_explains_a_row_too(file):
    code, output = thinnet_command("trace", file, file.parent / "table.csv", "--row", 4)
    assert code == 0, output
    kept = "rows kept apart" in output
    assert kept == ("sets" in file.stem or "intervals" in file.stem)


@pytest.mark.parametrize(
    "name", ["temperature", "intervals", "pipeline", "table-encoder", "table-intervals"]
)
def test_what_is_neither_network_nor_estimator_is_refused(name):
    file, table = (
        VECTORS / "models" / "2" / f"{name}.thinnet",
        VECTORS / "models" / "2" / "table.csv",
    )
    code, output = thinnet_command("trace", file, table, "--row", 4)
    assert code == 1
    assert "must be a network or an estimator of thinnet's, got a " in output


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 3)).round(3), columns=["a", "b", "<c>"])
    frame.to_csv("numbers.csv", index=False)
    return frame


def test_a_network_is_traced_on_a_row_of_numbers(numbers):
    network = Network([Dense(2), ReLU(), Dense(1)], features=3, seed=0)
    save(network, "net.thinnet")
    code, output = thinnet_command("trace", "net.thinnet", "numbers.csv", "--row", 5)
    assert code == 0, output
    (y,) = network.outputs(numbers.to_numpy()[5:6])[0]
    assert f"{y:.4g}" in output
    assert re.search(r"y2\[5, 0\] += ", output)
    assert "W2[0, 0]" in output


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_estimator_is_traced_on_its_columns_by_name(numbers):
    model = MLPClassifier((2,), max_iter=3, random_state=0)
    model.fit(numbers, np.where(numbers["a"] > 0, "yes", "no"))
    save(model, "mlp.thinnet")
    turned = numbers[["<c>", "b", "a"]].assign(more="text")
    turned.to_csv("turned.csv", index=False)
    code, output = thinnet_command("trace", "mlp.thinnet", "turned.csv", "--row", 5)
    assert code == 0, output
    assert f"row 5: prediction is {model.predict(numbers)[5]}" in output
    assert f"p(no) = {model.predict_proba(numbers)[5, 0]:.4g}" in output


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "a,b\n1,2\n",
            "must have the 3 columns of numbers that the network takes, got 2: 'a', 'b'",
        ),
        ("a,b,c\n1,x,3\n", "column 'b' must hold a number in this row, got 'x'"),
        ("a,b,c\n1,,3\n", "column 'b' must hold a number in this row"),
    ],
)
def test_rows_that_are_no_numbers_are_to_blame(table, message):
    save(Network([Dense(1)], features=3, seed=0), "net.thinnet")
    pathlib.Path("t.csv").write_text(table)
    code, output = thinnet_command("trace", "net.thinnet", "t.csv", "--row", 0)
    assert (code, message in output) == (1, True), output


@pytest.mark.usefixtures("model")
def test_a_table_of_one_row_is_enough(table):
    cut(table, 1)
    code, output = thinnet_command("trace", "people.thinnet", table, "--row", 0)
    assert code == 0, output
    moved = re.findall(r"[+-][\d.e-]+ │$", output, re.MULTILINE)
    assert any(move not in ("+0 │", "-0 │") for move in moved)


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("cell", "ways"), [("yes.", ", its loss, and back"), ("maybe", ""), ("?", ""), ("", "")]
)
def test_a_target_is_read_as_evaluate_reads_it(cell, ways, table):
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    frame.assign(buys=cell).to_csv(table, index=False)
    code, output = thinnet_command("trace", "people.thinnet", table, "--row", 7)
    assert code == 0, output
    assert f"Network 0, dropout off: forward{ways}\n" in output


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.normal(size=120).round(3), "b": rng.choice(["x", "y"], 120)})
    frame["out"] = np.where(frame["a"] + (frame["b"] == "x") > 0.5, "yes", "no")
    frame.to_csv(folder / "t.csv", index=False)
    code, output = thinnet_command(
        "fit", folder / "t.csv", "--target", "out", "--epochs", 5, "--out", folder / "m.thinnet",
        "--record", folder / "r.thinnet",
    )  # fmt: skip
    assert code == 0, output
    return folder


@pytest.mark.parametrize(("step", "words"), [(0, "before step 0"), (3, "before step 3")])
def test_a_recording_opens_at_a_step(step, words, recorded):
    given = (recorded / "r.thinnet", recorded / "t.csv", "--row", 7, "--step", step)
    code, output = thinnet_command("trace", *given)
    assert code == 0, output
    assert f"Network 0 {words}, dropout off" in output
    recording = load(recorded / "r.thinnet").on(recorded / "t.csv", "out")
    bias = recording.at(step).network.sites[-1].p.b
    for unit, value in enumerate(bias):
        assert re.search(rf"b\d\[{unit}\] += {float(value) + 0.0:.6g}\b", output)


def test_a_recording_without_a_step_opens_at_the_end(recorded):
    given = (recorded / "t.csv", "--row", 7, "--member", 1)
    code, output = thinnet_command("trace", recorded / "r.thinnet", *given)
    assert code == 0, output
    _, of_model = thinnet_command("trace", recorded / "m.thinnet", *given)
    assert output == of_model


@pytest.mark.parametrize(
    ("file", "step", "message"),
    [
        ("m.thinnet", 3, "--step needs a recording"),
        ("r.thinnet", 99999, "step must be one that was recorded"),
        ("r.thinnet", -1, "step must be an integer"),
    ],
)
def test_steps_that_cannot_be_opened_are_refused(file, step, message, recorded):
    code, output = thinnet_command(
        "trace", recorded / file, recorded / "t.csv", "--row", 0, "--step", step
    )
    assert code != 0
    assert message in " ".join(output.split())


def test_another_table_does_not_replay_a_training(recorded, tmp_path):
    lines = (recorded / "t.csv").read_text("utf-8").splitlines()
    (tmp_path / "other.csv").write_text("\n".join([lines[0], *lines[60:]]), encoding="utf-8")
    given = (recorded / "r.thinnet", tmp_path / "other.csv", "--row", 0, "--step")
    code, output = thinnet_command("trace", *given, 3)
    assert code != 0
    assert output.count("\n") <= 3
    code, output = thinnet_command("trace", *given, 0)
    assert code == 0, output
