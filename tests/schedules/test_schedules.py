"""Schedules: closed forms, borders, and what they refuse."""

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thinnet.schedules import (
    Constant,
    Cosine,
    InverseTime,
    Linear,
    Schedule,
    Step,
    Warmup,
    as_schedule,
)
from thinnet.schedules.plateau import Plateau, ReduceOnPlateau

ALL = [
    Constant(0.1),
    InverseTime(0.1, 0.01),
    Linear(0.1, 0.5, 10),
    Step(0.1, 0.5, 10),
    Cosine(0.1, 10),
    Warmup(Cosine(0.1, 10), 3),
    ReduceOnPlateau(0.1),
]
steps = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("schedule", ALL)
def test_a_schedule_is_a_frozen_value_with_a_number_at_every_step(schedule):
    assert isinstance(schedule, Schedule)
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert all(0 <= schedule.at(step) <= 0.5 for step in (0, 1, 9, 10, 11, 2**32 - 1))
    assert as_schedule(schedule) is schedule


@given(steps)
def test_a_constant_never_changes(step):
    assert Constant(0.3).at(step) == as_schedule(0.3).at(step) == 0.3


@given(steps, st.floats(0, 1))
def test_inverse_time_halves_when_decay_times_step_is_one(step, decay):
    assert InverseTime(2.0, decay).at(step) * (1 + decay * step) == pytest.approx(2.0)
    assert InverseTime(2.0, 0.01).at(100) == 1.0


@pytest.mark.parametrize(
    ("step", "value"),
    [(0, 0.1), (1, 0.14), (5, 0.3), (9, 0.46), (10, 0.5), (11, 0.5), (10**9, 0.5)],
)
def test_a_line_runs_from_its_first_to_its_last_value_and_stays(step, value):
    assert Linear(0.1, 0.5, n_steps=10).at(step) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("step", "value"), [(0, 1.0), (9, 1.0), (10, 0.5), (19, 0.5), (20, 0.25), (100, 0.5**10)]
)
def test_a_step_schedule_multiplies_by_its_factor_every_so_many_steps(step, value):
    assert Step(1.0, factor=0.5, every=10).at(step) == value


@pytest.mark.parametrize("final", [0.0, 0.2])
def test_half_a_cosine_falls_from_its_first_to_its_last_value_and_stays(final):
    rule = Cosine(1.0, n_steps=8, final=final)
    for step in range(9):
        expected = final + (1 - final) * math.cos(math.pi * step / 16) ** 2
        assert rule.at(step) == pytest.approx(expected, abs=1e-15)
    assert rule.at(8) == rule.at(9) == rule.at(10**9) == pytest.approx(final, abs=1e-15)


@pytest.mark.parametrize(
    ("step", "share"), [(0, 0.25), (1, 0.5), (2, 0.75), (3, 1), (4, 1), (99, 1)]
)
@pytest.mark.parametrize("after", [2.0, Linear(1.0, 0.0, 50)])
def test_warmup_multiplies_the_first_steps_of_another_schedule(after, step, share):
    expected = share * as_schedule(after).at(step)
    assert Warmup(after, n_steps=4).at(step) == pytest.approx(expected, rel=1e-15)


def losses_after(rule, losses):
    states = [Plateau()]
    for loss in losses:
        states.append(rule.after(states[-1], loss))
    return states[1:]


def test_a_plateau_cuts_after_patience_evaluations_without_improvement():
    rule = ReduceOnPlateau(0.1, factor=0.5, patience=3)
    scales = [s.scale for s in losses_after(rule, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5])]
    assert scales == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_an_improvement_starts_the_wait_anew():
    rule = ReduceOnPlateau(0.1, factor=0.5, patience=2)
    scales = [s.scale for s in losses_after(rule, [1.0, 1.1, 0.9, 1.0, 0.8, 0.9, 0.9])]
    assert scales == [1, 1, 1, 1, 1, 1, 0.5]


def test_a_fall_of_no_more_than_min_delta_is_no_improvement():
    rule = ReduceOnPlateau(0.1, factor=0.5, patience=1, min_delta=0.25)
    assert [s.scale for s in losses_after(rule, [1.0, 0.75])] == [1, 0.5]
    assert [s.scale for s in losses_after(rule, [1.0, 0.7])] == [1, 1]


def test_a_worse_negative_loss_is_no_improvement():
    rule = ReduceOnPlateau(0.1, factor=0.5, patience=1)
    assert [s.scale for s in losses_after(rule, [-2.0, -1.9, -2.5])] == [1, 0.5, 0.5]


def test_a_loss_that_is_not_a_number_is_no_improvement():
    rule = ReduceOnPlateau(0.1, factor=0.5, patience=1)
    assert losses_after(rule, [1.0, math.nan])[-1] == Plateau(1.0, 0, 0.5)


def test_cuts_end_at_the_smallest_scale():
    rule = ReduceOnPlateau(0.1, factor=0.1, patience=1, min_scale=0.05)
    assert [s.scale for s in losses_after(rule, [1.0] * 4)] == [1, 0.1, 0.05, 0.05]


def test_a_rule_for_plateaus_gives_its_schedule_before_any_cut():
    assert ReduceOnPlateau(Linear(1.0, 0.0, 10)).at(5) == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(math.nan), "value must be a finite number, got nan"),
        (lambda: InverseTime(math.inf, 0.1), "initial must be a finite number, got inf"),
        (lambda: InverseTime(0.1, -0.1), "decay must be a finite number >= 0, got -0.1"),
        (lambda: Linear("a", 1.0, 5), "initial must be a finite number, got 'a'"),
        (lambda: Linear(0.0, math.nan, 5), "final must be a finite number, got nan"),
        (lambda: Linear(0.0, 1.0, 0), "n_steps must be an integer >= 1, got 0"),
        (lambda: Linear(0.0, 1.0, 2.5), "n_steps must be an integer >= 1, got 2.5"),
        (lambda: Step(math.nan, 0.5, 3), "initial must be a finite number, got nan"),
        (lambda: Step(1.0, 0.0, 3), "factor must be a finite number > 0, got 0.0"),
        (lambda: Step(1.0, 0.5, 0), "every must be an integer >= 1, got 0"),
        (lambda: Cosine(math.nan, 5), "initial must be a finite number, got nan"),
        (lambda: Cosine(1.0, 0), "n_steps must be an integer >= 1, got 0"),
        (lambda: Cosine(1.0, 5, math.inf), "final must be a finite number, got inf"),
        (lambda: Warmup(1.0, 0), "n_steps must be an integer >= 1, got 0"),
        (lambda: Warmup("a", 5), "must be a finite number, got 'a'"),
        (lambda: ReduceOnPlateau(0.1, factor=0.0), r"factor must be in \(0, 1\), got 0.0"),
        (lambda: ReduceOnPlateau(0.1, factor=1.0), r"factor must be a number in \[0, 1\), got 1.0"),
        (lambda: ReduceOnPlateau(0.1, patience=0), "patience must be an integer >= 1, got 0"),
        (lambda: ReduceOnPlateau(0.1, min_delta=-1), "min_delta must be a finite number >= 0"),
        (
            lambda: ReduceOnPlateau(0.1, min_scale=2),
            r"min_scale must be a number in \[0, 1\], got 2",
        ),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(make, message, untyped):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_warmup_stands_within_a_plateau_and_not_around_it():
    with pytest.raises(ValueError, match="after must not be a ReduceOnPlateau, which has to stand"):
        Warmup(ReduceOnPlateau(0.1), n_steps=3)
