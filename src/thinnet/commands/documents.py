"""Pages: one file of HTML, without scripts, that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from thinnet.commands.markup import Markup, tag
from thinnet.commands.styles import STYLE

MARK: Final = '<meta name="generator" content="thinnet">'
# Nothing is loaded and nothing runs, whatever stands in the table.
POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(title: str, parts: Iterable[Markup | None], style: str = "") -> str:
    """A page of these parts; rules of `style` stand behind those of all pages."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        Markup(MARK),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        Markup(f"<style>{STYLE}{style}</style>"),
    )
    whole = tag("html", head, tag("body", tag("main", *filter(None, parts))), lang="en")
    return f"<!DOCTYPE html>\n{whole}"


def section(title: str, *parts: Markup | None) -> Markup | None:
    """A heading and what stands below it; None without that."""
    there = [part for part in parts if part]
    return tag("section", tag("h2", title), *there) if there else None
