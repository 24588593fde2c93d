/**
 * SignedIn: a person at one server of a stack, with a fresh sign-in for dangerous acts.
 * Decides nothing; it does what a page does: session cookie, CSRF token, one key per order.
 * Invariant: the demonstration's own accounts only. Source: security specification 5.
 */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { DEMO_PASSWORD } from '@aifi/access-embedded-provider';
import { sessionSchema } from '@aifi/contracts-rest';
import { PageVisitor } from '@aifi/shared-testing';

export class SignedIn {
  readonly #visitor = new PageVisitor();

  private constructor(private readonly origin: string) {}

  /** Signed in and stepped up at once, as acts on enrolment ask for. */
  static async open(origin: string, userName: string): Promise<SignedIn> {
    const one = new SignedIn(origin);
    const account = { name: userName, password: DEMO_PASSWORD };
    await one.#visitor.signIn(`${origin}/auth/sign-in`, account);
    await one.#visitor.signIn(`${origin}/auth/step-up`, account);
    return one;
  }

  async get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    const response = await this.#visitor.fetch(`${this.origin}${path}`);
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
    return schema.parse(await response.json());
  }

  /** The answer of an order, whatever its status. */
  async post(path: string, body: object): Promise<Response> {
    const { csrfToken } = await this.get('/api/v1/session', sessionSchema);
    return this.#visitor.fetch(`${this.origin}${path}`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', 'x-csrf-token': csrfToken },
        'idempotency-key': randomUUID(),
      },
      body: JSON.stringify(body),
    });
  }

  /** The answer of an order that must succeed. */
  async order<S extends z.ZodType>(path: string, body: object, schema: S): Promise<z.output<S>> {
    const response = await this.post(path, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${text}`);
    return schema.parse(JSON.parse(text));
  }
}
