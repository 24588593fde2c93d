/**
 * Suite: each role signs in, opens every page that it is offered, and is told when a page is not
 * for it. Decides what "well" means of a page: nothing on the console, no request to anybody else,
 * no serious finding of axe, nothing but settings in the browser's storage.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { demoAccounts, type DemoAccount } from '@aifi/access-embedded-provider';
import { seriousIssues } from './axe.js';
import type { ConsolePage } from './console-page.js';
import { arrive, FIRST_SITE, type World } from './world.js';

/** Signing in, six pages and axe on each, beside a stack on two cores. @unit ms */
export const VISIT_MS = 90_000;
const PATHS = {
  hub: ['/', '/sites', '/studies', '/models', '/approvals', '/audit'],
  gateway: [
    ...['/', '/status', '/reidentify', '/approvals', '/alerts', '/patient-flags', '/audit'],
    '/patient-extract',
  ],
} as const;
/** Settings of the page itself; anything else in the browser's storage would be a leak. */
const STORED = /^(aifi-language|mantine-color-scheme.*)$/;

/** First persons of each role, at the servers where they have something to do. */
function visits(): { readonly at: 'hub' | 'gateway'; readonly account: DemoAccount }[] {
  const first = ({ userName }: DemoAccount): boolean => !userName.includes('-2');
  const everybody = demoAccounts({ siteIds: [FIRST_SITE] }).filter(first);
  const ofSite = everybody.filter(({ siteIds }) => siteIds.length > 0);
  return [
    ...everybody.map((account) => ({ at: 'hub' as const, account })),
    ...ofSite.map((account) => ({ at: 'gateway' as const, account })),
  ];
}

export function rolesSuite(world: () => World): void {
  describe('by role, through the embedded provider', () => {
    let sut: ConsolePage | undefined;
    afterEach(async () => {
      await sut?.visitor.leave();
      sut = undefined;
    });

    it.each(visits().map(({ at, account }) => [account.userName, at, account] as const))(
      '%s signs in at the %s, opens every page and sees what is refused',
      async (_, at, account) => {
        sut = await arrive(world(), { at });
        await sut.signIn(account);
        expect(await lookAtPages(sut)).toEqual([]);
        await expectRefusal(sut, PATHS[at]);
        expect(await storedNames(sut)).toEqual([]);
        expect(sut.visitor.takeFaults()).toEqual([]);
      },
      VISIT_MS,
    );
  });
}

/** Faults and findings of every page that the navigation offers. */
export async function lookAtPages(sut: ConsolePage): Promise<string[]> {
  const offered = await sut.offered();
  const found: string[] = [];
  // Who has no page here sees one that says so.
  if (offered.length === 0) found.push(...(await seriousIssues(sut.page)));
  for (const { label } of offered) {
    await sut.follow(label);
    const issues = await seriousIssues(sut.page);
    found.push(...[...issues, ...sut.visitor.takeFaults()].map((line) => `${label}: ${line}`));
    const faults = await sut.page.getByText('This did not work').count();
    if (faults > 0) found.push(`${label}: ${await sut.main.innerText()}`);
  }
  return found;
}

async function expectRefusal(sut: ConsolePage, paths: readonly string[]): Promise<void> {
  const offered = (await sut.offered()).map(({ path }) => path);
  // The first page of a role stands at `/` or is gone to from there.
  const refused = paths.find((path) => path !== '/' && !offered.includes(path));
  if (refused === undefined) return;
  await sut.visitor.refused(() => sut.open(refused));
  expect([refused, await sut.heading.innerText()]).toEqual([refused, 'No access']);
}

async function storedNames({ page }: ConsolePage): Promise<string[]> {
  const names = (await page.evaluate(
    '[...Object.keys(localStorage), ...Object.keys(sessionStorage)]',
  )) as string[];
  return names.filter((name) => !STORED.test(name));
}
