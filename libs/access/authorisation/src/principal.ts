/**
 * Principal: who calls, as verified by sign-in, a token or a client certificate.
 * Decides what a decision may depend on: roles, own sites, how and when authenticated.
 * Invariant: made from verified claims only; nothing of it comes from the request itself.
 */
import type { Role } from './roles.js';

export interface PersonPrincipal {
  /** machine: a client with credentials of its own; it never has a session and never approves. */
  readonly kind: 'person' | 'machine';
  /** Subject at the provider: stable, unique, no e-mail address. */
  readonly userId: string;
  readonly userName: string;
  readonly roles: readonly Role[];
  /** Own sites; empty for national roles. */
  readonly siteIds: readonly string[];
  /** Last time that dangerous acts were authenticated for; null: never. @unit ms since epoch */
  readonly steppedUpAtMs: number | null;
}
/** A gateway, by its certificate (guard C1). */
export interface GatewayPrincipal {
  readonly kind: 'gateway';
  readonly siteId: string;
}
export interface AnonymousPrincipal {
  readonly kind: 'anonymous';
}
export type Principal = PersonPrincipal | GatewayPrincipal | AnonymousPrincipal;
