/**
 * Suite: aifictl against the running stack: a person signs in by a code in a browser, asks as
 * somebody, and verifies a trail that the hub has exported. Method: the program as a process with a
 * folder of its own for what it keeps; the code is confirmed in Chromium.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { embeddedPages, type Person } from './provider-pages.js';
import { Visitor } from './visitor.js';
import { FIRST_SITE, originsOf, person, type World } from './world.js';

const PROGRAM = join(import.meta.dirname, '../../../aifictl/bin/aifictl.mjs');
const STEP_MS = 60_000;

interface Ended {
  readonly code: number;
  readonly out: string;
}

export function commandLineSuite(world: () => World): void {
  describe('aifictl', () => {
    let folder: TemporaryFolder;
    const hubUrl = (): string => world().stack.parts.hubServer.url;
    beforeAll(() => {
      folder = temporaryFolder('aifictl');
    });
    afterAll(() => folder?.remove());

    const aifictl = (words: readonly string[]): Promise<Ended> =>
      runProgram(words, folder.path).ended;
    /** The code that is shown is confirmed in a browser, signed in as that person. */
    async function login(who: Person, ...more: string[]): Promise<Ended> {
      const run = runProgram(['login', '--hub', hubUrl(), ...more], folder.path);
      await confirm(world(), who, await run.address);
      return run.ended;
    }

    it(
      'is nobody before it has signed in, and says what to do',
      async () => {
        const { code, out } = await aifictl(['studies', '--hub', hubUrl()]);
        expect([code, out]).toEqual([
          1,
          `! the hub at ${hubUrl()} asks who you are: sign in with aifictl login\n`,
        ]);
      },
      STEP_MS,
    );
    it(
      'signs in by a code and keeps what it needs for its user alone',
      async () => {
        const { code, out } = await login(person('central-operator'));
        expect([code, out]).toEqual([0, expect.stringContaining('central-operator')]);
        const kept = join(folder.path, 'aifictl');
        const [file, ...others] = readdirSync(kept);
        expect([statSync(join(kept, file!)).mode & 0o777, others]).toEqual([0o600, []]);
        const whoami = await aifictl(['whoami', '--hub', hubUrl()]);
        expect(whoami.out).toContain(`at the hub ${hubUrl()} (demonstration): central-operator`);
      },
      STEP_MS,
    );
    it(
      'lists studies and searches the trail as that person, and is refused what is not for it',
      async () => {
        const filters = ['--site', FIRST_SITE, '--json', '--hub', hubUrl()];
        const studies = JSON.parse((await aifictl(['studies', ...filters])).out) as {
          items: { siteId: string; product: string }[];
        };
        expect(studies.items.map(({ product }) => product).sort()).toEqual([
          'fracture-stand-in',
          'meshnet-tissue',
        ]);
        const search = ['audit', 'search', '--act', 'study-list.read', '--json'];
        const { out } = await aifictl([...search, '--hub', hubUrl()]);
        const { items } = JSON.parse(out) as { items: { userId: string }[] };
        expect(items[0]?.userId).toBe('demo-central-operator');
        const exported = await aifictl(['audit', 'export', '--hub', hubUrl()]);
        expect([exported.code, exported.out]).toEqual([1, expect.stringContaining('refuses')]);
      },
      STEP_MS,
    );
    it(
      'exports a trail with its anchors, and finds out when a record was changed',
      async () => {
        const [trail, anchors] = [join(folder.path, 'trail'), join(folder.path, 'anchors')];
        const order = ['audit', 'export', '--hub', hubUrl(), '--out', trail, '--anchors', anchors];
        expect((await login(person('auditor'))).code).toBe(0);
        expect((await aifictl(order)).out).toContain('aifictl login --step-up');
        expect((await login(person('auditor'), '--step-up')).code).toBe(0);
        const exported = await aifictl(order);
        expect([exported.code, exported.out]).toEqual([0, expect.stringContaining('sha256')]);
        expect(statSync(trail).mode & 0o777).toBe(0o600);
        const verify = ['audit', 'verify', trail, '--anchors', anchors];
        expect(await aifictl(verify)).toMatchObject({
          code: 0,
          out: expect.stringContaining('whole'),
        });
        const text = readFileSync(trail, 'utf8');
        writeFileSync(trail, text.replace('demo-central-operator', 'demo-nobody'));
        expect(await aifictl(verify)).toMatchObject({
          code: 1,
          out: expect.stringContaining('is not what was written'),
        });
      },
      STEP_MS,
    );
    it(
      'forgets a sign-in',
      async () => {
        await aifictl(['logout', '--hub', hubUrl()]);
        expect(readdirSync(join(folder.path, 'aifictl'))).toEqual([]);
      },
      STEP_MS,
    );
  });
}

/** Starts the program; `address` is the one that it shows to sign in at. */
function runProgram(
  words: readonly string[],
  configFolder: string,
): { readonly ended: Promise<Ended>; readonly address: Promise<string> } {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    env: { PATH: process.env['PATH'], XDG_CONFIG_HOME: configFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, error] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  const address = new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      error += String(chunk);
      const [, shown] = /open\n\s+(\S+)\n/.exec(error) ?? [];
      if (shown !== undefined) resolve(shown);
    });
    child.once('close', () => reject(new Error(`ended without an address: ${out}${error}`)));
  });
  // Only a sign-in shows one.
  address.catch(() => undefined);
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), out }));
  return { ended, address };
}

async function confirm({ browser, stack }: World, who: Person, address: string): Promise<void> {
  const visitor = await Visitor.arrive({ browser, origins: originsOf(stack) });
  const { page } = visitor;
  await page.goto(address);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Is this the code that you see?' }).waitFor();
  await page.getByRole('button', { name: 'Continue' }).click();
  await embeddedPages.signIn(page, who);
  await page.getByRole('heading', { name: 'Connected' }).waitFor();
  expect(visitor.takeFaults()).toEqual([]);
  await visitor.leave();
}
