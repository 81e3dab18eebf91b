"""One value of a hypothesis strategy, a function of a seed."""

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings


def drawn(strategy, seed):
    """The second of two examples, since the first is always the simplest there is."""
    found = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=2,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def note(value):
        found.append(value)

    note()
    return found[-1]
