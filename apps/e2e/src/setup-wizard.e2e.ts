/**
 * Goal: a newcomer goes from a gateway that knows no hub and no PACS to a tested Orthanc with the
 * set-up page alone; a closed port and a wrong AE title each get a sentence that says what to ask;
 * the page is usable by everybody, in light and dark.
 * Method: real Chromium, hub, gateway and Orthanc; the token comes from the hub's operator.
 */
import { chromium, type Browser, type Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { hubRoutes, setupViewSchema, type SetupCheck } from '@aifi/contracts-rest';
import { Stack, type Hospital } from '@aifi/demo';
import { freePorts, hasPeers } from '@aifi/shared-testing';
import { chromiumPath, ensureChromium } from '../../../deploy/services/chromium/install.mjs';
import { seriousIssues } from './access/axe.js';
import { ConsolePage } from './access/console-page.js';
import { embeddedPages } from './access/provider-pages.js';
import { Visitor } from './access/visitor.js';
import { originsOf, person } from './access/world.js';
import { SignedIn } from './signed-in.js';

const SITE = 'site-a';
const START_MS = 240_000;
/** Checks with a commitment that never comes, on a machine with other work. @unit ms */
const CHECKS_MS = 90_000;
const HOSPITAL_IT = person(`hospital-it.${SITE}`);
// In CI a missing browser is a failure, not a skip.
const hasBrowser = ensureChromium().ok || process.env['CI'] === 'true';
const suite = hasPeers('Orthanc') && hasBrowser ? describe : describe.skip;
jest.setTimeout(180_000);

/** Of a gateway that is starting anew; Jest's own limit ends a wait for what never comes. */
async function untilItWorks<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    const done = await work().then(
      (value) => ({ value }),
      () => undefined,
    );
    if (done) return done.value;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

suite('set-up', () => {
  let stack: Stack;
  let hospital: Hospital;
  let browser: Browser;
  let sut: ConsolePage;
  let closedPort: number;

  beforeAll(async () => {
    const [port] = await freePorts(1);
    closedPort = port!;
    // No certificate files: what is undefined is not in the configuration of the process.
    const noFiles = {
      ...{ caFile: undefined, certificateFile: undefined, keyFile: undefined },
      signingPublicKeyFile: undefined,
    };
    stack = await Stack.start({
      ...{ siteIds: [SITE], environment: process.env },
      gatewaySettings: () => ({
        ...{ hub: noFiles, pacs: { port: closedPort, calledAeTitle: 'CHANGE_ME' } },
      }),
    });
    hospital = stack.parts.hospitals[0]!;
    const args = ['--no-sandbox', '--disable-background-networking', '--no-first-run'];
    browser = await chromium.launch({ executablePath: chromiumPath() ?? '', args });
    const visitor = await Visitor.arrive({ browser, origins: originsOf(stack) });
    sut = new ConsolePage(visitor, hospital.gateway.server.url, embeddedPages);
    await sut.signIn(HOSPITAL_IT, '/setup');
  }, START_MS);
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  }, START_MS);

  const check = (name: SetupCheck): Locator => sut.page.locator(`[data-check="${name}"]`);
  const field = (name: string | RegExp): Locator => sut.main.getByLabel(name);
  /** All checks, to their end. */
  async function checkAll(): Promise<void> {
    // The last of them; one that is quick is never seen to be under way.
    const last = check('inbound');
    const before = await last.getAttribute('data-at');
    await sut.button('Check all').click();
    await sut.page
      .locator(`[data-check="inbound"]:not([data-at="${before ?? ''}"])[data-at]`)
      .waitFor({ timeout: CHECKS_MS });
    await sut.main.getByText('Checking …').waitFor({ state: 'hidden' });
  }

  it('joins the hub with a token of its operator', async () => {
    await sut.main.getByText('has not joined yet').waitFor();
    const operator = await SignedIn.open(stack.parts.hubServer.url, 'central-operator');
    const path = `/api/v1/sites/${SITE}/join-tokens`;
    const { token } = await operator.order(path, { gateway: 1 }, hubRoutes.issueJoinToken.response);
    await sut.link('To the link page').click();
    await sut.settled();
    await sut.button('Join').click();
    await sut.stepUp(HOSPITAL_IT);
    await sut.button('Join').click();
    const dialog = sut.page.getByRole('dialog');
    await dialog.getByLabel('Token').fill(token);
    await dialog.getByRole('button', { name: 'Join' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await sut.follow('Set-up');
    await sut.main.getByText('This gateway has joined the hub.').waitFor();
  });

  it('is told that the port is closed, and what to ask', async () => {
    await checkAll();
    const echo = check('echo');
    expect(await echo.getAttribute('data-state')).toBe('failed');
    const words = await echo.innerText();
    expect(words).toContain(`Nothing listens on TCP port ${closedPort} of 127.0.0.1.`);
    expect(words).toContain('Ask the PACS vendor on which port the PACS takes DICOM');
  });

  it('is told that the AE title is wrong, before anything is applied', async () => {
    await sut.button('Change the PACS').click();
    await field('DICOM port').fill(String(hospital.ports.pacsDicom));
    await checkAll();
    expect(await check('echo').innerText()).toContain('is not called CHANGE_ME');
    expect(await check('echo').innerText()).toContain('case matters');
  });

  it('finds that the right PACS takes and lists test objects, once it may', async () => {
    await field('AE title of the PACS').fill(`PACS_${SITE.toUpperCase()}`);
    await field(/^Test objects/).selectOption('yes');
    await checkAll();
    expect(await check('echo').getAttribute('data-state')).toBe('passed');
    const stored = await check('store').innerText();
    expect(stored).toContain('patient AIFI^TEST, number AIFI-TEST');
    expect(await check('find').getAttribute('data-state')).toBe('passed');
    expect(await check('commitment').innerText()).toContain('may not report here yet');
  });

  it('looks at what changes and applies it; the gateway starts anew by itself', async () => {
    await sut.button('Show what changes').click();
    await sut.main.getByText(`pacs.calledAeTitle: CHANGE_ME → PACS_SITE-A`).waitFor();
    await sut.visitor.refused(async () => {
      await sut.button('Apply').click();
      await sut.main.getByText('starts anew with the new settings').waitFor();
    });
    const { pacs, overlay } = await untilItWorks(async () => {
      const again = await SignedIn.open(sut.url, HOSPITAL_IT.userName);
      const view = await again.get('/api/v1/setup', setupViewSchema);
      if (view.pacs.calledAeTitle === 'CHANGE_ME') throw new Error('not yet');
      return view;
    });
    expect(pacs).toMatchObject({ port: hospital.ports.pacsDicom, calledAeTitle: 'PACS_SITE-A' });
    expect(overlay).toMatchObject({ canUndo: true, rolledBackAtMs: null });
    // What the page asked while nobody answered.
    sut.visitor.takeFaults();
    await sut.open('/setup');
    await sut.main.getByText('PACS_SITE-A', { exact: true }).first().waitFor();
    await sut.button('Back to the settings before').waitFor();
  });

  it('is in order with the PACS in force, which reports that it keeps the test objects', async () => {
    await field(/^Test objects/).selectOption('yes');
    await checkAll();
    for (const name of ['echo', 'find', 'commitment', 'inbound'] as const) {
      expect([name, await check(name).getAttribute('data-state')]).toEqual([name, 'passed']);
    }
  });

  it('probes all the way', async () => {
    // Rules come with the link, which was just opened anew.
    await untilItWorks(async () => {
      await sut.button('Probe now').click();
      await sut.main.getByText('All went well').waitFor({ timeout: 3_000 });
    });
  });

  it.each(['light', 'dark'] as const)('has no serious issue for anybody (%s)', async (scheme) => {
    await sut.page.emulateMedia({ colorScheme: scheme });
    await sut.open('/setup');
    await check('echo').waitFor();
    expect(await seriousIssues(sut.page)).toEqual([]);
    expect(sut.visitor.takeFaults()).toEqual([]);
  });
});
