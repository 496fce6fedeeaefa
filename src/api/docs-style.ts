/** Style of the documentation page; light and dark by the reader's own setting. */
export const docsStyle = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #12161c);
  --panel: light-dark(#f6f7f9, #191f27);
  --ink: light-dark(#1b232d, #dfe5ec);
  --faint: light-dark(#5f6c7b, #93a1b1);
  --line: light-dark(#e1e5ea, #2a323d);
  --accent: light-dark(#0b6e8f, #5cc3e6);
  --get: light-dark(#0b6e8f, #5cc3e6);
  --post: light-dark(#1d7a3c, #6fd08c);
  --good: light-dark(#1d7a3c, #6fd08c);
  --bad: light-dark(#a3341f, #f0917d);
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body {
  margin: 0; display: grid; grid-template-columns: 17.5rem minmax(0, 1fr);
  background: var(--paper); color: var(--ink);
  font: 15px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
nav {
  position: sticky; top: 0; align-self: start; height: 100vh; overflow-y: auto; padding: 1.5rem 1.25rem;
  background: var(--panel); border-right: 1px solid var(--line); font-size: 0.87rem;
}
nav h2 { margin: 1.25rem 0 0.35rem; font-size: 0.72rem; letter-spacing: 0.07em; text-transform: uppercase; color: var(--faint); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: flex; gap: 0.55rem; align-items: baseline; padding: 0.18rem 0; color: inherit; text-decoration: none; }
nav li a:hover { color: var(--accent); }
.brand { font-weight: 700; font-size: 1.1rem; color: var(--ink); text-decoration: none; }
.dot { flex: none; width: 0.5rem; height: 0.5rem; border-radius: 50%; background: var(--get); }
.dot.post { background: var(--post); }
main { padding: 2rem clamp(1.25rem, 4vw, 3.5rem) 6rem; max-width: 68rem; }
h1 { margin: 0 0 0.5rem; font-size: 2rem; line-height: 1.2; }
.version { font-size: 0.9rem; font-weight: 500; color: var(--faint); vertical-align: middle; }
section > h2 { margin: 3rem 0 0.25rem; font-size: 1.45rem; }
section > h2 + p { margin-top: 0; color: var(--faint); }
article { margin: 1.25rem 0; padding: 1.1rem 1.35rem 1.25rem; border: 1px solid var(--line); border-radius: 0.6rem; }
article:target, tr:target { outline: 2px solid var(--accent); outline-offset: 2px; }
article h3 { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: center; margin: 0 0 0.4rem; font-size: 1.05rem; }
article h4 { margin: 1rem 0 0.25rem; font-size: 0.75rem; letter-spacing: 0.06em; text-transform: uppercase; color: var(--faint); }
article p { margin: 0.3rem 0; }
.method { padding: 0.1rem 0.55rem; border-radius: 0.35rem; font-size: 0.75rem; letter-spacing: 0.04em; color: var(--paper); background: var(--get); }
.method.post { background: var(--post); }
.path { padding: 0; background: none; font-size: 1rem; overflow-wrap: anywhere; }
.lock { padding: 0.02rem 0.5rem; border: 1px solid var(--line); border-radius: 1rem; font-size: 0.72rem; font-weight: 500; color: var(--faint); }
a { color: var(--accent); }
code { padding: 0.08em 0.32em; border-radius: 0.25rem; background: var(--panel); font: 0.87em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 1rem 0 0; padding: 0.8rem 1rem; overflow-x: auto; border-radius: 0.45rem; background: var(--panel); border: 1px solid var(--line); }
pre code { padding: 0; background: none; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
th { text-align: left; font-weight: 600; color: var(--faint); }
th, td { padding: 0.38rem 0.75rem 0.38rem 0; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
tr:first-child > td { border-top: 0; }
thead + tbody > tr:first-child > td { border-top: 1px solid var(--line); }
th { border-top: 0; }
td.name { width: 30%; }
td.status { width: 4rem; font-variant-numeric: tabular-nums; font-weight: 600; }
td a code { color: inherit; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.faint { color: var(--faint); font-size: 0.9em; }
.depth-1 { padding-left: 1rem; }
.depth-2 { padding-left: 2rem; }
.depth-3 { padding-left: 3rem; }
.depth-4 { padding-left: 4rem; }
@media (max-width: 60rem) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
}
@media print { nav { display: none; } body { display: block; } }
`;
