/**
 * HttpBrowser: a browser of few lines for tests of sign-in pages: cookies, redirects, forms.
 * Decides that cookies follow host and path, that a redirect to another origin is not followed, and
 * that a script is never run. Invariant: what it sends is what a form on the page holds.
 * Source: RFC 6265; HTML forms (application/x-www-form-urlencoded).
 */
import { AifiError, systemClock } from '@aifi/shared-kernel';

/** More redirects than any sign-in has. */
const HOPS_MAX = 12;

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}
export interface Form {
  readonly action: URL;
  readonly fields: Readonly<Record<string, string>>;
}
interface Cookie {
  readonly name: string;
  readonly path: string;
  readonly value: string;
}

export class HttpBrowser {
  #cookies: Cookie[] = [];

  /** `ownOrigin`: the provider; an answer that leads elsewhere is the end. */
  constructor(
    private readonly ownOrigin: string,
    private readonly acceptLanguage = 'en',
  ) {}

  open(url: string | URL): Promise<Page> {
    return this.#go(new URL(url), undefined);
  }

  submit(form: Form, values: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.#go(form.action, new URLSearchParams({ ...form.fields, ...values }));
  }

  cookieNames(): string[] {
    return this.#cookies.map(({ name }) => name);
  }

  async #go(start: URL, body: URLSearchParams | undefined): Promise<Page> {
    let url = start;
    let form = body;
    for (let hop = 0; hop < HOPS_MAX; hop += 1) {
      const response = await fetch(url, {
        redirect: 'manual',
        headers: {
          // A provider that starts anew in a test would meet connections of its former self.
          connection: 'close',
          accept: 'text/html',
          'accept-language': this.acceptLanguage,
          cookie: this.#cookiesFor(url),
        },
        ...(form && { method: 'POST', body: form }),
      });
      this.#keep(response.headers.getSetCookie(), url);
      const text = await response.text();
      const { status, headers } = response;
      const location = headers.get('location');
      if (location === null) return { url, status, headers, text };
      url = new URL(location, url);
      form = undefined;
      if (url.origin !== this.ownOrigin) return { url, status, headers, text };
    }
    throw new AifiError('STATE_CONFLICT', 'the sign-in goes round in circles');
  }

  #cookiesFor({ pathname }: URL): string {
    return this.#cookies
      .filter(({ path }) => pathname === path || pathname.startsWith(path.replace(/\/?$/, '/')))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #keep(lines: readonly string[], url: URL): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const [name = '', ...rest] = pair.split('=');
      const attribute = (key: string): string | undefined =>
        attributes.find((part) => part.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
      const path = attribute('path') ?? url.pathname;
      const isGone =
        attribute('max-age') === '0' ||
        Date.parse(attribute('expires') ?? '') < systemClock.nowMs();
      this.#cookies = this.#cookies.filter((one) => one.name !== name || one.path !== path);
      if (!isGone) this.#cookies.push({ name, path, value: rest.join('=') });
    }
  }
}

/** Forms of a page, in order; fields outside of a form that name it by id belong to it too. */
export function formsOf({ url, text }: Page): Form[] {
  return [...text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(
    ([, tag = '', inner = '']) => ({
      action: new URL(attributeOf(tag, 'action') ?? '', url),
      fields: Object.fromEntries(
        [...inner.matchAll(/<input\b([^>]*)>/g)]
          .map(([, input = '']) => [attributeOf(input, 'name'), attributeOf(input, 'value') ?? ''])
          .filter(([name]) => name !== undefined) as [string, string][],
      ),
    }),
  );
}

function attributeOf(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return value?.replace(/&#0?39;|&quot;|&lt;|&gt;|&amp;/g, (sign) => SIGNS[sign] ?? sign);
}
const SIGNS: Readonly<Record<string, string>> = {
  ...{ '&#39;': "'", '&#039;': "'", '&quot;': '"', '&lt;': '<', '&gt;': '>', '&amp;': '&' },
};
