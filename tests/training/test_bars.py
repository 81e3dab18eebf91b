"""Bars of several trainings that are open at once share one display."""

import re

from thinnet.console.progress import opened


def lines(text):
    return re.findall(r"(\w+) +\S+ +(\d+/\d+)", re.sub(r"\x1b\[[0-9;?]*\w", "", text))


def test_bars_that_are_open_at_once_stand_below_each_other(capsys):
    with opened(True, "first", 0, 4) as first:
        first.advance(1)
        with opened(True, "second", 2, 6) as second:
            second.advance(3)
            first.advance(1)
        first.advance(2)
    assert lines(capsys.readouterr().err)[-2:] == [("first", "4/4"), ("second", "5/6")]


def test_a_bar_that_is_opened_later_does_not_repeat_those_that_ended(capsys):
    for title in ("first", "second"):
        with opened(True, title, 0, 1) as bar:
            bar.advance(1)
            capsys.readouterr()
    assert {title for title, _ in lines(capsys.readouterr().err)} == {"second"}


def test_bars_that_wait_show_nothing_if_they_end_soon(capsys):
    with opened(True, "first", 0, 1, patience=9.0) as first:
        with opened(True, "second", 0, 1, patience=9.0) as second:
            second.advance(1)
        first.advance(1)
    assert capsys.readouterr().err == ""
