/**
 * Suite: each role signs in, opens every page that it is offered, and is told when a page is not
 * for it. Decides what "well" means of a page: nothing on the console, no request to anybody else,
 * no serious finding of axe, nothing but settings in the browser's storage.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { cellOf, type AccessObject, type Letter, type Role } from '@aifi/access-authorisation';
import { demoAccounts, type DemoAccount } from '@aifi/access-embedded-provider';
import { seriousIssues } from './axe.js';
import type { ConsolePage } from './console-page.js';
import { arrive, FIRST_SITE, type World } from './world.js';

/** Signing in, six pages and axe on each, beside a stack on two cores. @unit ms */
export const VISIT_MS = 90_000;
/** Address, what of the access table leads there, and with which letter (R unless said). */
type PageRow = readonly [path: string, object: AccessObject, letter?: Letter];
const hubPages: readonly PageRow[] = [
  ['/', 'gateway-health'],
  ['/sites', 'gateway-health'],
  ['/studies', 'study-trace'],
  ['/models', 'models'],
  ['/approvals', 'approvals'],
  ['/audit', 'audit-log'],
];
const gatewayPages: readonly PageRow[] = [
  ['/', 'hospital-studies'],
  ['/status', 'gateway-health'],
  ['/setup', 'gateway-health'],
  ['/link', 'gateway-health'],
  ['/dead-letters', 'dead-letters'],
  ['/reconciliation', 'missed-studies'],
  ['/pixel-holds', 'pixel-holds'],
  ['/reidentify', 'linkage', 'W'],
  ['/approvals', 'approvals'],
  ['/catalogue', 'procedure-catalogue'],
  ['/objections', 'objections'],
  ['/alerts', 'privacy-alerts'],
  ['/patient-flags', 'patient-flags'],
  ['/recall', 'results-register'],
  ['/erasure', 'vault-erasure', 'A'],
  ['/audit', 'audit-log'],
  ['/patient-extract', 'patient-extract'],
];
/** In the order of the navigation. */
const PAGES = { hub: hubPages, gateway: gatewayPages };
type At = keyof typeof PAGES;
/** Settings of the page itself; anything else in the browser's storage would be a leak. */
const STORED = /^(aifi-language|mantine-color-scheme.*)$/;

/** First persons of each role, at the servers where they have something to do. */
function visits(): { readonly at: At; readonly account: DemoAccount }[] {
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
        const expected = pathsOf(at, account.roles);
        expect((await sut.offered()).map(({ path }) => path)).toEqual(expected);
        expect(await lookAtPages(sut)).toEqual([]);
        await expectRefusal(sut, at);
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

/** What the access table gives to the roles of a person. */
function pathsOf(at: At, roles: readonly Role[]): string[] {
  const may = (object: AccessObject, letter: Letter): boolean =>
    roles.some((role) => cellOf(object, role)?.letters.includes(letter));
  return PAGES[at].filter(([, object, letter = 'R']) => may(object, letter)).map(([path]) => path);
}

/** Opens a page that is not offered; who is offered every page has none to be refused. */
export async function expectRefusal(sut: ConsolePage, at: At): Promise<void> {
  const offered = (await sut.offered()).map(({ path }) => path);
  // `/` leads everybody to the first page that there is.
  const refused = PAGES[at].map(([path]) => path).filter((path) => path !== '/');
  const path = refused.find((one) => !offered.includes(one));
  if (path === undefined) return expect(offered).toHaveLength(PAGES[at].length);
  await sut.visitor.refused(() => sut.open(path));
  expect([path, await sut.heading.innerText()]).toEqual([path, 'No access']);
}

async function storedNames({ page }: ConsolePage): Promise<string[]> {
  const names = (await page.evaluate(
    '[...Object.keys(localStorage), ...Object.keys(sessionStorage)]',
  )) as string[];
  return names.filter((name) => !STORED.test(name));
}
