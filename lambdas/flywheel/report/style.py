"""The style sheet of a turn's page: for screens, light or dark, and for paper."""

from __future__ import annotations

CSS = """
:root { color-scheme: light dark; --paper: #fff; --ink: #16202c; --soft: #5b6878; --rule: #dfe4ea; --card: #f6f8fa;
  --edge: #16202c55;
  --active: #1f5fbf; --candidate: #b3560a; --good: #1a7a3c; --good-back: #e3f4e8; --bad: #b3261e; --bad-back: #fbe6e4;
  --mild: #7a5b00; --mild-back: #fbf1d0; }
@media (prefers-color-scheme: dark) { :root { --paper: #12171e; --ink: #e6ebf1; --soft: #9aa7b6; --rule: #2c3541;
  --edge: #e6ebf166;
  --card: #1a212b; --active: #77aaf5; --candidate: #f0a45d; --good: #74d091; --good-back: #17351f; --bad: #ff9a92;
  --bad-back: #43201d; --mild: #e8c964; --mild-back: #3b3212; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --rule: #bbb; --card: #fff;
  --active: #1f5fbf; --candidate: #b3560a; --good: #1a7a3c; --good-back: #fff; --bad: #b3261e; --bad-back: #fff;
  --mild: #7a5b00; --mild-back: #fff; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; } section { break-inside: auto; }
  tr, .chart, .verdict, h2, h3 { break-inside: avoid; } h2, h3 { break-after: avoid; }
  thead { display: table-header-group; } .scroll { background: none; overflow: visible; } }
* { box-sizing: border-box; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .7rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; overflow-wrap: anywhere; } p { margin: .4rem 0; }
.soft, figcaption, .foot { color: var(--soft); }
figure { margin: 0; }
.foot { margin-top: 3rem; border-top: 1px solid var(--rule); padding-top: .6rem; }
.verdict { margin-top: 1.2rem; padding: 1rem 1.2rem; border-left: 5px solid var(--soft); background: var(--card);
  border-radius: 0 6px 6px 0; overflow-wrap: anywhere; }
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); }
.verdict strong { font-size: 1.1rem; } .verdict ul { margin: .5rem 0 0; padding-left: 1.2rem; }
.badge { display: inline-block; padding: 0 .5rem; border-radius: 1rem; font-size: .82rem; font-weight: 600;
  white-space: nowrap;
  background: var(--card); color: var(--soft); border: 1px solid currentcolor; }
.badge.good { color: var(--good); background: var(--good-back); }
.badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.mild { color: var(--mild); background: var(--mild-back); }
.scroll { overflow-x: auto; scrollbar-width: thin; scrollbar-color: var(--soft) var(--rule);
  background: linear-gradient(to right, var(--paper) 1rem, transparent 2rem) local,
    linear-gradient(to left, var(--paper) 1rem, transparent 2rem) local,
    linear-gradient(to right, var(--edge), transparent .7rem) scroll,
    linear-gradient(to left, var(--edge), transparent .7rem) scroll; }
.scroll:focus-visible { outline: 3px solid var(--active); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
figcaption { padding-top: .4rem; font-size: .9rem; overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--rule);
  }
th { font-weight: 600; } thead th { color: var(--soft); font-size: .85rem; } tbody th { font-weight: 500; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.date, th.name, .when { white-space: nowrap; }
td.words, th.words { overflow-wrap: anywhere; min-width: 9rem; }
tr.deciding th::after { content: " (decides)"; color: var(--soft); font-weight: 400; }
tr.this th { font-weight: 700; }
td.up { color: var(--good); } td.down { color: var(--bad); }
td.excerpt { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85rem; white-space: pre-wrap;
  overflow-wrap: anywhere; min-width: 12rem; }
td.bar { width: 22%; min-width: 6rem; vertical-align: middle; }
td.bar div { height: .7rem; min-width: 1px; border-radius: 2px; }
.bar .train { background: var(--active); } .bar .test { background: var(--candidate); }
.chart { display: block; width: 100%; min-width: 36rem; height: auto; font-size: 12px; }
.chart text { fill: var(--ink); }
.chart .tick-x, .chart .axis-label { text-anchor: middle; } .chart .tick-y { text-anchor: end; }
.chart .tick-x, .chart .tick-y { fill: var(--soft); } .chart .axis-label { font-weight: 600; }
.chart .grid { stroke: var(--rule); } .chart .axis { stroke: var(--soft); }
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.chart .line.active { stroke: var(--active); }
.chart .line.candidate { stroke: var(--candidate); stroke-dasharray: 5 4; }
.chart .mark.active { fill: var(--active); stroke: var(--paper); stroke-width: 1; }
.chart .mark.candidate { fill: var(--paper); stroke: var(--candidate); stroke-width: 1.8; }
.chart .mark.candidate.promoted { fill: var(--candidate); }
.chart .failure { fill: none; stroke: var(--bad); stroke-width: 2.2; }
.chart .this-turn { fill: var(--soft); opacity: .14; }
.by-label thead th { white-space: normal; vertical-align: bottom; }
.confusion { margin: .6rem 0 1.2rem; }
.confusion table { width: auto; }
.confusion th, .confusion td { border: 1px solid var(--rule); padding: .3rem .5rem; }
.confusion tbody th { position: sticky; left: 0; background: var(--paper); min-width: 9rem; max-width: 14rem;
  overflow-wrap: anywhere; }
.confusion.few thead th { min-width: 5rem; }
.confusion thead th { max-width: 9rem; overflow-wrap: anywhere; white-space: normal; vertical-align: bottom; }
.confusion td { min-width: 2.6rem; }
.confusion.many th, .confusion.many td { font-size: .75rem; padding: .1rem .25rem; }
.confusion.many td { min-width: 1.7rem; }
.confusion td.right { background: color-mix(in srgb, var(--good) calc(var(--share) * .55), transparent); }
.confusion td.wrong { background: color-mix(in srgb, var(--bad) calc(10% + var(--share) * .6), transparent); }
"""
