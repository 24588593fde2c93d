/**
 * Suite: the same sign-in through a real Keycloak on another registrable name, both over TLS: each
 * role gets in, a step-up asks for a one-time code, and who is disabled there is out here.
 * Method: the hub of the stack restarted with another provider; names that only the browser knows.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES } from '@aifi/access-authorisation';
import { testPassword } from '../../../../deploy/services/keycloak/start.mjs';
import { ConsolePage } from './console-page.js';
import { moveToKeycloak, type KeycloakRig } from './keycloak.js';
import { keycloakPages, type Person } from './provider-pages.js';
import { expectRefusal, lookAtPages, VISIT_MS } from './roles.contract.js';
import { Visitor } from './visitor.js';
import type { World } from './world.js';

const START_MS = 180_000;
const STEP_MS = 60_000;
/** When it counts as not revoked at all, on a machine that may be busy. @unit ms */
const REVOKED_MS_MAX = 180_000;
const LOOK_MS = 1_000;
/** The second person of a role, so that every role still has its first. */
const REVOKED = 'hospital-it-2';
const person = (userName: string): Person => ({ userName, password: testPassword(userName) });

export function keycloakSuite(world: () => World): void {
  describe('through Keycloak', () => {
    let rig: KeycloakRig;
    let revoked: ConsolePage;
    /** How long the disabled account could still read. @unit ms */
    let outAfterMs: Promise<number>;
    const leaving: ConsolePage[] = [];

    async function arriveBy(): Promise<ConsolePage> {
      const { browser } = world();
      const { origins, hubUrl } = rig;
      const more = { ignoreHTTPSErrors: true };
      const visitor = await Visitor.arrive({ browser, origins, more });
      const sut = new ConsolePage(visitor, hubUrl, keycloakPages);
      leaving.push(sut);
      return sut;
    }
    beforeAll(async () => {
      rig = await moveToKeycloak(world().stack);
      revoked = await arriveBy();
      await revoked.signIn(person(REVOKED));
      await rig.setEnabled(REVOKED, false);
      outAfterMs = untilOut(revoked);
      // Looked at by the last test; a failure before that must not go unhandled.
      outAfterMs.catch(() => undefined);
    }, START_MS);
    afterAll(async () => {
      for (const sut of leaving) await sut.visitor.leave();
    }, STEP_MS);

    it.each(ROLES)(
      '%s signs in, comes back to what was asked for, opens every page, sees a refusal',
      async (role) => {
        const sut = await arriveBy();
        await sut.signIn(person(role), '/audit');
        expect(new URL(sut.page.url()).pathname).toBe('/audit');
        expect(await sut.heading.innerText()).not.toBe('');
        expect(await lookAtPages(sut)).toEqual([]);
        await expectRefusal(sut, 'hub');
        expect(sut.visitor.takeFaults()).toEqual([]);
        await sut.visitor.leave();
        leaving.splice(leaving.indexOf(sut), 1);
      },
      VISIT_MS,
    );

    it(
      'asks for a one-time code before a dangerous act, and the hub knows',
      async () => {
        const sut = await arriveBy();
        await sut.signIn(person('central-operator'), '/studies');
        await sut.main.getByRole('rowheader').first().getByRole('link').click();
        await sut.button('Ask for access').click();
        await sut.stepUp(person('central-operator'));
        await sut.button('Ask for access').click();
        await sut.page.getByText(/^Confirmed until/).waitFor();
        expect(sut.visitor.takeFaults()).toEqual([]);
      },
      STEP_MS,
    );

    it(
      'ends here when it is ended there: signed out, the next sign-in asks for the password',
      async () => {
        const sut = await arriveBy();
        await sut.signIn(person('raio'));
        await sut.signOut();
        await sut.visitor.refused(async () => {
          await sut.page.getByRole('link', { name: 'Sign in' }).waitFor();
          await sut.page.getByRole('link', { name: 'Sign in' }).click();
        });
        await keycloakPages.signIn(sut.page, person('raio'));
        await sut.page.waitForURL(({ origin }) => origin === rig.hubUrl);
        expect(sut.visitor.takeFaults()).toEqual([]);
      },
      STEP_MS,
    );

    it(
      'an account that is disabled there is out here',
      async () => {
        // The minute itself is asserted on a fake clock, beside the code.
        console.log(`revoked account out after ${Math.round((await outAfterMs) / 1_000)} s`);
        await revoked.visitor.refused(() => revoked.open('/'));
        expect(await revoked.page.getByRole('link', { name: 'Sign in' }).isVisible()).toBe(true);
      },
      REVOKED_MS_MAX + STEP_MS,
    );
  });
}

/** Polls as the page's own requests would; resolves with the time until the first refusal. */
async function untilOut({ page, visitor }: ConsolePage): Promise<number> {
  const fromMs = Date.now();
  return visitor.refused(async () => {
    for (;;) {
      const status = await page.evaluate(`fetch('/api/v1/session').then(({ status }) => status)`);
      const elapsedMs = Date.now() - fromMs;
      if (status === 401) return elapsedMs;
      if (elapsedMs > REVOKED_MS_MAX) throw new Error(`still ${String(status)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  });
}
