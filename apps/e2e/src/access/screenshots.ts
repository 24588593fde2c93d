/**
 * Screenshots: pictures of the pages for docs/screenshots, made by the tests themselves.
 * Decides their names and that they are made only on demand (AIFI_SCREENSHOTS=1), so that a test
 * run changes no file of the checkout. Invariant: nothing in them is of a real person; each stays
 * below 300 kB.
 */
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';

const FOLDER = fileURLToPath(new URL('../../../../docs/screenshots/', import.meta.url));
/** @unit bytes */
const BYTES_MAX = 300_000;

export const isWanted = (): boolean => process.env['AIFI_SCREENSHOTS'] === '1';

/** Notices of what was done before cover the page. */
const CLOSE_NOTICE = /^(Close|Sluiten)$/;

/** Writes docs/screenshots/<name>.png: what is visible of the page. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (!isWanted()) return;
  mkdirSync(FOLDER, { recursive: true });
  const notices = page.getByRole('status').getByRole('button', { name: CLOSE_NOTICE });
  for (const button of await notices.all()) await button.click();
  const path = `${FOLDER}${name}.png`;
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  const { size } = statSync(path);
  if (size > BYTES_MAX) throw new Error(`the screenshot ${name} has ${size} bytes`);
}

/** What of an element of the page is used here; its types are the browser's. */
interface Scrolled {
  scrollIntoView(where: { readonly block: 'start' }): void;
  readonly ownerDocument: { readonly defaultView: { scrollBy(x: number, y: number): void } };
}

/** Scrolls so that this stands at the top, below the header of the page. */
export async function bringToTop(element: Locator): Promise<void> {
  await element.evaluate((it: unknown) => {
    (it as Scrolled).scrollIntoView({ block: 'start' });
    (it as Scrolled).ownerDocument.defaultView.scrollBy(0, -80);
  });
}
