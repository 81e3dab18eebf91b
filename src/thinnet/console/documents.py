"""Pages: one file of HTML, without scripts, that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from thinnet.console.markup import Markup, tag

MARK: Final = '<meta name="generator" content="thinnet">'
# Nothing is loaded and nothing runs, whatever stands in the table.
POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(title: str, parts: Iterable[Markup | None], style: str, kind: str = "") -> str:
    """A page of these parts in the look of `style`; `kind` is the body's class."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        Markup(MARK),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        Markup(f"<style>{style}</style>"),
    )
    of_kind = {"class_": kind} if kind else {}
    body = tag("body", tag("main", *filter(None, parts)), **of_kind)
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}"


def section(title: str, *parts: Markup | None) -> Markup | None:
    """A heading and what stands below it; None without that."""
    there = [part for part in parts if part]
    return tag("section", tag("h2", title), *there) if there else None
