/**
 * Axe: what axe-core finds on a page as it stands.
 * Decides that `serious` and `critical` count, by the rules of WCAG 2.2 A and AA and the best
 * practices of axe. Invariant: the rules run in the page without weakening its policy; the source
 * comes from the package of this checkout. Source: WCAG 2.2; axe-core API.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const COUNTED: readonly (string | null | undefined)[] = ['serious', 'critical'];
const OPTIONS: RunOptions = {
  resultTypes: ['violations'],
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
};

/** One line per rule that is broken seriously; empty when none is. */
export async function seriousIssues(page: Page): Promise<string[]> {
  // Evaluated by the debugger: neither a script element nor `eval` of the page.
  await page.evaluate(SOURCE);
  const run = `axe.run(document, ${JSON.stringify(OPTIONS)})`;
  const { violations } = (await page.evaluate(run)) as AxeResults;
  return violations
    .filter(({ impact }) => COUNTED.includes(impact))
    .map(({ id, help, nodes }) => {
      const where = nodes.slice(0, 3).map(({ target }) => target.join(' '));
      return `${id} (${help}) at ${where.join(', ')}${nodes.length > 3 ? ', ...' : ''}`;
    });
}
