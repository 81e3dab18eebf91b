"""`warm_start` and `verbose` of tables' estimators."""

import re
import signal
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thinnet import TableClassifier, TableEncoder, TableRegressor, evaluate, load, save
from thinnet.tables import efforts, members, splitting

ROWS = 180
QUICK = {"n_networks": 3, "max_iter": 3, "random_state": 0, "hidden_layer_sizes": (8,)}
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": RNG.normal(size=ROWS), "b": RNG.choice(list("xyz"), ROWS)})
NUMBERS = TABLE["a"].to_numpy() ** 2 + 0.1 * RNG.normal(size=ROWS)
CLASSES = np.where(NUMBERS > 0.5, "high", "low")
KINDS = {
    "numbers": (TableRegressor, {}, NUMBERS),
    "classes": (TableClassifier, {"eval_metric": "brier"}, CLASSES),
    "weighed classes": (TableClassifier, {"class_weight": "balanced"}, CLASSES),
}
kinds = pytest.mark.parametrize(("kind", "settings", "y"), KINDS.values(), ids=KINDS)


def warm(kind, **settings):
    return kind(**(QUICK | settings), warm_start=True)


def answers(model, table=TABLE):
    if isinstance(model, TableClassifier):
        return model.predict_proba(table)
    return np.column_stack([model.predict(table), *model.predict_interval(table).T])


@kinds
def test_the_first_fit_is_that_without_warm_start(kind, settings, y):
    plain = kind(**QUICK, **settings).fit(TABLE, y)
    model = warm(kind, **settings).fit(TABLE, y)
    assert_array_equal(answers(model), answers(plain))
    assert len(model.fold_networks_) == 3
    assert not hasattr(plain, "fold_networks_")


@kinds
def test_epochs_add_on_from_the_weights_encoder_and_classes_there_are(kind, settings, y):
    model = warm(kind, **settings).fit(TABLE, y)
    encoder, steps = model.encoder_, [network.clock.step for network in model.networks_]
    before = [network.theta.copy() for network in model.fold_networks_]
    kept = [history.epochs.copy() for history in model.histories_]
    model.fit(TABLE, y)
    assert model.encoder_ is encoder
    assert model.n_iter_ == 6
    for history, old in zip(model.histories_, kept, strict=True):
        assert history.epochs[:3] == old
        assert_array_equal(history["epoch"], np.arange(6))
        assert (np.diff(history["step"]) > 0).all()
    assert [network.clock.step for network in model.networks_] == [2 * n for n in steps]
    for theta, network in zip(before, model.fold_networks_, strict=True):
        assert 0 < np.abs(theta - network.theta).max() < 0.2


@kinds
def test_rows_held_out_stay_held_out_and_never_get_worse(kind, settings, y):
    model = warm(kind, **settings).fit(TABLE, y)
    column = "validation_loss" if model.stops_by_loss else "validation_score"
    sign = 1 if model.stops_by_loss else -1
    before = [sign * history[column][history.best_epoch] for history in model.histories_]
    model.fit(TABLE, y)
    after = [sign * history[column][history.best_epoch] for history in model.histories_]
    assert (np.array(after) < before).all()
    theta = [network.theta.copy() for network in (*model.networks_, *model.fold_networks_)]
    best = [history.best_epoch for history in model.histories_]
    found = answers(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of networks that diverge
        model.set_params(learning_rate_init=1000.0).fit(TABLE, y)
    same = [network.theta for network in (*model.networks_, *model.fold_networks_)]
    for one, other in zip(theta, same, strict=True):
        assert_array_equal(one, other)
    assert [history.best_epoch for history in model.histories_] == best
    assert_array_equal(answers(model), found)


def test_the_same_rows_are_learned_from_as_the_first_fit_encoded_them():
    names = [f"c{i}" for i in RNG.integers(0, 30, ROWS)]
    table = TABLE.assign(many=names)
    model = warm(TableRegressor, encoder=TableEncoder(max_categories=5), n_networks=1)
    model.fit(table, NUMBERS)
    (_, held) = next(splitting.splits(model, NUMBERS, np.random.RandomState(0)))
    network, history = model.networks_[0], model.history_
    before = history["validation_loss"][history.best_epoch]
    y = model.target_scale_.forward(NUMBERS[:, None])
    ready = model.encoder_.parts_.again(prepared_of(model, table), y[:, 0])
    assert evaluate(network, ready[held], y[held])[0] == pytest.approx(before, rel=1e-5)


def prepared_of(model, table):
    from thinnet.tables.columns.preparing import prepared

    return prepared(table, model.encoder_.columns_, model.encoder_.missing_)


def test_other_rows_are_learned_from_in_the_units_of_the_first_fit():
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    scale, n = model.target_scale_, 60
    model.fit(TABLE[:n][["b", "a"]], 100 * NUMBERS[:n])
    assert model.target_scale_ is scale
    assert model.networks_[0].logbook.entries[-1].rows == n
    some = CLASSES == "low"
    model = warm(TableClassifier).fit(TABLE, CLASSES)
    before = model.predict_proba(TABLE[some])
    model.fit(TABLE[some], CLASSES[some])
    assert list(model.classes_) == ["high", "low"]
    assert (model.predict_proba(TABLE[some])[:, 1] > before[:, 1]).all()


def test_networks_of_folds_that_predict_themselves_go_on(monkeypatch):
    monkeypatch.setattr(efforts, "FEW_ROWS", 10)
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    assert model.fold_networks_ == []
    steps = [network.clock.step for network in model.networks_]
    model.fit(TABLE, NUMBERS)
    assert [network.clock.step for network in model.networks_] == [2 * n for n in steps]
    monkeypatch.setattr(efforts, "FEW_ROWS", 1000)
    model.fit(TABLE, NUMBERS)
    assert len(model.fold_networks_) == 3
    assert all(
        network.clock.step > 2 * n for network, n in zip(model.networks_, steps, strict=True)
    )


def test_an_own_table_to_stop_by_goes_on_with_the_networks_that_predict():
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    steps = model.networks_[0].clock.step
    model.fit(TABLE, NUMBERS, eval_set=(TABLE, NUMBERS))
    assert model.networks_[0].clock.step > steps
    assert model.fold_networks_ == []


def test_a_file_goes_on_as_the_model_would(tmp_path):
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    save(model, tmp_path / "m.thinnet")
    again = load(tmp_path / "m.thinnet")
    assert_array_equal(answers(again.fit(TABLE, NUMBERS)), answers(model.fit(TABLE, NUMBERS)))


def test_few_rows_with_fewer_folds_than_networks_go_on():
    settings = QUICK | {"n_networks": 5}
    model = TableRegressor(**settings, warm_start=True).fit(TABLE[:6], NUMBERS[:6])
    assert len(model.fold_networks_) == 3
    model.fit(TABLE[:6], NUMBERS[:6]).fit(TABLE, NUMBERS)
    assert len(model.networks_) == len(model.fold_networks_) == 5


REFUSED = {
    "n_networks": ({"n_networks": 2}, "n_networks must be 3 with warm_start=True, as in the first"),
    "dtype": ({"dtype": "float64"}, "dtype must be 'float32' with warm_start=True"),
    "widths": ({"hidden_layer_sizes": (9,)}, r"the layers must be Columns\(.*Dense\(8\)\), ReLU"),
    "depth": ({"hidden_layer_sizes": (8, 8)}, "the layers must be"),
    "rates": ({"dropout": 0.5}, "the layers must be"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_other_networks_are_refused_and_the_model_stays(change, message):
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    before = answers(model)
    with pytest.raises(ValueError, match=message):
        model.set_params(**change).fit(TABLE, NUMBERS)
    assert_array_equal(answers(model), before)


TABLES = {
    "another name": (TABLE.rename(columns={"a": "c"}), "got none named 'a'"),
    "one more": (TABLE.assign(c=1), "got 'c' besides"),
    "one less": (TABLE[["a"]], "got none named 'b'"),
}


@pytest.mark.parametrize(("table", "message"), TABLES.values(), ids=TABLES)
def test_other_columns_are_refused_and_the_model_stays(table, message):
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    before = answers(model)
    with pytest.raises(ValueError, match=f"X must have the same columns with .* {message}"):
        model.fit(table, NUMBERS)
    assert_array_equal(answers(model), before)
    array = warm(TableRegressor).fit(TABLE[["a"]].to_numpy(), NUMBERS)
    with pytest.raises(ValueError, match="2 features"):
        array.fit(np.c_[NUMBERS, NUMBERS], NUMBERS)


def test_other_targets_are_refused_and_the_model_stays():
    model = warm(TableClassifier).fit(TABLE, CLASSES)
    with pytest.raises(ValueError, match="y must hold the classes 'high', 'low', got 'none'"):
        model.fit(TABLE, np.where(NUMBERS > 1, "none", CLASSES))
    assert model.score(TABLE, CLASSES) > 0.4
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    with pytest.raises(ValueError, match="y must have 1 columns, got 2"):
        model.fit(TABLE, np.c_[NUMBERS, NUMBERS])
    assert np.isfinite(answers(model)).all()


def test_a_first_fit_that_kept_no_folds_is_refused():
    model = TableRegressor(**QUICK).fit(TABLE, NUMBERS).set_params(warm_start=True)
    with pytest.raises(ValueError, match="warm_start must be True from the first fit on"):
        model.fit(TABLE, NUMBERS)
    for bad in (1, "yes", None):
        with pytest.raises(ValueError, match="warm_start must be True or False"):
            TableRegressor(**QUICK, warm_start=bad).fit(TABLE, NUMBERS)


class Presses:
    """Ctrl-C at the end of the first epoch of the second network."""

    def __init__(self):
        self.seen = []

    def __deepcopy__(self, memo):
        return self

    def on_epoch_end(self, training):
        if training.network not in self.seen:
            self.seen.append(training.network)
            if len(self.seen) == 2:
                signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("few", [True, False])
def test_what_ctrl_c_leaves_are_the_networks_of_before(few, monkeypatch):
    monkeypatch.setattr(efforts, "FEW_ROWS", 1000 if few else 10)
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    folds = [network.theta.copy() for network in model.fold_networks_ or model.networks_]
    final = [network.theta.copy() for network in model.networks_]
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(UserWarning, match="interrupted"):
            model.set_params(callbacks=[Presses()]).fit(TABLE, NUMBERS)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert model.interrupted_
    assert model.notes_[-1] == (
        "interrupted: 1 of 3 networks were trained to their end; network 2, stopped after 1 of at "
        "most 3 epochs, is left out"
    )
    now = [network.theta for network in model.fold_networks_ or model.networks_]
    assert len(now) == 3
    assert (now[0] != folds[0]).any()
    assert_array_equal(now[1:], folds[1:])
    if few:
        assert_array_equal([network.theta for network in model.networks_], final)
    assert [len(history) for history in model.histories_] == [6, 3, 3]
    assert np.isfinite(answers(model)).all()


def of_all(model):
    """The epochs that were taken on all rows."""
    return members.common_epochs(model.histories_, by_score=True)


LINE = re.compile(
    r"network (\d) of 2, epoch (\d+): loss ([\d.e+-]+)(?:, held-out loss ([\d.e+-]+))?"
    r"(?:, held-out roc_auc ([\d.]+))?(?:, on all rows)?"
)


@pytest.mark.parametrize(
    ("verbose", "epochs"), [(True, [1, 2, 3, 4]), (1, [1, 2, 3, 4]), (2, [2, 4]), (5, [])]
)
def test_a_line_is_printed_every_so_many_epochs(verbose, epochs, capsys):
    settings = QUICK | {"n_networks": 2, "max_iter": 4, "eval_metric": "roc_auc"}
    settings |= {"encoder": TableEncoder()}  # so that no network is trained twice
    model = TableClassifier(**settings, verbose=verbose).fit(TABLE, CLASSES)
    lines = [LINE.fullmatch(line) for line in capsys.readouterr().out.splitlines()]
    assert all(lines)
    of_folds = [line for line in lines if line[4]]
    assert [(int(line[1]), int(line[2])) for line in of_folds] == [
        (i, epoch) for i in (1, 2) for epoch in epochs
    ]
    for line in of_folds:
        epoch = model.histories_[int(line[1]) - 1].epochs[int(line[2]) - 1]
        found = [float(number) for number in line.groups()[2:]]
        shown = (epoch.loss, epoch.validation_loss, epoch.validation_score)
        assert_allclose(found, shown, rtol=1e-3)
    assert all(line[0].endswith("on all rows") for line in lines[len(of_folds) :])
    assert len(lines) == 2 * len(epochs) + 2 * sum(n in epochs for n in range(1, of_all(model) + 1))


def test_nothing_is_printed_by_default_and_lines_go_on_counting(capsys):
    model = TableRegressor(**QUICK).fit(TABLE, NUMBERS)
    assert capsys.readouterr().out == ""
    model = warm(TableRegressor, n_networks=1).fit(TABLE, NUMBERS)
    model.set_params(verbose=1).fit(TABLE, NUMBERS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        f"network 1 of 1, epoch {n}" for n in (4, 5, 6)
    ]
    assert all(re.search(r": loss [\d.]+, held-out loss [\d.]+$", line) for line in lines)
    for bad in (-1, 1.5, "loud", None):
        with pytest.raises(ValueError, match="verbose must be an integer >= 0"):
            TableRegressor(**QUICK, verbose=bad).fit(TABLE, NUMBERS)


def test_networks_of_folds_that_do_not_fit_are_in_no_file(tmp_path):
    model = warm(TableRegressor).fit(TABLE, NUMBERS)
    other = warm(TableRegressor).fit(TABLE[["a"]], NUMBERS)
    for folds in (other.fold_networks_, ["network"]):
        model.fold_networks_ = folds
        with pytest.raises(ValueError, match="networks_ must take"):
            save(model, tmp_path / "m.thinnet")
