/** The page's own style sheet; colours are variables, so that charts can read them. */
export const reportStyles = `
:root { color-scheme: light dark; --page:#f6f7f9; --card:#fff; --ink:#1c2330; --soft:#5b6575; --line:#dde2ea; --grid:#e9edf2; --panic:rgba(220,38,38,.10); --warn:#b45309; --warn-soft:#fff7e6;
  --s1:#2563eb; --s2:#ea580c; --s3:#059669; --s4:#9333ea; --s5:#db2777; --s6:#0891b2; --muted:#8a94a6; }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { --page:#10141b; --card:#171d27; --ink:#e8ecf2; --soft:#9aa6b8; --line:#2a3342; --grid:#222a37; --panic:rgba(248,113,113,.14); --warn:#fbbf24; --warn-soft:#2a2212;
  --s1:#60a5fa; --s2:#fb923c; --s3:#34d399; --s4:#c084fc; --s5:#f472b6; --s6:#22d3ee; --muted:#6b778a; } }
:root[data-theme=dark] { color-scheme: dark; --page:#10141b; --card:#171d27; --ink:#e8ecf2; --soft:#9aa6b8; --line:#2a3342; --grid:#222a37; --panic:rgba(248,113,113,.14); --warn:#fbbf24; --warn-soft:#2a2212;
  --s1:#60a5fa; --s2:#fb923c; --s3:#34d399; --s4:#c084fc; --s5:#f472b6; --s6:#22d3ee; --muted:#6b778a; }
:root[data-theme=light] { color-scheme: light; }
* { box-sizing: border-box; }
body { margin:0; background:var(--page); color:var(--ink); font:14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width:1180px; margin:0 auto; padding:24px 20px 150px; }
header { display:flex; flex-wrap:wrap; gap:8px 16px; align-items:center; justify-content:space-between; margin-bottom:12px; }
h1 { font-size:22px; line-height:1.25; margin:0; letter-spacing:-.01em; }
h2 { font-size:14px; margin:0; font-weight:600; }
.bar { display:flex; gap:6px; }
button { font:inherit; font-size:13px; color:var(--ink); background:var(--card); border:1px solid var(--line); border-radius:8px; padding:5px 10px; min-height:34px; cursor:pointer; }
button:hover { border-color:var(--muted); }
.facts { display:flex; flex-wrap:wrap; gap:4px 18px; margin:0 0 16px; color:var(--soft); font-size:13px; }
.facts b { font-weight:500; color:var(--ink); }
.card { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:12px 14px; margin-bottom:14px; }
.card .head { display:flex; flex-wrap:wrap; gap:2px 14px; align-items:baseline; margin-bottom:4px; }
.legend { display:flex; flex-wrap:wrap; gap:2px 12px; margin-left:auto; font-size:12px; color:var(--soft); }
.legend button { display:inline-flex; align-items:center; gap:6px; border:0; background:none; padding:2px 0; min-height:24px; font-size:12px; color:inherit; }
.legend button[aria-pressed=false] { opacity:.4; text-decoration:line-through; }
.legend i { width:14px; height:3px; border-radius:2px; background:var(--c); }
.legend i.dash { background:repeating-linear-gradient(90deg,var(--c) 0 4px,transparent 4px 7px); }
.legend b { font-weight:600; color:var(--ink); font-variant-numeric:tabular-nums; min-width:3.5ch; text-align:left; }
.finding { border-color:var(--warn); background:var(--warn-soft); }
.finding strong { color:var(--warn); }
.scroll { overflow-x:auto; }
table { border-collapse:collapse; width:100%; font-variant-numeric:tabular-nums; font-size:13px; }
th, td { text-align:right; padding:5px 8px; border-bottom:1px solid var(--grid); white-space:nowrap; }
th { font-weight:500; color:var(--soft); font-size:12px; }
tr:last-child td, tr:last-child th { border-bottom:0; }
th:first-child, td:first-child { text-align:left; padding-left:0; position:sticky; left:0; background:var(--card); }
td .dot { display:inline-block; width:9px; height:9px; border-radius:3px; margin-right:8px; }
.numbers { display:grid; grid-template-columns:repeat(auto-fill,minmax(124px,1fr)); gap:10px 12px; }
.numbers div { font-size:12px; color:var(--soft); }
.numbers b { display:block; font-size:17px; font-weight:600; color:var(--ink); font-variant-numeric:tabular-nums; letter-spacing:-.01em; }
.plot { width:100%; }
.u-over { cursor:crosshair; }
.u-select { background:rgba(120,140,180,.18); }
.u-cursor-x { border-right:1px solid var(--muted) !important; } .u-cursor-y { display:none; }
#why { position:fixed; left:0; right:0; bottom:0; z-index:5; background:var(--card); border-top:1px solid var(--line); box-shadow:0 -6px 24px rgba(0,0,0,.10); }
#why > div { max-width:1180px; margin:0 auto; padding:9px 20px 11px; max-height:38vh; overflow:auto; }
#why p { margin:3px 0 0; font-size:13px; }
#why .time { font-weight:600; font-variant-numeric:tabular-nums; }
#why .mode { display:inline-block; font-size:11px; padding:0 7px; border-radius:9px; border:1px solid var(--line); color:var(--soft); margin-right:6px; }
#why .mode.panic { color:#dc2626; border-color:#dc2626; }
#why .hint { color:var(--soft); }
footer { color:var(--soft); font-size:12px; margin-top:18px; }
@media (max-width:600px) { td:first-child { max-width:42vw; overflow:hidden; text-overflow:ellipsis; } main { padding:14px 10px 210px; } h1 { font-size:18px; } .card { padding:10px 10px; border-radius:10px; } .legend { margin-left:0; width:100%; } .facts { font-size:12px; gap:2px 12px; } #why > div { padding:8px 12px 10px; max-height:30vh; } #why p { font-size:12px; line-height:1.4; } .numbers { grid-template-columns:repeat(3,1fr); gap:8px; } .numbers b { font-size:15px; } button { min-height:38px; } .legend button { min-height:28px; } }
@media print { #why, .bar { display:none; } main { padding-bottom:0; } }
`;
