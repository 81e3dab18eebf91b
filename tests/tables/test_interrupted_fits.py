"""One Ctrl-C ends all networks of a fit; what was finished is kept, and says so."""

import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from commanding import thinnet_command

from thinnet import (
    EnsembleRegressor,
    MLPRegressor,
    TableClassifier,
    TableEncoder,
    TableRegressor,
    load,
    save,
)
from thinnet.training.interrupt import InterruptFlag

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, 2, 3]
PRESSED = "Training interrupted by user"
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 9, "n_networks": 3, "random_state": 0}
ONE_WAY = {"encoder": TableEncoder()}  # so that no network is trained twice


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


class Presses:
    """Ctrl-C at the end of some epoch of some network; and all networks that were trained."""

    def __init__(self, network, epoch=1, times=1):
        self.at, self.seen, self.times = (network, epoch), [], times

    def __deepcopy__(self, memo):
        return self

    def on_epoch_end(self, training):
        if not any(training.network is one for one in self.seen):
            self.seen.append(training.network)
        if (len(self.seen), training.epoch) == self.at:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


def interrupted(kind, network, y=Y, **settings):
    press = Presses(network)
    model = kind(**SMALL | ONE_WAY | settings, callbacks=[press])
    with pytest.warns(UserWarning, match=PRESSED):
        model.fit(X, y)
    return model, press


TABLES = [(TableRegressor, Y), (TableClassifier, Y > 0)]


@pytest.mark.parametrize(("kind", "y"), TABLES)
def test_finished_networks_are_kept_and_the_notes_say_how_many(kind, y):
    model, press = interrupted(kind, 3, y)
    assert len(press.seen) == 3
    assert [a is b for a, b in zip(model.networks_, press.seen, strict=False)] == [True, True]
    assert len(model.networks_) == len(model.histories_) == 2
    assert model.notes_[-1] == (
        "interrupted: 2 of 3 networks were trained to their end; network 3, stopped after 1 of at "
        "most 9 epochs, is left out"
    )
    assert model.predict(X).shape == (60,)


@pytest.mark.parametrize(("kind", "y"), TABLES)
def test_a_first_network_that_was_stopped_stands_alone(kind, y):
    model, press = interrupted(kind, 1, y)
    assert len(press.seen) == len(model.networks_) == 1
    assert re.match("interrupted: none of 3 networks .* stands for all$", model.notes_[-1])
    assert np.isfinite(model.uncertainty(X, 5).std).all()


def test_a_first_network_stands_if_the_trial_of_another_kind_is_stopped():
    model, press = interrupted(TableRegressor, 2, encoder=None)
    assert len(press.seen) == 2
    assert model.networks_ == press.seen[:1]
    assert not model.encoder_.center
    assert "1 of 3 networks were trained to their end" in model.notes_[-1]


@pytest.mark.parametrize("network", [4, 5])
def test_networks_of_all_rows_take_the_place_of_those_of_the_folds(network):
    model, press = interrupted(TableRegressor, network)
    kept = press.seen[:3] if network == 4 else press.seen[3:4]
    assert [one.theta.tobytes() for one in model.networks_] == [n.theta.tobytes() for n in kept]
    assert "learned from all rows" in model.notes_[-1]


def test_a_model_remembers_that_it_was_interrupted(tmp_path):
    save(interrupted(TableRegressor, 2)[0].set_params(callbacks=None), tmp_path / "m.thinnet")
    again = load(tmp_path / "m.thinnet")
    assert again.interrupted_
    assert again.notes_[-1].startswith("interrupted: 1 of 3 networks")


def test_a_later_fit_forgets_the_interruption():
    model, _ = interrupted(TableRegressor, 2)
    model.set_params(callbacks=None).fit(X, Y)
    assert not model.interrupted_
    assert not any("interrupted" in note for note in model.notes_)


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.filterwarnings("ignore:Training interrupted by user.$", "ignore:Stochastic Optimizer")
def test_an_ensemble_keeps_its_finished_networks(bootstrap):
    press = Presses(3)
    member = MLPRegressor(
        hidden_layer_sizes=(4,), max_iter=3, callbacks=[press], solver="sgd", tol=0.0
    )
    model = EnsembleRegressor(member, n_networks=5, bootstrap=bootstrap, random_state=0)
    with pytest.warns(UserWarning, match="2 of 5 networks were trained to their end"):
        model.fit(X, Y)
    assert len(press.seen) == 3
    assert len(model.estimators_) == 2
    assert np.isfinite(model.uncertainty(X).std).all()


def test_a_flag_inside_another_is_set_when_the_outer_one_is():
    with InterruptFlag() as outer:
        with InterruptFlag() as inner:
            assert not inner.interrupted
            signal.raise_signal(signal.SIGINT)
            assert inner.interrupted
        with InterruptFlag() as later:
            assert later.interrupted
        assert outer.interrupted
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with InterruptFlag() as other:
        assert not other.interrupted


def started(code, *arguments, cwd):
    """A Python of its own that hears Ctrl-C, whatever this one's parents ignore."""
    hear = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", hear + code, *map(str, arguments)],
        cwd=cwd, stdout=pipe, stderr=pipe, text=True,
    )  # fmt: skip


COMMAND = "from thinnet_command import main; print(flush=True); main()"
IN_THREADS = """
import os, time
import numpy as np
import thinnet as tn

pressed = []

class Press:
    def on_epoch_end(self, training):
        if training.epoch == 3 and not pressed:
            pressed.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

X = np.random.default_rng(0).normal(size=(500, 3))
for_ever = {"max_iter": 10**6, "tol": 0, "n_iter_no_change": 10**6}
member = tn.MLPRegressor(**for_ever, callbacks=[Press()])
tn.EnsembleRegressor(member, n_networks=8, n_jobs=2).fit(X, X[:, 0])
print("seconds:", time.monotonic() - pressed[0])
"""


def ended(process, within=60):
    """Exit code and all that was printed."""
    try:
        out, err = process.communicate(timeout=within)
    finally:
        process.kill()
    assert "Traceback" not in err, err
    return process.returncode, out + err


@pytest.mark.slow
def test_one_ctrl_c_soon_ends_an_ensemble_in_threads(tmp_path):
    code, output = ended(started(IN_THREADS, cwd=tmp_path))
    assert code == 0, output
    assert "none of 8 networks" in output
    assert float(output.split("seconds:")[1].split()[0]) < 30  # of hours


@pytest.fixture
def table(tmp_path):
    rows = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=Y)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


class Pressed(TableRegressor):
    """As the command's, with Ctrl-C at the end of the first epoch of a network."""

    network, times = 1, 1

    def fit(self, X, y, eval_set=None, whole=None):
        self.callbacks = [Presses(self.network, times=self.times)]
        self.encoder = TableEncoder()
        super().fit(X, y, eval_set, whole)
        self.callbacks, self.__class__ = None, TableRegressor
        return self


def fit(monkeypatch, table, network, times=1):
    monkeypatch.setattr("thinnet.commands.fitting.TableRegressor", Pressed)
    monkeypatch.setattr(Pressed, "network", network)
    monkeypatch.setattr(Pressed, "times", times)
    monkeypatch.chdir(table.parent)
    return thinnet_command(
        "fit", table, "--target", "y", "--networks", 3, "--epochs", 9, "--hidden", 4
    )


def test_the_command_saves_what_was_finished_and_says_so(table, monkeypatch):
    code, output = fit(monkeypatch, table, 3)
    assert code == 130
    assert "interrupted: 2 of 3 networks" in output
    assert output.splitlines()[-1] == "thinnet: stopped; the model is of what was finished"
    assert "interrupted by user" not in output
    code, output = thinnet_command("show", "rows.thinnet")
    assert code == 0
    assert "interrupted: 2 of 3 networks" in output


def test_the_command_saves_nothing_where_nothing_was_finished(table, monkeypatch):
    code, output = fit(monkeypatch, table, 1)
    assert code == 130
    assert "interrupted before a network was trained; no model is saved" in output
    assert [path.name for path in table.parent.iterdir()] == ["rows.csv"]


def test_a_second_ctrl_c_leaves_the_command_at_once(table, monkeypatch):
    code, output = fit(monkeypatch, table, 3, times=2)
    assert (code, output.splitlines()[-1]) == (130, "thinnet: stopped; no model is saved")
    assert [path.name for path in table.parent.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_one_ctrl_c_ends_a_command_that_asks_a_model(command, table, monkeypatch):
    model, out = table.with_name("m.thinnet"), table.with_name("out.csv")
    tiny = ["--networks", 1, "--epochs", 1, "--hidden", 4]
    assert thinnet_command("fit", table, "--target", "y", "--out", model, *tiny)[0] == 0
    out.write_text("before")
    monkeypatch.setattr(TableRegressor, "predict", lambda *_: signal.raise_signal(signal.SIGINT))
    written = ["--out", out, "--force"] if command == "predict" else []
    code, output = thinnet_command(command, model, table, *written)
    assert (code, output.splitlines()[-1]) == (130, "thinnet: stopped")
    assert out.read_text() == "before"


@pytest.mark.slow
@pytest.mark.parametrize("delay", np.linspace(0.02, 2.5, 25).round(3))
def test_ctrl_c_at_any_time_leaves_without_a_traceback_or_half_a_file(table, delay):
    process = started(COMMAND, "fit", table, "--target", "y", "--epochs", 10**6, cwd=table.parent)
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    code, output = ended(process)
    assert code == 130, output
    assert output.count("thinnet: ") == 1
    assert [path.name for path in table.parent.iterdir()] == ["rows.csv"]
