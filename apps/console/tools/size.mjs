/**
 * First load of each page: what the browser must fetch before it shows anything.
 * Decides that index, entry, its static imports and their CSS are at most 300 kB, gzipped each;
 * lazy parts are listed and do not count. Exit 1 above it.
 * Source: acceptance of the pages ("first load <= 300 kB gzip").
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** kB as a person reads it: 1000 bytes. @unit bytes */
const FIRST_LOAD_BYTES_MAX = 300_000;
const dist = join(import.meta.dirname, '..', 'dist');
const gzipBytes = (file) => gzipSync(readFileSync(file)).length;

/** The entry and everything that it imports without being asked. */
function firstLoad(folder) {
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  const found = new Set(['index.html']);
  const add = (address) => {
    const name = address.replace(/^\//, '');
    if (found.has(name)) return;
    found.add(name);
    if (!name.endsWith('.js')) return;
    const text = readFileSync(join(folder, name), 'utf8');
    for (const [, path] of text.matchAll(/(?:import|from)\s*["']\.\/([^"']+\.js)["']/g)) {
      add(`assets/${path}`);
    }
  };
  for (const [, address] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) add(address);
  return found;
}

let isTooLarge = false;
for (const page of ['hub', 'gateway']) {
  const folder = join(dist, page);
  if (!existsSync(folder)) throw new Error(`build ${page} first`);
  const first = firstLoad(folder);
  const bytes = [...first].reduce((sum, name) => sum + gzipBytes(join(folder, name)), 0);
  const all = readdirSync(join(folder, 'assets')).map((name) => `assets/${name}`);
  const lazy = all.filter((name) => !first.has(name));
  const lazyBytes = lazy.reduce((sum, name) => sum + gzipBytes(join(folder, name)), 0);
  const kilobytes = (value) => `${(value / 1000).toFixed(1)} kB`;
  console.log(`${page}: first load ${kilobytes(bytes)} gzip in ${first.size} files`);
  console.log(`${page}: later ${kilobytes(lazyBytes)} gzip in ${lazy.length} files`);
  if (bytes > FIRST_LOAD_BYTES_MAX) isTooLarge = true;
}
if (isTooLarge) {
  console.error(`first load is above ${FIRST_LOAD_BYTES_MAX} bytes gzip`);
  process.exitCode = 1;
}
