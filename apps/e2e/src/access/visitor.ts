/**
 * Visitor: one person at one browser, in a context of its own, and everything that happened there.
 * Decides what counts as a fault of a page: an error or warning on the console, a script error, and
 * any request to a host that is not the stack's own. Invariant: every request of the context is
 * written down, also those of other frames and workers, from the first on.
 */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

export interface VisitorOptions {
  readonly browser: Browser;
  /** Origins of the stack: servers and their providers. */
  readonly origins: readonly string[];
  /** @default en-GB */
  readonly locale?: string;
  readonly more?: BrowserContextOptions;
}

/** Longest wait for anything on a page, on two cores with a stack beside it. @unit ms */
export const WAIT_MS = 20_000;
const SIZE = { width: 1_280, height: 860 };
/** What Chromium writes when an answer is an error, next to what the page makes of it. */
const FAILED_LOAD = /^Failed to load resource: the server responded with a status of (\d{3})/;

export class Visitor {
  readonly #faults: string[] = [];
  readonly #hosts = new Map<string, number>();
  #refusals = 0;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly origins: readonly string[],
  ) {}

  static async arrive(options: VisitorOptions): Promise<Visitor> {
    const { browser, origins, locale = 'en-GB', more } = options;
    const context = await browser.newContext({
      ...{ locale, viewport: SIZE, colorScheme: 'light', timezoneId: 'Europe/Amsterdam' },
      // Motion would be in the screenshots, and in what axe measures.
      ...{ reducedMotion: 'reduce', serviceWorkers: 'block', ...more },
    });
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    const visitor = new Visitor(context, page, origins);
    visitor.#watch();
    return visitor;
  }

  /** Does what the server must refuse: its answer is no fault of the page then. */
  async refused<T>(act: () => Promise<T>): Promise<T> {
    this.#refusals += 1;
    try {
      return await act();
    } finally {
      this.#refusals -= 1;
    }
  }

  /** What went wrong since the last look; empty when all was well. */
  takeFaults(): string[] {
    return this.#faults.splice(0);
  }
  /** Origins that were asked, and how often. */
  get asked(): ReadonlyMap<string, number> {
    return this.#hosts;
  }
  async leave(): Promise<void> {
    await this.context.close();
  }

  #watch(): void {
    const { context, page } = this;
    const at = (): string => new URL(page.url()).pathname;
    context.on('request', (request) => this.#note(request.url()));
    context.on('console', (message) => {
      const [kind, text] = [message.type(), message.text()];
      if (kind !== 'error' && kind !== 'warning') return;
      const isRefusal = this.#refusals > 0 && /40[134]/.test(FAILED_LOAD.exec(text)?.[1] ?? '');
      const about = URL.parse(message.location().url)?.pathname ?? '';
      if (!isRefusal) this.#faults.push(`console ${kind} at ${at()}: ${text} ${about}`.trimEnd());
    });
    context.on('weberror', (error) => {
      this.#faults.push(`script error at ${at()}: ${error.error().message}`);
    });
    page.on('crash', () => this.#faults.push(`crash at ${at()}`));
  }

  #note(address: string): void {
    const { protocol, origin } = new URL(address);
    if (protocol === 'data:' || protocol === 'blob:') return;
    this.#hosts.set(origin, (this.#hosts.get(origin) ?? 0) + 1);
    if (!this.origins.includes(origin)) this.#faults.push(`request to ${origin}`);
  }
}
