"""The command, as a person uses it."""

import signal

import pytest
from commanding import thinnet_command
from idx_files import write_bars

import thinnet
from thinnet import Dense, Network, datasets, load
from thinnet.commands import comparison
from thinnet.commands.comparison import surface
from thinnet.commands.recipes import RECIPES
from thinnet.training import History

PNG = b"\x89PNG\r\n\x1a\n"
SMALL = ["--epochs", "2", "--hidden", "16"]


@pytest.fixture
def idx_folder(tmp_path):
    return write_bars(tmp_path / "images", n_train=40, n_test=10)


def test_fit_compares_without_and_with_dropout_and_saves_a_picture(tmp_path):
    code, output = thinnet_command("fit", "digits", *SMALL)
    assert code == 0
    for shown in ("without dropout", "with dropout", "test", "gap", "thinnet-digits.png"):
        assert shown in output
    assert (tmp_path / "thinnet-digits.png").read_bytes().startswith(PNG)


@pytest.fixture(scope="module")
def spiral(tmp_path_factory):
    """The folder in which the spiral was learned, and what was printed."""
    folder = tmp_path_factory.mktemp("spiral")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        code, output = thinnet_command("fit", "spiral", *SMALL, "--out", "found.svg")
    assert code == 0
    return folder, output


def test_the_networks_are_saved_and_score_as_printed(spiral):
    folder, output = spiral
    split = RECIPES["spiral"].load(None)
    for name in ("without dropout", "with dropout"):
        network = load(folder / f"found-{name.replace(' ', '-')}.thinnet")
        score = (network.outputs(split.X_test).argmax(axis=1) == split.y_test).mean()
        (row,) = (line for line in output.splitlines() if line.startswith(f"│ {name}"))
        assert row.split("│")[4].strip() == f"{score:.4f}"


def test_of_two_inputs_a_decision_surface_is_saved_beside_the_curves(spiral):
    folder, output = spiral
    assert "decision surface: found-surface.svg" in output
    for name in ("found.svg", "found-surface.svg"):
        assert (folder / name).read_bytes().startswith(b"<?xml")
    _, output = thinnet_command("fit", "digits", *SMALL)
    assert "surface" not in output


@pytest.mark.parametrize(("rows", "shown"), [(900, "400 of 900"), (300, "300")])
def test_a_decision_surface_says_how_many_rows_are_on_it(rows, shown, monkeypatch, tmp_path):
    saved = []
    monkeypatch.setattr(surface, "save_figure", lambda figure, path: saved.append(figure))
    X, y = datasets.spiral(rows // 3)
    network = Network([Dense(3)], 2, seed=0)
    outcome = comparison.Outcome("plain", network, History(), 0.0, 0.0, 0.0, y == y, 0.0)
    surface.decision_surface("spiral", [outcome], datasets.Split(X, y, X, y), tmp_path / "s.png")
    (figure,) = saved
    assert figure.get_suptitle() == f"spiral: {rows} training rows, {shown} test rows"
    rows_drawn = figure.axes[0].get_legend_handles_labels()[0]
    assert sum(len(points.get_offsets()) for points in rows_drawn) == min(rows, 400)


@pytest.mark.parametrize("name", ["found-surface.svg", "found-with-dropout.thinnet"])
def test_a_file_of_somebody_else_beside_the_curves_is_not_replaced(tmp_path, name):
    (tmp_path / name).write_text("mine")
    code, output = thinnet_command("fit", "spiral", *SMALL, "--out", "found.svg")
    assert (code, name in output, len(output.splitlines())) == (2, True, 1)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]
    assert thinnet_command("fit", "spiral", *SMALL, "--out", "found.svg", "--force")[0] == 0
    assert (tmp_path / name).read_bytes() != b"mine"


def test_a_sentence_behind_the_table_says_what_it_shows(spiral):
    _, output = spiral
    assert "of 900 test rows are right, without it" in output


def test_no_compare_trains_only_the_network_asked_for(tmp_path):
    code, output = thinnet_command("fit", "digits", "--no-compare", *SMALL)
    assert code == 0
    assert "with dropout" in output
    assert "without dropout" not in output
    assert [path.name for path in tmp_path.glob("*.thinnet")] == [
        "thinnet-digits-with-dropout.thinnet"
    ]


def test_without_any_rate_there_is_nothing_to_compare():
    _, output = thinnet_command("fit", "digits", "--dropout", 0, "--input-dropout", 0, *SMALL)
    assert "without dropout" in output
    assert "with dropout" not in output


def test_images_are_read_from_a_folder(idx_folder):
    code, output = thinnet_command("fit", "fashion-mnist", "--data-dir", idx_folder, *SMALL[:2])
    assert code == 0, output


def test_one_networks_picture_goes_where_it_is_asked_to_below_a_sentence_of_its_own(tmp_path):
    place = ("--out", tmp_path / "curves.png")
    code, output = thinnet_command("fit", "spiral", *SMALL, "--no-compare", *place)
    assert (code, "curves.png" in output) == (0, True)
    assert "Trained with dropout, it gets" in output
    assert (tmp_path / "curves.png").read_bytes().startswith(PNG)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What is printed of one network with no further option."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("plain"))
        return thinnet_command("fit", "digits", *SMALL, "--no-compare")[1]


@pytest.mark.parametrize(
    "option",
    [
        ("--hidden", "16,8", "--dropout", "0.2,0.5"),
        ("--input-dropout", 0.2),
        ("--batch-norm",),
        ("--l1", 1e-4, "--l2", 1e-3),
        ("--max-norm", 0.5),
        ("--optimizer", "momentum", "--learning-rate", 0.1),
        ("--decay", 1e-3),
        ("--batch-size", 100),
        ("--seed", 2**64 - 1),
    ],
    ids=lambda option: option[0],
)
def test_every_option_reaches_the_network(option, plain):
    code, output = thinnet_command("fit", "digits", *SMALL, "--no-compare", *option)
    assert code == 0, output
    assert _numbers(output) != _numbers(plain)


def _numbers(output):
    (row,) = (line for line in output.splitlines() if line.startswith("│ with dropout"))
    return row.split("│")[2:6]


def test_the_same_seed_prints_the_same_numbers(plain):
    _, again = thinnet_command("fit", "digits", *SMALL, "--no-compare")
    assert _numbers(again) == _numbers(plain)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("digitz",), 2, "one of digits, fashion-mnist, mnist, spiral, got 'digitz'"),
        (
            ("digits", "--dropout", "1.5"),
            2,
            "each of --dropout must be a number in [0, 1], got 1",
        ),
        (("digits", "--dropout", "a"), 2, "--dropout must be numbers between commas, got 'a'"),
        (("digits", "--dropout", ".1,.2,.3"), 2, "one for each of the 2 hidden layers, got 3"),
        (("digits", "--hidden", "8,0"), 2, "each of --hidden must be an integer >= 1, got 0"),
        (("digits", "--epochs", "0"), 2, "--epochs must be an integer >= 1, got 0"),
        (("digits", "--batch-size", "0"), 2, "--batch-size must be an integer >= 1, got 0"),
        (("digits", "--optimizer", "adma"), 2, "--optimizer must be 'sgd'"),
        (("digits", "--learning-rate", "-1"), 2, "--learning-rate must be a finite number >= 0"),
        (("digits", "--l2", "nan"), 2, "--l2 must be a finite number >= 0, got nan"),
        (("digits", "--max-norm", "0"), 2, "--max-norm must be a finite number > 0, got 0"),
        (("digits", "--seed", "-1"), 2, "--seed must be an integer from 0 to"),
        (("digits", "--hidden", "8,"), 2, "--hidden must be integers between commas, got '8,'"),
        (("digits", "--data-dir", "."), 2, "--data-dir must be left out"),
        (("digits", "--out", "curves.txt"), 2, "--out must be a name that ends in .png"),
        (
            ("digits", "--out", "no/such/folder.png"),
            2,
            "--out must be in a folder that can be written to",
        ),
        (("mnist", "--data-dir", "nowhere"), 1, "nowhere must hold the four idx files"),
        (
            ("digits", "--optimizer", "sgd", "--learning-rate", "1e9"),
            1,
            "training diverged in epoch 0",
        ),
    ],
)
def test_what_is_wrong_is_named_in_one_sentence(arguments, code, sentence):
    got, output = thinnet_command("fit", *arguments)
    assert got == code
    assert sentence in output
    assert "Traceback" not in output


def test_dropout_upstream_of_batch_norm_is_noted():
    _, output = thinnet_command("fit", "digits", "--hidden", "8,8", "--epochs", 1, "--batch-norm")
    assert output.count("dropout stands upstream of BatchNorm") == 1


@pytest.fixture
def cold(monkeypatch):
    """Nothing is trained before the networks that are asked for."""
    monkeypatch.setattr(comparison.training, "warm", lambda *_: None)


@pytest.mark.usefixtures("ctrl_c", "cold")
def test_a_run_interrupted_in_its_first_epoch_shows_its_scores(monkeypatch, tmp_path):
    train = comparison.training.train

    def pressed(*arguments, **settings):
        return train(*arguments, **settings | {"callbacks": [Interrupt()]})

    monkeypatch.setattr(comparison.training, "train", pressed)
    code, output = thinnet_command("fit", "digits", *SMALL)
    assert code == 130
    assert "nan" in output
    assert not list(tmp_path.glob("*.png"))
    assert not list(tmp_path.glob("*.thinnet"))
    assert "not saved, its training was interrupted" in output


@pytest.mark.usefixtures("ctrl_c", "cold")
def test_a_second_ctrl_c_says_that_no_model_is_saved(monkeypatch, tmp_path):
    train = comparison.training.train

    def pressed(*arguments, **settings):
        return train(*arguments, **settings | {"callbacks": [Interrupt(), Interrupt()]})

    monkeypatch.setattr(comparison.training, "train", pressed)
    code, output = thinnet_command("fit", "digits", *SMALL)
    assert (code, output.splitlines()[-1]) == (130, "thinnet: stopped; no model is saved")
    assert not list(tmp_path.iterdir())


class Interrupt:
    """Presses Ctrl-C after the first step."""

    def on_step_end(self, training):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupted_run_shows_what_it_has(monkeypatch):
    def interrupted(*arguments):
        outcome = comparison_fit(*arguments)
        outcome.history.stopped = "interrupted"
        return outcome

    comparison_fit = comparison.training.fit
    monkeypatch.setattr(comparison.training, "fit", interrupted)
    code, output = thinnet_command("fit", "digits", *SMALL)
    assert code == 130
    assert "without dropout" in output


def test_the_version_is_the_packages():
    assert thinnet_command("--version") == (0, f"thinnet {thinnet.__version__}\n")


def test_info_says_what_the_machine_has():
    code, output = thinnet_command("info")
    assert code == 0
    names = [line[:13].strip() for line in output.splitlines()]
    for name in ("processor", "arithmetic", "tiles", "threads", "dtypes", "cache folder"):
        assert name in names
