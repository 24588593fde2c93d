/**
 * Chromium: the browser in which the pages are tested.
 * Decides the Debian package and the names by which its program is found.
 * Run as a script, it installs what is missing and exits 1 when this machine cannot have it.
 */
import { ensurePeer, findProgram, runAsScript } from '../apt.mjs';

/** Debian's name first; Ubuntu's `chromium-browser` is a wrapper around a snap. */
const NAMES = ['chromium', 'chromium-browser'];

/** Where the program lies; undefined: not installed. */
export function chromiumPath() {
  return NAMES.map(findProgram).find((path) => path !== undefined);
}

/** @returns {{ ok: true } | { ok: false, reason: string }} */
export function ensureChromium() {
  if (chromiumPath() !== undefined) return { ok: true };
  return ensurePeer({
    programs: ['chromium'],
    // Without fonts a page of a screenshot is empty boxes.
    packages: ['chromium', 'fonts-dejavu-core'],
  });
}

runAsScript(import.meta.url, ensureChromium);
