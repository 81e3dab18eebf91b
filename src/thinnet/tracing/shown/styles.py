"""The style sheet of a trace, for pages and notebooks, light and dark."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
.thinnet-trace { --ink: #1a1a1a; --paper: #fff; --soft: #555; --line: #d0d4d9; --band: #f4f6f8;
  --mark: #0072B2; color-scheme: light dark; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
@media (prefers-color-scheme: dark) {
  .thinnet-trace { --ink: #e6e6e6; --paper: #16181b; --soft: #a8adb3; --line: #3a3f45;
    --band: #1e2125; --mark: #56B4E9; }
}
.thinnet-trace * { box-sizing: border-box; }
body.thinnet-trace { margin: 0; }
.thinnet-trace math { math-style: normal; }
.thinnet-trace main { max-width: 78rem; margin: 0 auto; padding: 1rem; }
.thinnet-trace h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
.thinnet-trace h2, .thinnet-trace h3 { font-size: 1.15rem; margin: 1.75rem 0 .5rem;
  padding-top: .5rem;
  border-top: 2px solid var(--mark); }
.thinnet-trace summary { font-weight: 600; cursor: pointer; padding: .35rem 0;
  overflow-wrap: anywhere; }
.thinnet-trace .scrolls { overflow-x: auto; margin: 0 0 .75rem; }
.thinnet-trace table { border-collapse: collapse; font-size: .92rem; background: none;
  font-variant-numeric: tabular-nums; }
.thinnet-trace th, .thinnet-trace td { padding: .3rem .7rem; text-align: left;
  vertical-align: middle; border: 0; border-bottom: 1px solid var(--line); white-space: nowrap;
  color: var(--ink); unicode-bidi: isolate; }
.thinnet-trace th { color: var(--soft); font-weight: 600; border-bottom-width: 2px; }
.thinnet-trace tbody tr { background: none; }
.thinnet-trace tbody tr:nth-child(even) { background: var(--band); }
.thinnet-trace .n { text-align: right; }
.thinnet-trace p { max-width: 46rem; overflow-wrap: anywhere; }
.thinnet-trace .small { font-size: .85rem; color: var(--soft); }
.thinnet-trace a { color: var(--mark); }
@media print { .thinnet-trace .scrolls { overflow: visible; } }
"""
