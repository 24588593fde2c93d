/**
 * Looks at every page: screenshots, axe, console and requests, in each language, scheme and width.
 * `node tools/look.mjs <folder> [name]`: pictures go to the folder; `name` chooses some pages.
 * Exit 1 for a serious or critical issue, a console error, or a request to another origin.
 * Source: acceptance of the pages (WCAG 2.2 AA, no console error, nothing leaves the machine).
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startDevServer } from './dev-server.mjs';
import { GATEWAY_JOB, GATEWAY_STUDY, HELD } from './fake-gateway.mjs';
import { STUDY } from './fake-hub.mjs';

const [folder = 'dist/look', only] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const EXECUTABLE = process.env.AIFI_CHROMIUM ?? '/usr/bin/chromium';

const click = (name) => (page) => page.getByRole('button', { name }).first().click();
/** Page, path, who, and what to do there first. */
const SCENES = [
  ['hub', 'overview', '/', 'operator'],
  ['hub', 'sites', '/sites', 'operator'],
  ['hub', 'site', '/sites/noord', 'operator', click(/table|tabel/)],
  ['hub', 'studies', '/studies', 'operator'],
  [
    'hub',
    'study',
    `/sites/noord/studies/${STUDY}`,
    'operator',
    click(/^(Show image|Beeld tonen): 1/),
  ],
  ['hub', 'study-closed', '/sites/noord/studies/2.25.123', 'operator', click(/^Ask|^Toegang/)],
  ['hub', 'study-step-up', '/sites/noord/studies/2.25.123', 'operator!', click(/^Ask|^Toegang/)],
  ['hub', 'models', '/models', 'operator'],
  ['hub', 'approvals', '/approvals', 'operator'],
  ['hub', 'approval', '/approvals', 'operator', click(/^(Decide|Beslissen):/)],
  ['hub', 'audit', '/audit', 'auditor'],
  ['hub', 'audit-details', '/audit', 'auditor', click(/^Details:/)],
  ['hub', 'not-found', '/nowhere', 'operator'],
  ['hub', 'no-access', '/audit', 'procurement'],
  ['gateway', 'studies', '/', 'radiologist'],
  ['gateway', 'open', '/', 'radiologist', click(/^(Open identity|Identiteit openen):/)],
  ['gateway', 'study', `/studies/${GATEWAY_STUDY}`, 'it'],
  ['gateway', 'status', '/status', 'it'],
  ['gateway', 'letters', '/dead-letters', 'it'],
  ['gateway', 'letters-reader', '/dead-letters', 'privacy'],
  ['gateway', 'letters-one', '/dead-letters', 'it', click(/^(Send again|Opnieuw sturen):/)],
  ['gateway', 'letters-all', '/dead-letters', 'it', click(/^(Send all|Alle opnieuw)/)],
  ['gateway', 'holds', '/pixel-holds', 'it'],
  ['gateway', 'holds-reader', '/pixel-holds', 'privacy'],
  ['gateway', 'hold', `/pixel-holds/${HELD}`, 'it'],
  ['gateway', 'hold-left', `/pixel-holds/${HELD}`, 'radiologist', seeSome],
  ['gateway', 'hold-seen', `/pixel-holds/${HELD}`, 'radiologist', seeImages],
  ['gateway', 'hold-step-up', `/pixel-holds/${HELD}`, 'radiologist!'],
  ['gateway', 'study-retry', `/studies/${GATEWAY_STUDY}`, 'it', click(/^(Try|Opnieuw)/)],
  ['gateway', 'recall', '/recall', 'it', findResults],
  ['gateway', 'erasure', '/erasure', 'privacy', findPatient],
  [
    ...['gateway', 'reidentify', `/reidentify/${GATEWAY_JOB}`, 'it'],
    click(/^Show whose|^Tonen van wie/),
  ],
  ['gateway', 'approvals', '/approvals', 'privacy'],
  ['gateway', 'flags', '/patient-flags', 'privacy', click(/^Mask a|^Een patiënt/)],
  ['gateway', 'alerts', '/alerts', 'privacy'],
  ['gateway', 'audit', '/audit', 'privacy'],
  ['gateway', 'extract', '/patient-extract', 'privacy', makeExtract],
  ['gateway', 'no-pages', '/', 'referrer'],
  ['gateway', 'signed-out', '/', 'nobody'],
];
async function seeSome(page) {
  await page.getByRole('button', { name: /^Show the|^Beelden tonen/ }).click();
  await page.locator('.aifi-held img').waitFor();
  await page.getByRole('button', { name: /^Next still|^Volgende nog/ }).click();
  await page.locator('.aifi-held rect').first().waitFor();
}
async function seeImages(page) {
  await seeSome(page);
  const next = page.getByRole('button', { name: /^Next still|^Volgende nog/ });
  while (await next.isEnabled()) {
    await next.click();
    await page.waitForFunction(() => {
      const picture = globalThis.document.querySelector('.aifi-held img');
      return picture?.complete && picture.naturalWidth > 0;
    });
  }
  await page.getByRole('button', { name: /^Release|^Vrijgeven/ }).waitFor();
}
async function findResults(page) {
  await page.getByRole('textbox').first().fill('bone-age');
  await page.getByRole('button', { name: /^Find|^Apply|^Toepassen/ }).click();
  await page.getByRole('table').waitFor();
}
async function findPatient(page) {
  await page.getByRole('textbox').first().fill('004711');
  await page.getByRole('textbox').nth(1).fill('ziekenhuis');
  await page.getByRole('button', { name: /^Show the code|^Code tonen/ }).click();
  await page.getByRole('combobox').waitFor();
}
async function makeExtract(page) {
  await page.getByRole('textbox').fill('004711');
  await page.getByRole('button', { name: /^Make|^Overzicht/ }).click();
  await page.locator('pre').waitFor();
}
const LOOKS = [
  { language: 'nl', scheme: 'light', width: 1280 },
  { language: 'en', scheme: 'dark', width: 1280 },
  { language: 'en', scheme: 'light', width: 390 },
  { language: 'nl', scheme: 'dark', width: 390 },
];

let faults = 0;
const fault = (scene, text) => {
  faults += 1;
  console.log(`${scene}: ${text}`);
};

async function lookAt(browser, [app, name, path, person, act], look) {
  const who = person.replace('!', '');
  const scene = `${app}-${name}-${look.language}-${look.scheme}-${look.width}`;
  const isSignedIn = who !== 'nobody';
  const server = await startDevServer({
    ...{ page: app, who, isSignedIn, isFresh: !person.endsWith('!') },
  });
  const context = await browser.newContext({
    ...{ viewport: { width: look.width, height: 900 }, locale: look.language },
    ...{ colorScheme: look.scheme, timezoneId: 'Europe/Amsterdam', reducedMotion: 'reduce' },
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    // A browser writes each 401 to its console; the page itself shows the way to sign in.
    if (message.type() !== 'error' || (!isSignedIn && /401/.test(message.text()))) return;
    fault(scene, message.text());
  });
  page.on('pageerror', (error) => fault(scene, String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) {
      fault(scene, `asked ${request.url()}`);
    }
  });
  await page.goto(server.url + path);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('load');
  await page.locator('.mantine-Loader-root').first().waitFor({ state: 'detached' });
  if (act) await act(page);
  await page.waitForTimeout(350);
  await page.screenshot({ path: join(folder, `${scene}.png`), fullPage: true });
  const cdp = await context.newCDPSession(page);
  await cdp.send('Page.setBypassCSP', { enabled: true });
  await page.evaluate(axe);
  const tags = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']";
  const { violations } = await page.evaluate(`axe.run({ runOnly: ${tags} })`);
  for (const { id, impact, nodes } of violations) {
    const text = `axe ${impact} ${id}: ${nodes[0].target} (${nodes.length})`;
    if (impact === 'serious' || impact === 'critical') fault(scene, text);
    else console.log(`${scene}: ${text} (no failure)`);
  }
  const root = 'document.documentElement';
  const wide = await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`);
  if (wide > 0) fault(scene, `the page itself is ${wide} px too wide`);
  await context.close();
  await server.close();
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] });
for (const scene of SCENES.filter(([app, name]) => !only || `${app}-${name}`.includes(only))) {
  for (const look of LOOKS) await lookAt(browser, scene, look);
}
await browser.close();
console.log(faults === 0 ? 'no faults' : `${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
