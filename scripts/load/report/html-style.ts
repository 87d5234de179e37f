/** Style sheet of the HTML report: one column on a phone, light or dark as the browser prefers. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fcfcfb; --card: #ffffff; --ink: #1c1d21; --quiet: #5c5f68; --rule: #e3e3e0;
  --a: #1f6fb2; --b: #b4540a; --c: #2f7d4f; --bad: #b3261e; --good: #23713f; --bad-paper: #fdeceb; --good-paper: #eaf5ee;
  --note-paper: #fff6e0; --note: #7a5200; }
@media (prefers-color-scheme: dark) { :root { --paper: #16171a; --card: #1e2024; --ink: #e9eaec; --quiet: #a3a7b0;
  --rule: #34373d; --a: #6db3f2; --b: #f0a15c; --c: #76c893; --bad: #ff8a80; --good: #7bd39a; --bad-paper: #3a1f1e;
  --good-paper: #1c2f23; --note-paper: #33290f; --note: #f2cc7a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .35rem; text-wrap: balance; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .8rem; }
h3 { font-size: .95rem; margin: 0 0 .2rem; }
p { margin: .3rem 0; max-width: 46rem; }
.quiet, figcaption, dt { color: var(--quiet); }
.verdict { margin: 1.2rem 0; padding: .8rem 1rem; border-radius: .6rem; border-left: .3rem solid; max-width: none; }
.good { background: var(--good-paper); border-color: var(--good); }
.bad { background: var(--bad-paper); border-color: var(--bad); }
ul { padding-left: 1.3rem; margin: .5rem 0 0; } .verdict ul { list-style: none; padding: 0; }
.note { background: var(--note-paper); border-color: var(--note); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.2rem 0; padding: 0; }
.figures div, figure { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; }
.figures div { padding: .7rem .9rem; display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.figures dd { margin: 0; font-size: 1.35rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.25; }
.figures dd small { font-size: .8rem; font-weight: 400; color: var(--quiet); }
.figures dt { font-size: .85rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 1rem; }
figure { margin: 0; padding: .9rem .9rem .6rem; min-width: 0; }
figcaption { font-size: .85rem; margin-bottom: .4rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--quiet); font: 12.5px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg .key { fill: var(--ink); }
.grid { stroke: var(--rule); }
.series { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.mark { stroke-width: 1.5; stroke-dasharray: 4 3; }
.scroll { overflow-x: auto; margin-top: .8rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { font-weight: 600; color: var(--quiet); font-size: .85rem; }
th:first-child, td:first-child, td.text { text-align: left; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: 0; }
dl.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
code { font: .9em ui-monospace, Menlo, Consolas, monospace; background: var(--card); border: 1px solid var(--rule); border-radius: .3rem; padding: .1rem .3rem; overflow-wrap: anywhere; }
details { margin-top: 1rem; } summary { cursor: pointer; }
@media (max-width: 36rem) { main { padding: 1.2rem .9rem 3rem; } h1 { font-size: 1.35rem; } dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .6rem; } }
`;
