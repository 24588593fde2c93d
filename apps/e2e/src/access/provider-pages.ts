/**
 * Page objects of the two OpenID providers: the embedded one and Keycloak.
 * Decides how a person signs in at each, and how the same person confirms it for a dangerous act.
 * Invariant: found by label and role only, as a person with a screen reader would.
 */
import type { Page } from 'playwright-core';
import { TEST_OTP_SECRET } from '../../../../deploy/services/keycloak/start.mjs';
import { oneTimeCode } from './totp.js';

export interface Person {
  readonly userName: string;
  readonly password: string;
}
/** Starts when the browser shows the provider's page, ends when it has sent the form. */
export interface ProviderPages {
  signIn(page: Page, person: Person): Promise<void>;
  stepUp(page: Page, person: Person): Promise<void>;
}

export const embeddedPages: ProviderPages = {
  async signIn(page, { userName, password }) {
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    await page.getByLabel('User name').fill(userName);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  },
  async stepUp(page, { password }) {
    await page.getByRole('heading', { level: 1, name: 'Confirm that it is you' }).waitFor();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Confirm that it is you' }).click();
  },
};

export const keycloakPages: ProviderPages = {
  async signIn(page, { userName, password }) {
    await page.getByRole('heading', { name: /sign in/i }).waitFor();
    await page.getByRole('textbox', { name: /^username/i }).fill(userName);
    await page.getByRole('textbox', { name: 'Password' }).fill(password);
    await page.getByRole('button', { name: 'Sign In' }).click();
  },
  async stepUp(page, { password }) {
    const secret = page.getByRole('textbox', { name: 'Password' });
    const code = page.getByLabel(/one-time code/i);
    await secret.or(code).first().waitFor();
    if (await secret.isVisible()) {
      await secret.fill(password);
      await page.getByRole('button', { name: 'Sign In' }).click();
    }
    await code.fill(oneTimeCode(TEST_OTP_SECRET, Date.now()));
    await page.getByRole('button', { name: 'Sign In' }).click();
  },
};
