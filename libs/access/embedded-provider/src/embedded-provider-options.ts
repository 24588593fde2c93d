/**
 * Options of the embedded provider, and what a running one offers.
 * Decides nothing. Source: security specification 5 and 7.
 */
import type { AifiError, Clock } from '@aifi/shared-kernel';
import type { DemoAccount } from './demo-account.js';

export interface EmbeddedProviderOptions {
  /** Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Origin as browsers see it, when something stands before it. @default http://localhost:port */
  readonly publicUrl?: string;
  /** Of our page, to the letter. */
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  /** Where our page hears that a session has ended. */
  readonly backChannelLogoutUri?: string;
  /** Of the client `aifi-pages`. */
  readonly clientSecret: string;
  /** Audience of access tokens. */
  readonly audience: string;
  /** Client `automation` with client credentials; none unless given. */
  readonly automation?: {
    readonly secret: string;
    readonly roles: readonly string[];
    readonly siteIds: readonly string[];
  };
  readonly accounts: readonly DemoAccount[];
  /** Signing key and sessions: kept, so that a restart ends nobody's session. */
  readonly keyFolder: string;
  /** Of the bound on wrong passwords; tokens live by the machine's clock. */
  readonly clock?: Clock;
  /** A defect of the provider itself; nobody hears of it otherwise. */
  readonly onFault?: (fault: AifiError) => void;
}

export interface EmbeddedProvider {
  readonly issuer: string;
  readonly clientId: 'aifi-pages';
  readonly port: number;
  /** From now on its sessions, refresh tokens and access tokens are worth nothing here. */
  disable(accountId: string): void;
  enable(accountId: string): void;
  stop(): Promise<void>;
}
