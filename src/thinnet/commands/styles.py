"""The style sheet of a report's page, for screens of all widths and for paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light; --ink: #1a1a1a; --paper: #fff; --soft: #505050; --line: #ccc;
  --band: #f6f8fa; --mark: #0072B2; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .75rem; padding-top: .75rem;
  border-top: 2px solid var(--mark); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p, li { max-width: 46rem; overflow-wrap: anywhere; }
header p { margin: .25rem 0; color: var(--soft); }
ul { padding-left: 1.25rem; }
.small, figcaption { font-size: .85rem; color: var(--soft); }
.scrolls { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { border-bottom: 2px solid var(--line); }
th, td, li, p, h1 { unicode-bidi: isolate; }
.w { text-align: left; max-width: 26rem; overflow-wrap: break-word; }
.n { text-align: right; white-space: nowrap; }
td.w:last-child { min-width: 14rem; }
tbody tr:nth-child(even) { background: var(--band); }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1rem; align-items: start; }
figure { margin: 0; break-inside: avoid; }
figure.plain { max-width: 34rem; }
img { display: block; width: 100%; height: auto; }
img.wide { min-width: 36rem; }
@media screen and (max-width: 40rem) {
  .stacks thead { position: absolute; left: -999rem; }
  .stacks table, .stacks tbody, .stacks tr, .stacks td { display: block; }
  .stacks tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .stacks td { padding: .1rem .5rem; border: 0; text-align: left; white-space: normal;
    max-width: none; overflow-wrap: anywhere; }
  .stacks td::before { content: attr(data-head) ": "; color: var(--soft); }
}
@media print {
  main { max-width: none; padding: 0; }
  body { font-size: 10pt; }
  h2 { break-after: avoid; }
  tr { break-inside: avoid; }
  .scrolls { overflow: visible; }
  img.wide { min-width: 0; }
  .pictures { grid-template-columns: 1fr 1fr; }
}
"""
