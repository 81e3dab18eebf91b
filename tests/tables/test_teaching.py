"""Networks of a table that are trained at once are those that are trained one after the other."""

import os
import signal
import threading
import time
import warnings
from itertools import groupby

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thinnet import Dense, Network, TableClassifier, TableEncoder, TableRegressor
from thinnet.tables import memory, teaching
from thinnet.tables.members import SomeRows, TableRows, TrainingSet
from thinnet.tables.teaching import FittedMembers, Member
from thinnet.training import INTERRUPTED, History

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
Y = X @ [1.0, 2, 3]


class Nothing:
    """A callback that only sees in which threads trainings run."""

    def __init__(self):
        self.threads = set()

    def on_epoch_end(self, training):
        self.threads.add(threading.get_ident())


@pytest.fixture
def at_once(monkeypatch):
    """The thread of each training, and how many threads it may use."""
    seen = []

    def train_member(*given):
        seen.append((threading.get_ident(), teaching.n_threads()))
        return before(*given)

    before = teaching.train_member
    monkeypatch.setattr(teaching, "train_member", train_member)
    return seen


@pytest.mark.parametrize(("kind", "y"), [(TableRegressor, Y), (TableClassifier, Y > 0)])
@pytest.mark.parametrize("encoder", [None, TableEncoder()])
def test_results_do_not_depend_on_how_many_are_trained_at_once(kind, y, encoder):
    how = {"n_networks": 3, "max_iter": 3, "random_state": 0, "encoder": encoder}
    alone, *others = (
        kind(**how, n_threads=n, callbacks=callbacks).fit(X, y)
        for n, callbacks in [(1, None), (2, None), (3, None), (8, None), (2, [Nothing()])]
    )
    for other in others:
        assert other.encoder_.center == alone.encoder_.center
        assert [list(h["loss"]) for h in other.histories_] == [
            list(h["loss"]) for h in alone.histories_
        ]
        for networks in zip(other.networks_, alone.networks_, strict=True):
            assert_array_equal(*(network.theta for network in networks))
        assert_array_equal(other.predict(X), alone.predict(X))


@pytest.mark.parametrize(
    ("n_threads", "networks", "each"),
    [(1, 3, [1, 1, 1]), (2, 4, [1, 1, 1, 1]), (2, 3, [1, 1, 2]), (4, 2, [2, 2]), (8, 3, [2, 2, 2])],
)
def test_cores_are_shared_by_the_networks_that_are_trained_at_once(
    n_threads, networks, each, at_once
):
    model = TableRegressor(
        n_networks=networks, max_iter=1, n_threads=n_threads, encoder=TableEncoder(), random_state=0
    )
    model.fit(X, Y)
    folds, on_all = at_once[:networks], at_once[networks:]
    for some in (folds, on_all):
        assert [n for _, n in some] == each
    is_alone = {thread for thread, _ in at_once} == {threading.get_ident()}
    assert is_alone == (n_threads == 1)


def test_callbacks_see_one_training_after_the_other():
    seen = Nothing()
    TableRegressor(n_networks=3, max_iter=2, n_threads=2, callbacks=[seen]).fit(X, Y)
    assert seen.threads == {threading.get_ident()}


def test_lines_of_networks_are_not_mixed(capsys):
    how = {"n_networks": 3, "max_iter": 4, "n_threads": 2, "verbose": 1, "random_state": 0}
    TableRegressor(**how, encoder=TableEncoder()).fit(X, Y)
    titles = [line.split(", epoch")[0] for line in capsys.readouterr().out.splitlines()]
    assert [title for title, _ in groupby(titles)] == [f"network {i} of 3" for i in (1, 2, 3)] * 2


def test_large_tables_are_learned_by_one_network_at_a_time(monkeypatch, at_once):
    monkeypatch.setattr(memory, "available", lambda: 1e4)
    monkeypatch.setenv(memory.ANYWAY, "1")
    TableRegressor(n_networks=2, max_iter=1, n_threads=2, random_state=0).fit(X, Y)
    assert {thread for thread, _ in at_once} == {threading.get_ident()}
    assert {n for _, n in at_once} == {2}


@pytest.mark.parametrize(("needed", "networks"), [(1, 9), (10, 5), (20, 2), (50, 1), (1000, 1)])
def test_networks_have_room_in_half_of_the_memory(needed, networks, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 100.0)
    assert memory.room(needed, 9) == networks


def test_where_free_memory_is_unknown_there_is_room(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: np.inf)
    assert memory.room(10**12, 3) == 3
    TableRegressor(n_networks=2, max_iter=1, n_threads=2, random_state=0).fit(X, Y)


def test_the_memory_of_a_training_is_that_of_its_rows_and_parameters():
    estimator = TableRegressor(random_state=0)
    rows = TableRows(np.zeros((100, 5), np.float32), np.zeros((100, 1)), None)
    part, held = SomeRows(rows, slice(0, 80)), SomeRows(rows, slice(80, 100))
    estimator.encoder_ = TableEncoder().fit(X, Y)
    training_set = TrainingSet(part, held, 1, 1)
    network = Network([Dense(7)], features=5, seed=0)
    task = teaching.Task(network, training_set, "")
    assert task.bytes == 2 * 100 * 5 * 4 + memory.TRAINED * network.theta.nbytes


LONG = {"max_iter": 600, "n_iter_no_change": 600}
FOREVER = {"max_iter": 10**6, "n_iter_no_change": 10**6}


def test_one_ctrl_c_ends_networks_that_are_trained_at_once(monkeypatch):
    def train_member(*given):
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        return before(*given)

    before = teaching.train_member
    monkeypatch.setattr(teaching, "train_member", train_member)
    heard = signal.signal(signal.SIGINT, lambda *_: None)  # of the second network's
    try:
        with pytest.warns(UserWarning, match="Training interrupted by user"):
            model = TableRegressor(
                **FOREVER, n_networks=3, n_threads=2, encoder=TableEncoder()
            ).fit(X, Y)
        time.sleep(0.3)
    finally:
        signal.signal(signal.SIGINT, heard)
    assert len(model.networks_) == 1
    assert "none of 3 networks were trained to their end; network 1, " in model.notes_[-1]
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_where_a_training_fails_the_others_end_before_the_error_is_raised(error, monkeypatch):
    ended = []

    def train_member(estimator, loss, network, training_set, title, endings):
        if title.startswith("network 2"):
            raise error(title)
        history = before(estimator, loss, network, training_set, title, endings)
        ended.append(history.stopped)
        return history

    before = teaching.train_member
    monkeypatch.setattr(teaching, "train_member", train_member)
    n, filters = threading.active_count(), list(warnings.filters)
    with pytest.raises(error, match="network 2 of 3"):
        TableRegressor(**LONG, n_networks=3, n_threads=2, encoder=TableEncoder()).fit(X, Y)
    assert ended == [INTERRUPTED]
    assert threading.active_count() <= n + 1  # a helper of compiled code may sleep
    assert warnings.filters == filters


def test_fits_at_once_share_the_cores(at_once):
    model = TableRegressor(n_networks=2, max_iter=1, n_threads=2, encoder=TableEncoder())
    with teaching._cores_for(2):
        with teaching._cores_for(2) as left:
            assert left == 1
        model.fit(X, Y)
    assert {thread for thread, _ in at_once} == {threading.get_ident()}
    assert not teaching._at_work


def test_only_the_first_network_is_measured_on_training_rows_with_dropout_off():
    model = TableRegressor(n_networks=3, max_iter=2, random_state=0).fit(X, Y)
    missing = [np.isnan(history["clean_loss"]).all() for history in model.histories_]
    assert missing == [False, True, True]


def test_what_ended_is_kept_and_what_was_stopped_is_named():
    ended, stopped = (Member(None, History(stopped=why)) for why in ("", INTERRUPTED))
    sets = [type("Some", (), {"epochs": 9})] * 4
    found = FittedMembers.of([stopped, ended, stopped, None], sets)
    assert list(found.kept) == [1]
    assert not found.is_whole
    assert found.message("were trained", "stands for all") == (
        "interrupted: 1 of 4 networks were trained; network 1, stopped after 0 of at most 9 "
        "epochs, is left out; network 3, stopped after 0 of at most 9 epochs, is left out"
    )
    found = FittedMembers.of([stopped, stopped, None], sets[:3])
    assert list(found.kept) == [0]
    assert found.message("were trained", "stands for all") == (
        "interrupted: none of 3 networks were trained; network 1, stopped after 0 of at most 9 "
        "epochs, stands for all"
    )
    assert found.message("were trained", "is left out").count("is left out") == 2
