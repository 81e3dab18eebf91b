"""How many examples Hypothesis tries."""

import pytest
from hypothesis import given, settings


def given_few_or_many(few, many, *strategies, **named):
    """Try `few` examples, and `many` among the slow tests."""

    def decorate(test):
        @pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.slow)])
        def tried(examples):
            settings(max_examples=examples)(given(*strategies, **named)(test))()

        tried.__name__, tried.__doc__ = test.__name__, test.__doc__
        return tried

    return decorate
