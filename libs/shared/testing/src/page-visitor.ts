/**
 * PageVisitor: a browser of few lines that signs in at the embedded provider.
 * Decides that cookies belong to their origin and that only what a form holds is sent.
 * Source: RFC 6265; HTML forms.
 */
const HOPS_MAX = 12;

export class PageVisitor {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** Follows redirects with the cookies of each origin; the last answer and its address. */
  async open(start: string, form?: URLSearchParams): Promise<{ url: URL; text: string }> {
    let [url, body] = [new URL(start), form];
    for (let hop = 0; hop < HOPS_MAX; hop += 1) {
      const response = await this.fetch(url, body ? { method: 'POST', body } : {});
      const location = response.headers.get('location');
      const text = await response.text();
      if (location === null) return { url, text };
      [url, body] = [new URL(location, url), undefined];
    }
    throw new Error('goes round in circles');
  }

  async fetch(address: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(address);
    const jar = this.#cookies.get(url.origin) ?? new Map<string, string>();
    this.#cookies.set(url.origin, jar);
    const headers = new Headers(init.headers);
    headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { redirect: 'manual', ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';', 1)[0]!.split(/=(.*)/);
      const isGone = /max-age=0|expires=thu, 01 jan 1970/i.test(line) || value === '';
      if (isGone) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** Fills the provider's form; ends at the page that asked. */
  async signIn(start: string, account: { name: string; password: string }): Promise<URL> {
    const { url, text } = await this.open(start);
    const action = /<form id="login" method="post" action="([^"]+)"/.exec(text)?.[1];
    if (action === undefined) throw new Error(`no sign-in page at ${url.href}`);
    const names = [...text.matchAll(/<input\b[^>]*\bname="([^"]+)"/g)].map(([, name]) => name!);
    const values = { [names[0]!]: account.name, [names[1]!]: account.password };
    const done = await this.open(new URL(action, url).href, new URLSearchParams(values));
    return done.url;
  }
}
