/**
 * Style of the provider's own pages, served as one file.
 * Decides a single column that reads on a phone, light and dark as the system asks.
 * Invariants: text has a contrast of 4.5:1 at least, borders of fields 3:1, targets 44 px; the
 * focus is always visible. Source: WCAG 2.2 AA (1.4.3, 1.4.11, 2.4.11, 2.5.8).
 */
import { createHash } from 'node:crypto';

export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #eef2f6; --card: #ffffff; --text: #16202b; --quiet: #4a5866; --line: #d5dde5;
  --field: #75828f; --accent: #0b5cad; --on-accent: #ffffff; --alert: #a11515;
  --alert-ground: #fdecec; --note: #5c4300; --note-ground: #fff3cd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10161c; --card: #1a232c; --text: #e9eef3; --quiet: #aebbc8; --line: #33414e;
    --field: #8b9aa8; --accent: #84bfff; --on-accent: #0c1b2a; --alert: #ffb4b4;
    --alert-ground: #4a1c1c; --note: #ffe29a; --note-ground: #3d3110;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
}
.note {
  margin: 0; padding: 0.65rem 1rem; text-align: center; font-weight: 600;
  background: var(--note-ground); color: var(--note);
}
main { max-width: 44rem; margin: 2.5rem auto; padding: 0 1rem; }
.card {
  padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem;
  box-shadow: 0 1px 3px rgb(0 0 0 / 12%);
}
.card + .card { margin-top: 1rem; }
.platform { margin: 0; color: var(--quiet); font-weight: 600; letter-spacing: 0.01em; }
h1 { margin: 0.1rem 0 1.2rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 0; font-size: 1.15rem; }
h3 { margin: 1.4rem 0 0.4rem; font-size: 0.95rem; color: var(--quiet); }
p { margin: 0 0 1rem; }
label { display: block; margin: 0 0 0.3rem; font-weight: 600; }
input:not([type='hidden']) {
  width: 100%; min-height: 2.75rem; margin: 0 0 1rem; padding: 0.5rem 0.75rem; font: inherit;
  color: var(--text); background: var(--card); border: 1px solid var(--field);
  border-radius: 0.5rem;
}
input[readonly] { background: var(--ground); }
input.code { font-size: 1.4rem; letter-spacing: 0.15em; text-transform: uppercase; }
button {
  min-height: 2.75rem; padding: 0.5rem 1.25rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent);
  border-radius: 0.5rem;
}
button.quiet { color: var(--text); background: transparent; border-color: var(--field); }
.actions { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.alert {
  margin: 0 0 1.2rem; padding: 0.75rem 1rem; border-radius: 0.5rem; border-left: 4px solid;
  color: var(--alert); background: var(--alert-ground);
}
code { font: 600 1em/1.5 ui-monospace, 'Cascadia Mono', Menlo, monospace; }
code.large { display: block; margin: 0 0 1.2rem; font-size: 1.8rem; letter-spacing: 0.12em; }
ul.people {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 0.5rem;
  margin: 0; padding: 0; list-style: none;
}
ul.people a {
  display: block; min-height: 2.75rem; padding: 0.45rem 0.75rem; color: var(--text);
  text-decoration: none; border: 1px solid var(--line); border-radius: 0.5rem;
}
ul.people a:hover, ul.people a[aria-current] { border-color: var(--accent); }
ul.people a[aria-current] { box-shadow: inset 0 0 0 1px var(--accent); }
ul.people strong, ul.people span { display: block; }
ul.people span { color: var(--quiet); font-size: 0.9rem; overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-width: 30rem) { main { margin: 1rem auto; } .card { padding: 1.25rem; } }
`;

/** Its name changes with its content, so browsers may keep it. */
export const STYLE_PATH = `/assets/provider-${createHash('sha256')
  .update(PAGE_STYLE)
  .digest('hex')
  .slice(0, 16)}.css`;
