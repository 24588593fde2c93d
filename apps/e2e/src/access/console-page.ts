/**
 * ConsolePage: the page object of hub console and gateway page, which share their frame.
 * Decides when a page stands: its heading is there and nothing is being fetched any more.
 * Invariant: found by role and label only; what a role is offered is read from the navigation.
 */
import type { Locator, Page } from 'playwright-core';
import type { Person, ProviderPages } from './provider-pages.js';
import type { Visitor } from './visitor.js';

export class ConsolePage {
  readonly page: Page;

  constructor(
    readonly visitor: Visitor,
    /** Origin of the server. */
    readonly url: string,
    private readonly provider: ProviderPages,
  ) {
    this.page = visitor.page;
  }

  /** Goes to a page by its address, as from a bookmark. */
  async open(path: string): Promise<void> {
    await this.page.goto(`${this.url}${path}`);
    await this.settled();
  }

  /** From nobody to somebody: the page says so, its link leads to the provider and back. */
  async signIn(person: Person, path = '/'): Promise<void> {
    // Who is not signed in is told so by a 401.
    await this.visitor.refused(async () => {
      await this.page.goto(`${this.url}${path}`);
      await this.page.getByRole('link', { name: 'Sign in' }).click();
    });
    await this.provider.signIn(this.page, person);
    await this.page.waitForURL((address) => address.origin === this.url);
    await this.settled();
  }
  /** Confirms at the provider, where the page asks for it; comes back to the same page. */
  async stepUp(person: Person): Promise<void> {
    await this.page.getByRole('link', { name: 'Confirm now' }).click();
    await this.provider.stepUp(this.page, person);
    await this.page.waitForURL((address) => address.origin === this.url);
    await this.settled();
  }
  async signOut(): Promise<void> {
    await this.page.getByRole('button', { name: /^Account of / }).click();
    await this.page.getByRole('menuitem', { name: 'Sign out' }).click();
  }

  /** What the navigation offers: label, without what is counted beside it, and path. */
  async offered(): Promise<{ readonly label: string; readonly path: string }[]> {
    const links = await this.navigation.getByRole('link').all();
    const offered: { label: string; path: string }[] = [];
    for (const link of links) {
      const path = (await link.getAttribute('href')) ?? '';
      const [label = ''] = (await link.innerText()).trim().split('\n');
      offered.push({ label, path });
    }
    return offered;
  }
  async follow(label: string): Promise<void> {
    // After the label there may be a number that counts what waits.
    const name = new RegExp(`^${label}( \\d.*)?$`);
    await this.navigation.getByRole('link', { name }).click();
    await this.settled();
  }

  get navigation(): Locator {
    return this.page.getByRole('navigation', { name: 'Main navigation' });
  }
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }
  get main(): Locator {
    return this.page.getByRole('main');
  }
  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }
  link(name: string | RegExp): Locator {
    return this.main.getByRole('link', { name });
  }

  async settled(): Promise<void> {
    await this.heading.waitFor();
    const waiting = this.page.getByRole('status').filter({ hasText: 'Loading' });
    await waiting.first().waitFor({ state: 'hidden' });
  }
}
