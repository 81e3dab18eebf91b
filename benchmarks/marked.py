"""Parts of a page that are made anew: each stands between two markers, and the rest stays.

The markers are `<!-- name -->` and `<!-- end of name -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def renewed(text: str, parts: Mapping[str, str]) -> str:
    """The page with its parts made anew.

    Raises
    ------
    ValueError
        If a marker is missing, or stands there twice.
    """
    for name, part in parts.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        if len(place.findall(text)) != 1:
            raise ValueError(f"the page must have the markers of {name!r} once")
        content = f"\n{part}\n\n"
        text = place.sub(lambda found, content=content: found[1] + content + found[2], text)
    return text


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    head = list(head)
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
