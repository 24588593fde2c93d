/**
 * People: the accounts of the embedded provider while it runs.
 * Decides whose password is right and who is disabled. Invariants: a disabled account is nobody, at
 * once; comparing takes the same time for a name that exists and one that does not.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Account } from 'oidc-provider';
import type { DemoAccount } from './demo-account.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export class People {
  readonly #disabled = new Set<string>();

  constructor(readonly all: readonly DemoAccount[]) {}

  byId(id: string): DemoAccount | undefined {
    return this.#disabled.has(id) ? undefined : this.all.find((account) => account.id === id);
  }

  /** Undefined: no such person, disabled, or another password. */
  withPassword(userName: string, password: string): DemoAccount | undefined {
    const account = this.all.find((one) => one.userName === userName);
    const isRight = timingSafeEqual(digest(account?.password ?? ''), digest(password));
    return account && isRight ? this.byId(account.id) : undefined;
  }

  disable(id: string): void {
    this.#disabled.add(id);
  }
  enable(id: string): void {
    this.#disabled.delete(id);
  }

  /** What oidc-provider asks for: the person as claims of every token. */
  readonly findAccount = (_context: unknown, id: string): Account | undefined => {
    const account = this.byId(id);
    return account && { accountId: id, claims: async () => ({ sub: id, ...claimsOf(account) }) };
  };
}

export const claimsOf = ({ name, userName, roles, siteIds }: DemoAccount) => ({
  name,
  preferred_username: userName,
  aifi_roles: [...roles],
  aifi_sites: [...siteIds],
});
