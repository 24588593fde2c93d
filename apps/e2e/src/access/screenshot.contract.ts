/**
 * Suite: pages in both languages and both appearances, down to one study and one site, without a
 * fault or a serious finding of axe; and, when they are wanted, pictures of them for
 * docs/screenshots. Decides which pages are shown and as whom; those of two-person acts are in
 * their own suites.
 */
import { describe, expect, it } from '@jest/globals';
import { seriousIssues } from './axe.js';
import { buryResult } from './buried-result.js';
import type { ConsolePage } from './console-page.js';
import { isWanted, shoot } from './screenshots.js';
import { arrive, FIRST_SITE, person, type ArriveOptions, type World } from './world.js';

const STEP_MS = 60_000;
/** Labels of the sign-in in each language; everything else is reached by address. */
const SIGN_IN = {
  en: { link: 'Sign in', name: 'User name', password: 'Password', button: 'Sign in' },
  nl: { link: 'Aanmelden', name: 'Gebruikersnaam', password: 'Wachtwoord', button: 'Inloggen' },
} as const;

interface Picture {
  readonly name: string;
  readonly at: ArriveOptions['at'];
  readonly userName: string;
  readonly path: string;
  /** From a list to the first of its rows. */
  readonly opens?: { readonly row: string };
  /** A study whose result is undelivered on it; last, as it stays so. */
  readonly buries?: string;
}
const ofSite = (role: string): string => `${role}.${FIRST_SITE}`;
/** `<server>-<page>-<appearance>-<language>` */
const PICTURES: readonly Picture[] = [
  { name: 'hub-overview-light-en', at: 'hub', userName: 'central-operator', path: '/' },
  { name: 'hub-overview-dark-nl', at: 'hub', userName: 'central-operator', path: '/' },
  { name: 'hub-sites-light-nl', at: 'hub', userName: 'central-operator', path: '/sites' },
  {
    ...{ name: 'hub-site-dark-en', at: 'hub', userName: 'central-operator' },
    path: `/sites/${FIRST_SITE}`,
  },
  {
    ...{ name: 'hub-study-light-en', at: 'hub', userName: 'auditor', path: '/studies' },
    opens: { row: 'meshnet-tissue' },
  },
  { name: 'hub-no-access-light-nl', at: 'hub', userName: 'procurement', path: '/studies' },
  {
    ...{ name: 'gateway-studies-light-nl', at: 'gateway', path: '/' },
    userName: ofSite('radiologist'),
  },
  {
    ...{ name: 'gateway-studies-dark-en', at: 'gateway', path: '/' },
    userName: ofSite('hospital-it'),
  },
  {
    ...{ name: 'gateway-study-dark-nl', at: 'gateway', userName: ofSite('radiologist'), path: '/' },
    opens: { row: 'mr-slab' },
  },
  {
    ...{ name: 'gateway-status-light-en', at: 'gateway', path: '/status' },
    userName: ofSite('hospital-it'),
  },
  {
    ...{ name: 'gateway-dead-letters-dark-nl', at: 'gateway', path: '/dead-letters' },
    ...{ userName: ofSite('hospital-it'), buries: 't1-brain' },
  },
];

export function screenshotSuite(world: () => World): void {
  describe('a page in its language and appearance', () => {
    it.each(PICTURES.map((picture) => [picture.name, picture] as const))(
      '%s',
      async (name, picture) => {
        const sut = await come(world(), picture);
        expect(await seriousIssues(sut.page)).toEqual([]);
        expect(sut.visitor.takeFaults()).toEqual([]);
        if (isWanted()) await shoot(sut.page, name);
        await sut.visitor.leave();
      },
      STEP_MS,
    );
    it(
      'sign-in-light-nl',
      async () => {
        const sut = await arrive(world(), { at: 'hub', locale: 'nl-NL' });
        await sut.visitor.refused(async () => {
          await sut.page.goto(`${sut.url}/`);
          await sut.page.getByRole('link', { name: SIGN_IN.nl.link }).waitFor();
        });
        expect(await seriousIssues(sut.page)).toEqual([]);
        await sut.page.getByRole('link', { name: SIGN_IN.nl.link }).click();
        await sut.page.getByLabel(SIGN_IN.nl.name).waitFor();
        expect(await seriousIssues(sut.page)).toEqual([]);
        expect(sut.visitor.takeFaults()).toEqual([]);
        if (isWanted()) await shoot(sut.page, 'sign-in-light-nl');
        await sut.visitor.leave();
      },
      STEP_MS,
    );
  });
}

async function come(world: World, picture: Picture): Promise<ConsolePage> {
  const [colorScheme, language] = picture.name.split('-').slice(-2) as [
    'light' | 'dark',
    keyof typeof SIGN_IN,
  ];
  const locale = language === 'nl' ? 'nl-NL' : 'en-GB';
  const buried = world.runs.find(({ study: { name } }) => name === picture.buries);
  if (buried) buryResult(world.hospital, buried.study.studyInstanceUid);
  const sut = await arrive(world, { at: picture.at, locale, colorScheme });
  const { page } = sut;
  const words = SIGN_IN[language];
  const { userName, password } = person(picture.userName);
  // Who is not signed in is told so by a 401.
  await sut.visitor.refused(async () => {
    await page.goto(`${sut.url}${picture.path}`);
    await page.getByRole('link', { name: words.link }).click();
  });
  await page.getByLabel(words.name).fill(userName);
  await page.getByLabel(words.password).fill(password);
  await page.getByRole('button', { name: words.button }).click();
  await page.waitForURL(({ origin }) => origin === sut.url);
  await page.getByRole('banner').waitFor();
  await sut.settled();
  if (picture.opens) await openRow(world, sut, picture);
  return sut;
}

async function openRow(world: World, sut: ConsolePage, { at, opens }: Picture): Promise<void> {
  const { page } = sut;
  const { study } = world.runs.find(({ study: { name } }) => name === opens?.row) ?? {};
  const address = `/studies/${study?.studyInstanceUid}`;
  // At the hub a row is known by its product, at the gateway by its study.
  const row =
    at === 'hub'
      ? page.getByRole('row').filter({ hasText: opens?.row ?? '' })
      : page.getByRole('row').filter({ has: page.locator(`a[href="${address}"]`) });
  await row.first().getByRole('link').first().click();
  await page.waitForURL(/\/studies\/\d/);
  await sut.settled();
}
