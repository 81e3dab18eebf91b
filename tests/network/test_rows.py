"""`rows` gives the rows that a step was taken on: those that training handed to its layers."""

import copy
import pickle
import sys
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thinnet
from thinnet import (
    BatchNorm,
    Dense,
    Dropout,
    EnsembleClassifier,
    KeptUnits,
    MLPClassifier,
    Network,
    ReLU,
    TableClassifier,
    UnusedMaskWarning,
    snapshots,
    train,
)
from thinnet.layers import Shapes
from thinnet.network import logbook, row_order
from thinnet.network.logbook import Entry, Logbook

N = 23
X = np.random.default_rng(0).normal(size=(N, 4))
Y = np.arange(N) % 3
seen = {}  # the rows of each step, as a layer met them


@dataclass(frozen=True)
class Witness:
    """A layer that writes down whose rows it gets, in which step."""

    def shapes(self, features):
        return Shapes(features)

    def forward(self, site, x, run):
        if run.learns:
            seen.setdefault(run.step, []).extend(run.samples(len(x)).tolist())
        return x, None

    def backward(self, site, cache, dy):
        return dy


@pytest.fixture(autouse=True)
def _nothing_seen():
    seen.clear()


def network(*layers, seed=5):
    return Network([Witness(), *layers, Dense(3)], 4, seed=seed)


def trained(net, n=N, **settings):
    how = {"epochs": 3, "batch_size": 5, "progress": False, "clean_rows": 0} | settings
    train(net, X[:n], Y[:n], **how)
    return net


def check(net):
    assert len(seen) == net.clock.step
    for step, ids in seen.items():
        assert net.rows(step).tolist() == ids, step


WAYS = {
    "shuffled": {},
    "in order": {"shuffle": False},
    "one batch": {"batch_size": None},
    "divided": {"accumulate": 3},
    "with ids of one's own": {"samples": np.arange(N)[::-1] * 10**6},
    "validated": {"validation": (X, Y), "early_stopping": thinnet.EarlyStopping(1)},
}


@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS)
def test_the_rows_of_every_step_are_those_that_it_got(settings):
    check(trained(network(), **settings))


def test_the_rest_of_an_epoch_that_is_too_small_joins_the_batch_before_it():
    net = trained(network(BatchNorm()), 21)
    check(net)
    assert len(net.rows(3)) == 6


def test_compiled_code_takes_the_same_rows_as_the_reference():
    layers = [Dense(8), ReLU(), Dropout(0.5), Dense(3)]
    both = [Network(layers, 4, seed=5, executor=name) for name in ("compiled", "reference")]
    for net in both:
        trained(net)
    trained(network())
    for step, ids in seen.items():
        assert [net.rows(step).tolist() for net in both] == [ids, ids]


def test_several_trainings_of_several_kinds_keep_their_own_rows():
    net = network()
    trained(trained(trained(net)), 11, shuffle=False)
    trained(trained(net, 7), batch_size=9)
    check(trained(net))


def test_trainings_that_continue_each_other_are_one_entry():
    net = network()
    for _ in range(20):
        trained(net, epochs=1)
    check(net)
    assert len(net.logbook.entries) == 1


class StopAt:
    def __init__(self, step):
        self.step = step

    def on_step_end(self, training):
        return "enough" if training.network.clock.step == self.step else None


def test_a_training_that_was_cut_short_is_known_as_far_as_it_came():
    net = trained(network(), callbacks=[StopAt(7)])
    trained(net)
    check(net)


def test_the_rows_of_steps_taken_so_far_are_known_while_training_goes_on():
    known = []

    class Look:
        def on_step_end(self, training):
            known.append(training.network.rows(training.network.clock.step - 1).tolist())

    trained(network(), callbacks=[Look()])
    assert known == list(seen.values())


def test_a_diverging_run_is_known_up_to_its_last_good_step():
    class Spoil:
        def on_step_end(self, training):
            if training.network.clock.step == 4:
                training.network.theta[:] = np.nan

    net = network()
    with pytest.raises(thinnet.DivergedError):
        trained(net, callbacks=[Spoil()])
    assert net.rows(3).tolist() == seen[3]
    with pytest.raises(ValueError, match="step must be one that was taken"):
        net.rows(4)


# Checkpoints, copies and files


def test_a_resumed_run_is_known_from_its_first_step(tmp_path):
    path = tmp_path / "run.ckpt"
    trained(trained(network(), 11), checkpoint=path, callbacks=[StopAt(13)])
    before = dict(seen)
    seen.clear()
    net = trained(network(), checkpoint=path, resume=True)
    wanted = before | seen
    assert [net.rows(step).tolist() for step in range(net.clock.step)] == list(wanted.values())
    assert len(wanted) == 9 + 15


def test_a_checkpoint_of_an_older_version_gives_the_rows_of_its_own_training(tmp_path):
    path = tmp_path / "run.ckpt"
    trained(trained(network(), 11), checkpoint=path, callbacks=[StopAt(13)])
    saved = snapshots.read(path)
    older = {name: value for name, value in saved.values.items() if name != "logbook"}
    snapshots.write(path, saved._replace(values=older))
    net = trained(network(), checkpoint=path, resume=True)
    assert net.rows(9).tolist() == seen[9]
    with pytest.raises(ValueError, match="step must be one whose rows are known, got 8"):
        net.rows(8)


def test_a_checkpoint_whose_logbook_cannot_be_is_refused(tmp_path):
    path = tmp_path / "run.ckpt"
    trained(network(), checkpoint=path, callbacks=[StopAt(3)])
    saved = snapshots.read(path)
    for bad in ([{"first": -1}], [{"steps": 10**20}], [{"order": "loose"}], [{"rows": 0}]):
        entries = [saved.values["logbook"][0] | bad[0]]
        snapshots.write(path, saved._replace(values=saved.values | {"logbook": entries}))
        with pytest.raises(thinnet.CheckpointError, match="must hold a training, but"):
            trained(network(), checkpoint=path, resume=True)


def plain(seed=5):
    return Network([Dropout(0.5), Dense(3)], 4, seed=seed)


def rows_of(net):
    return [net.rows(step).tolist() for step in range(net.clock.step)]


def test_saving_and_copying_keep_the_rows_of_steps(tmp_path):
    net = trained(trained(plain(), samples=np.arange(N) + 7), 11)
    thinnet.save(net, tmp_path / "net.thinnet")
    copies = [thinnet.load(tmp_path / "net.thinnet"), copy.deepcopy(net), copy.copy(net)]
    copies.append(pickle.loads(pickle.dumps(net)))
    for other in copies:
        assert rows_of(other) == rows_of(net)
    trained(copies[2])
    assert len(net.logbook.entries) == 2


def test_a_network_without_a_logbook_knows_what_comes_after():
    net = trained(plain())
    state = net.__getstate__()
    del state["logbook"]
    older = Network.__new__(Network)
    older.__setstate__(state)
    taken = older.clock.step
    with pytest.raises(ValueError, match="step must be one whose rows are known, got 2"):
        older.rows(2)
    assert older.masks(step=2, samples=[99])[0].shape == (1, 4)  # nobody knows better
    trained(older)
    assert older.rows(taken).tolist() == trained(net).rows(taken).tolist()


# Estimators


def estimator(**settings):
    how = {"random_state": 3, "max_iter": 4, "batch_size": 5, "dropout": 0.2, "tol": 0}
    return MLPClassifier((6,), **(how | settings))


class Record:
    """Which rows a step changed the outputs of: those that it was taken on."""

    def __init__(self):
        self.rows, self._before = [], None

    def on_step_end(self, training):
        order = training.order()
        batch = training.slices[training.batch - 1]
        self.rows.append(training.data.ids[order[batch]].tolist())


ESTIMATORS = {
    "plain": {},
    "a part held out": {"early_stopping": True, "validation_fraction": 0.3},
    "in order": {"shuffle": False},
    "one batch": {"batch_size": "auto"},
    "a generator": {"random_state": np.random.RandomState(4)},
}
fitting = pytest.mark.filterwarnings("ignore:.*(Maximum iterations|lbfgs failed)")


@fitting
@pytest.mark.parametrize("settings", ESTIMATORS.values(), ids=ESTIMATORS)
def test_the_rows_of_an_estimators_steps_are_those_of_its_own_order(settings):
    record = Record()
    model = estimator(**settings, callbacks=[record]).fit(X, Y)
    assert [model.rows(step).tolist() for step in range(len(record.rows))] == record.rows
    assert model.network_.clock.step == len(record.rows)


@fitting
def test_an_estimators_first_steps_are_scikit_learns():
    order, stream = np.arange(N), np.random.RandomState(3)
    for width, units in ((4, 6), (6, 3)):
        stream.uniform(size=(width, units)), stream.uniform(size=units)  # first weights
    model = estimator().fit(X, Y)
    for epoch in range(4):
        order = order[stream.permutation(N)]
        found = [model.rows(5 * epoch + batch).tolist() for batch in range(5)]
        assert list(chain(*found)) == order.tolist()


@fitting
@pytest.mark.parametrize("state", ["an integer", "a generator"])
def test_partial_fit_called_often_is_one_entry(state):
    record = Record()
    stream = 3 if state == "an integer" else np.random.RandomState(3)
    model = estimator(random_state=stream, callbacks=[record])
    for _ in range(60):
        model.partial_fit(X[:9], Y[:9], classes=[0, 1, 2])
    assert [model.rows(step).tolist() for step in range(120)] == record.rows
    for step in (7, 80, 3):  # forth and back
        assert model.rows(step).tolist() == record.rows[step]
    assert len(model.network_.logbook.entries) <= 2


@fitting
def test_memory_stays_small_however_trainings_alternate(monkeypatch):
    for name, most in (("MOST_ENTRIES", 40), ("MOST_STATES", 10), ("MOST_IDS", 100)):
        monkeypatch.setattr(logbook, name, most)
    model, net = estimator(random_state=None), plain()
    record = Record()
    for i in range(60):
        n = 9 + i % 3
        model.set_params(callbacks=[record]).partial_fit(X[:n], Y[:n], classes=[0, 1, 2])
        trained(net, n, samples=np.arange(n) + 7, epochs=1)
    entries = model.network_.logbook.entries
    assert len(entries) == 10
    last = model.network_.clock.step - 1
    assert model.rows(last).tolist() == record.rows[last]
    with pytest.raises(ValueError, match="is forgotten"):
        model.rows(0)
    assert len(net.logbook.entries) == 40
    assert sum(entry.ids.size for entry in net.logbook.entries) <= 100
    first = net.logbook.entries[0]
    with pytest.raises(ValueError, match="samples must be the ids that were given to train"):
        net.rows(first.first)
    ids = np.arange(first.rows) + 7
    assert set(net.rows(first.first, samples=ids)) <= set(ids)


@fitting
def test_lbfgs_takes_one_step_on_all_rows_in_order():
    model = estimator(solver="lbfgs", dropout=0.0).fit(X, Y)
    assert model.rows(0).tolist() == list(range(N))


@fitting
def test_an_ensembles_and_a_tables_networks_give_their_rows():
    ensemble = EnsembleClassifier(estimator(), n_networks=2, random_state=0).fit(X, Y)
    assert [len(member.rows(0)) for member in ensemble.estimators_] == [5, 5]
    table = TableClassifier(max_iter=2, n_networks=2, random_state=0).fit(X, Y)
    assert 0 < len(table.rows(0, network=1)) <= N
    with pytest.raises(ValueError, match="network must be an integer from 0 to 1, got 2"):
        table.rows(0, network=2)


@fitting
def test_a_model_file_gives_the_rows_of_every_step(tmp_path):
    model = estimator(early_stopping=True).fit(X, Y)
    thinnet.save(model, tmp_path / "m.thinnet")
    assert rows_of(thinnet.load(tmp_path / "m.thinnet").network_) == rows_of(model.network_)


# What is refused, and what is warned of


def test_a_step_that_was_not_taken_is_refused():
    with pytest.raises(ValueError, match=r"step must be one that was taken \(none yet\), got 0"):
        plain().rows(0)
    net = trained(plain())
    with pytest.raises(ValueError, match=r"step must be one that was taken \(0 to 14\), got 15"):
        net.rows(15)
    with pytest.raises(ValueError, match="step must be an integer from 0"):
        net.rows(-1)


def test_masks_that_no_training_used_come_with_a_warning():
    net = trained(plain())
    wanted = plain()
    row, other = int(net.rows(2)[0]), next(i for i in range(N) if i not in net.rows(2))
    assert_array_equal(net.masks(step=2, samples=[row])[0], wanted.masks(step=2, samples=[row])[0])
    with pytest.warns(UnusedMaskWarning, match=rf"step 2 .*not on {other}\).*rows\(2\)"):
        found = net.masks(step=2, samples=[row, other])[0]
    assert_array_equal(found, wanted.masks(step=2, samples=[row, other])[0])
    with pytest.warns(UnusedMaskWarning, match="step 15 is not among the 15 that were taken"):
        net.masks(step=15, samples=[row])


def test_masks_of_draws_and_masks_that_all_rows_share_need_no_warning():
    net = trained(plain())
    net.masks(step=99, samples=[99], purpose="predict")
    net.masks(step=2, share="batch")


@fitting
def test_kept_units_are_by_default_those_of_rows_of_the_step():
    model = estimator().fit(X, Y)
    assert list(KeptUnits.from_estimator(model, step=2).samples) == model.rows(2).tolist()


def test_layers_have_one_number_everywhere(capsys):
    layers = [Dropout(0.1), Dense(8), ReLU(), Dropout(0.5), Dense(3)]
    net = Network(layers, 4, seed=9)
    masks = net.masks(step=3, samples=[1, 2])
    assert list(masks) == [0, 1]
    where = {"seed": 9, "step": 3, "samples": [1, 2]}
    assert_array_equal(masks[1], thinnet.keep_mask(layer=1, units=8, rate=0.5, **where))
    net.describe()
    row = next(line for line in capsys.readouterr().out.splitlines() if "Dropout(0.5)" in line)
    cells = [cell.strip() for cell in row.split("│")]
    assert (cells[1], cells[8]) == ("3", "1")


FORGED = {
    "a step below": {"first": -1},
    "no steps": {"steps": 0},
    "steps to come": {"steps": 10**6},
    "another order": {"order": "loose"},
    "a drawn one without a generator": {"order": "drawn"},
    "ids of another length": {"ids": np.zeros(3, np.uint32)},
    "ids of another type": {"ids": np.zeros(N)},
    "a place beyond a generator's": {"order": "drawn", "state": np.full(625, 700, np.uint32)},
    "a start after no epoch": {"resets": True},
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_file_with_trainings_that_cannot_be_is_refused(change, tmp_path):
    net, path = trained(plain()), tmp_path / "net.thinnet"
    net.logbook.entries = [net.logbook.entries[0]._replace(**change)]
    with pytest.raises(ValueError, match=r"must be|can't be saved"):
        thinnet.save(net, path)


def test_entries_that_overlap_are_refused():
    entries = [Entry(0, 5, N, 5, 1, "kept"), Entry(4, 5, N, 5, 1, "kept")]
    with pytest.raises(ValueError, match="first must be >= 5, got 4"):
        Logbook(entries)


@pytest.mark.slow
def test_a_million_partial_fits_keep_one_entry():
    net = plain()
    state = row_order.generator_state(np.random.RandomState(0))
    for step in range(10**6):
        net.logbook.begin(Entry(step, 0, 9, 9, 1, "drawn", epoch=step, state=state))
        net.clock.step += 1
        net.logbook.end(net.clock.step, net)
    assert len(net.logbook.entries) == 1
    assert sys.getsizeof(pickle.dumps(net.logbook)) < 10_000
    assert net.rows(999_999).tolist() == net.rows(0).tolist()
