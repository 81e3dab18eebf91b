"""Rows to learn from, and rows held out: at random, by groups, in time."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from trying import given_few_or_many

from thinnet.checks import SettingError
from thinnet.tables import splitting
from thinnet.tables.beside import Beside

CODES = st.lists(st.integers(0, 12), min_size=8, max_size=60).map(np.array)


def splits_of(networks, y, beside):
    settings = SimpleNamespace(n_networks=networks, validation_fraction=0.15)
    return list(splitting.splits(settings, y, np.random.RandomState(0), beside))


def some_y(n, classes):
    if not classes:
        return np.arange(n, dtype=float)
    return np.random.default_rng(n).integers(0, classes, n)


@pytest.mark.parametrize("seed", range(20))
def test_rows_to_learn_from_have_every_class_of_two_rows(seed):
    y = np.repeat(["a", "b", "c"], [40, 2, 2]).astype(object)
    kept, held = splitting.held_out(y, 0.3, seed)
    assert set(y[kept]) == set(y)
    assert_array_equal(np.sort(np.append(kept, held)), np.arange(44))


@given_few_or_many(30, 300, CODES, st.integers(1, 6), st.integers(0, 3))
def test_no_fold_parts_a_group_and_each_row_is_held_out_once(groups, networks, classes):
    y, n_groups = some_y(len(groups), classes), len(np.unique(groups))
    if n_groups < max(networks, 2):
        with pytest.raises(SettingError):
            splits_of(networks, y, Beside(groups=groups))
        return
    found = splits_of(networks, y, Beside(groups=groups))
    for kept, held in found:
        assert len(kept)
        assert len(held)
        assert not set(groups[kept]) & set(groups[held])
        assert_array_equal(np.sort(np.append(kept, held)), np.arange(len(y)))
    if networks > 1:
        assert_array_equal(np.sort(np.concatenate([h for _, h in found])), np.arange(len(y)))


@given_few_or_many(30, 300, CODES, st.integers(1, 6), st.integers(0, 3))
def test_nothing_is_learned_from_what_is_later_than_rows_held_out(times, networks, classes):
    y, moments = some_y(len(times), classes), len(np.unique(times))
    if moments < max(networks + 1, 2):
        with pytest.raises(SettingError):
            splits_of(networks, y, Beside(times=times))
        return
    found = splits_of(networks, y, Beside(times=times))
    assert len(found) == networks
    latest = -1
    for kept, held in found:
        assert times[kept].max() < times[held].min()
        assert latest < times[held].min()  # no row is held out twice
        assert_array_equal(kept, np.flatnonzero(times <= times[kept].max()))
        latest = times[held].max()
    assert latest == times.max()


def test_networks_learn_from_half_of_the_rows_to_most_of_them():
    found = splits_of(5, np.arange(100.0), Beside(times=np.random.default_rng(0).permutation(100)))
    assert [len(kept) for kept, _ in found] == [50, 60, 70, 80, 90]
    assert [len(held) for _, held in found] == [10] * 5


@given_few_or_many(30, 300, CODES, st.floats(0.05, 0.6))
def test_the_last_rows_are_held_out_to_measure_by(times, fraction):
    if len(np.unique(times)) < 2:
        with pytest.raises(SettingError, match="two different times"):
            splitting.held_out(np.zeros(len(times)), fraction, 0, Beside(times=times))
        return
    kept, held = splitting.held_out(np.zeros(len(times)), fraction, 0, Beside(times=times))
    assert times[kept].max() < times[held].min()
    assert len(kept) + len(held) == len(times)
    apart = [abs((times > t).sum() - fraction * len(times)) for t in np.unique(times)[:-1]]
    assert abs(len(held) - fraction * len(times)) == pytest.approx(min(apart))


@given_few_or_many(30, 300, CODES, st.integers(0, 5))
def test_whole_groups_are_held_out_to_measure_by(groups, seed):
    if len(np.unique(groups)) < 2:
        with pytest.raises(SettingError, match="two different ones"):
            splitting.held_out(np.zeros(len(groups)), 0.2, seed, Beside(groups=groups))
        return
    kept, held = splitting.held_out(np.zeros(len(groups)), 0.2, seed, Beside(groups=groups))
    assert len(kept)
    assert len(held)
    assert not set(groups[kept]) & set(groups[held])


@pytest.mark.parametrize("seed", range(20))
def test_a_class_of_one_group_is_learned_where_others_can_be_held_out(seed):
    groups = np.repeat(np.arange(10), 10)
    y = np.where(groups == 3, "rare", "common").astype(object)
    kept, held = splitting.held_out(y, 0.3, seed, Beside(groups=groups))
    assert "rare" in y[kept]
    assert len(held)


def test_about_the_wanted_fraction_of_rows_is_held_out_in_groups():
    groups = np.random.default_rng(0).integers(0, 200, 2000)
    _, held = splitting.held_out(np.zeros(2000), 0.2, 0, Beside(groups=groups))
    assert 380 <= len(held) <= 420


def test_mean_targets_come_from_other_groups_also_for_a_single_network():
    groups = np.repeat(np.arange(12), 5)
    beside = Beside(groups=groups)
    folds = splitting.folds_of_means(splits_of(1, np.zeros(60), beside), beside)
    for kept, held in folds:
        assert not set(groups[kept]) & set(groups[held])
    assert_array_equal(np.sort(np.concatenate([held for _, held in folds])), np.arange(60))
    assert splitting.folds_of_means([(groups, groups)], Beside()) is None
