/**
 * World: one stack with studies that went their way, and one browser for everybody.
 * Decides what is there to be looked at: at the first hospital every demo study, at the second one
 * radiograph. Invariant: everybody gets a context of their own; the browser can reach this machine
 * only, so that a request that leaves it fails and is seen.
 */
import { chromium, type Browser } from 'playwright-core';
import { DEMO_PASSWORD } from '@aifi/access-embedded-provider';
import {
  DEMO_DATA_FOLDER,
  demoStudies,
  deviations,
  followStudies,
  Stack,
  type Hospital,
  type StudyRun,
} from '@aifi/demo';
import { chromiumPath } from '../../../../deploy/services/chromium/install.mjs';
import { ConsolePage } from './console-page.js';
import { embeddedPages, type Person } from './provider-pages.js';
import { Visitor } from './visitor.js';

export const [FIRST_SITE, SECOND_SITE] = ['site-a', 'site-b'] as const;
/** Names of the other registrable domain; the browser finds them on this machine. */
export const [LOGIN_NAME, HUB_NAME] = ['login.ziekenhuis.example', 'hub.aifi.example'] as const;

const DEADLINE_MS = 240_000;
/** Short, yet longer than a sender stalls on a loaded machine: a study stays one. @unit ms */
const QUIET_MS = 2_000;

export interface World {
  readonly stack: Stack;
  readonly browser: Browser;
  readonly runs: readonly StudyRun[];
  readonly hospital: Hospital;
  end(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const stack = await Stack.start({
    siteIds: [FIRST_SITE, SECOND_SITE],
    environment: process.env,
    quietMs: QUIET_MS,
  });
  let browser: Browser | undefined;
  const end = async (): Promise<void> => {
    await browser?.close();
    await stack.stop();
  };
  try {
    browser = await chromium.launch({
      executablePath: chromiumPath() ?? '',
      args: [
        // The tests of a container run as root.
        '--no-sandbox',
        `--host-resolver-rules=${resolverRules()}`,
        // The browser's own calls home are not the page's.
        ...['--disable-background-networking', '--disable-component-update', '--no-first-run'],
      ],
    });
    const runs = await sendStudies(stack);
    const problems = runs.flatMap(deviations);
    if (problems.length > 0) throw new Error(`the studies: ${problems.join('; ')}`);
    return { stack, browser, runs, hospital: stack.parts.hospitals[0]!, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Every name but these leads nowhere. */
function resolverRules(): string {
  const here = [LOGIN_NAME, HUB_NAME].map((name) => `MAP ${name} 127.0.0.1`);
  return [...here, 'MAP * ~NOTFOUND', 'EXCLUDE localhost', 'EXCLUDE 127.0.0.1'].join(',');
}

function sendStudies(stack: Stack): Promise<readonly StudyRun[]> {
  const products = stack.parts.products.map(({ product }) => product);
  const run = `access-${process.pid}-${Date.now()}`;
  return followStudies({
    hospitals: stack.parts.hospitals,
    studiesOf: (siteId) => {
      const options = { runId: `${run}/${siteId}`, nowMs: Date.now(), products };
      const made = demoStudies(DEMO_DATA_FOLDER, options);
      return made.filter(({ name }) => siteId === FIRST_SITE || name === 'cr-tibia');
    },
    deadlineMs: DEADLINE_MS,
  });
}

/** A demo account by its user name. */
export const person = (userName: string): Person => ({ userName, password: DEMO_PASSWORD });

/** Origins that pages may ask: servers and providers of the stack. */
export function originsOf({ parts }: Stack): string[] {
  const servers = [parts.hubServer, ...parts.hospitals.map(({ gateway }) => gateway.server)];
  return servers.flatMap(({ url, issuer }) => [url, issuer]);
}

export interface ArriveOptions {
  readonly at: 'hub' | 'gateway';
  readonly locale?: string;
  readonly colorScheme?: 'light' | 'dark';
}
/** Somebody new at the hub or at the first hospital's gateway, not signed in. */
export async function arrive(
  { stack, browser, hospital }: World,
  { at, locale, colorScheme }: ArriveOptions,
): Promise<ConsolePage> {
  const visitor = await Visitor.arrive({
    browser,
    origins: originsOf(stack),
    ...(locale && { locale }),
    ...(colorScheme && { more: { colorScheme } }),
  });
  const { url } = at === 'hub' ? stack.parts.hubServer : hospital.gateway.server;
  return new ConsolePage(visitor, url, embeddedPages);
}
