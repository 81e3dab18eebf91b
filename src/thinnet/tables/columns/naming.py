"""Words for names of columns that are not there, with those that may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from thinnet.checks import quoted

SHOWN: Final = 20  # names of a wide table
LIKE: Final = 3


def there(names: Iterable[str]) -> str:
    """The columns of a table, or the first of them."""
    found = list(names)
    text = ", ".join(map(quoted, found[:SHOWN]))
    return f"{text} and {len(found) - SHOWN} more" if len(found) > SHOWN else text


def meant(wanted: str, names: Iterable[str]) -> str:
    """The end of a sentence: names that are like the one that is not there."""
    by_lower = {str(name).lower(): str(name) for name in names}
    near = difflib.get_close_matches(str(wanted).lower(), by_lower, LIKE)
    return (
        f" (did you mean {' or '.join(quoted(by_lower[name]) for name in near)}?)" if near else ""
    )
