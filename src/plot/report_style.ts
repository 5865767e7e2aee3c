/**
 * The style sheet of the HTML report: readable on paper, on a phone and in the dark. Figures keep white paper.
 *
 * @module
 */

/** CSS text. */
export const REPORT_STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --muted: #5f6368; --paper: #ffffff; --card: #f6f7f9;
  --rule: #d4d7dc; --accent: #0072b2; --warn: #b34700; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e7ea; --muted: #a2a7ae; --paper: #16181c; --card: #1f2227; --rule: #3a3e45;
    --accent: #6cb8e6; --warn: #ff9d5c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 54rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.6rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--rule); }
p { margin: .6rem 0; max-width: 44rem; }
.subtitle { color: var(--muted); margin: 0 0 1.4rem; }
a { color: var(--accent); }
nav ol { padding-left: 1.2rem; margin: 1rem 0; columns: 2; }
sub, sup { line-height: 0; }
code { font: .9em Menlo, Consolas, "Liberation Mono", monospace; background: var(--card); padding: .05em .3em;
  border-radius: 3px; overflow-wrap: anywhere; }
.summary { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.summary div { background: var(--card); border-left: 4px solid var(--accent); border-radius: 4px; padding: .7rem .9rem; }
.summary div.warning { border-left-color: var(--warn); }
.summary dt { color: var(--muted); font-size: .875rem; }
.summary dd { margin: 0; }
.summary .value { font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.summary .note { color: var(--muted); font-size: .875rem; }
.summary .warning .note { color: var(--warn); }
figure { margin: 1.3rem 0; }
figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; border-radius: 4px; }
figcaption, caption { color: var(--muted); font-size: .9rem; text-align: left; margin: .4rem 0; }
figcaption b, caption b { color: var(--ink); }
.table { overflow-x: auto; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .93rem; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .9rem .32rem 0; text-align: left; vertical-align: baseline; }
thead th { border-top: 2px solid var(--ink); border-bottom: 1px solid var(--ink); }
tbody tr:last-child > * { border-bottom: 2px solid var(--ink); }
tbody th { font-weight: 400; }
.number { text-align: right; }
footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--rule); color: var(--muted); font-size: .875rem; }
@media print {
  :root { color-scheme: light; --ink: #000; --muted: #444; --paper: #fff; --card: #f4f4f4; --rule: #bbb; --accent: #0072b2; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav { display: none; }
  figure, table, .summary div { break-inside: avoid; }
  h2 { break-after: avoid; }
}
`;
