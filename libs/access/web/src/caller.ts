/**
 * Caller: who makes one request, what allowed it, and what its audit record will say.
 * Decides that a handler cannot act without a decision: the guard makes it, nobody else.
 * Invariant: one record for an audited act: written by the act's own transaction (`draft`), or for
 * a read by the interceptor after the handler (`about`), never by both.
 * Source: security specification 5; NEN 7513.
 */
import type { Act, Allowed, Principal } from '@aifi/access-authorisation';
import type { AuditDraft, AuditOutcome } from '@aifi/contracts-rest';

/** What an act was done to. */
export interface AuditSubject {
  /** study, job, approval, session, audit, patient-flag, alert, dead-letter. */
  readonly objectType: string;
  readonly objectId: string;
  /** Absent: '*' at the hub, the own site at the gateway. */
  readonly siteId?: string;
  readonly patientId?: string | null;
  readonly reason?: string | null;
  /** The second person of an approval. */
  readonly responsibleUserId?: string | null;
  readonly detail?: AuditDraft['detail'];
}

export interface Caller {
  readonly principal: Principal;
  readonly act: Act;
  readonly allowed: Allowed;
  /** Subject, or 'anonymous', or the site of a gateway. */
  readonly userId: string;
  readonly userName: string;
  readonly sourceAddress: string;
  readonly correlationId: string;
  /** Of the Idempotency-Key header; null: none was sent. */
  readonly idempotencyKey: string | null;
  /** NOT_FOUND when the act does not reach the site: another site's objects do not exist. */
  requireSite(siteId: string): void;
  /** Sites for a query: undefined means all. FORBIDDEN when the act reaches own acts only. */
  sites(asked?: string): readonly string[] | undefined;
  /** Tells the interceptor what a read was about. */
  about(subject: AuditSubject): void;
  /** Writes the record of a read now: for answers that are streamed, before the first byte. */
  record(subject: AuditSubject): Promise<void>;
  /** The record for the act's own transaction; the interceptor then writes none. */
  draft(subject: AuditSubject, outcome?: AuditOutcome): AuditDraft;
  /** Called by ActStore.perform for a repeat: it was done and recorded before. */
  repeated(): void;
}

/** Where reads and refusals are recorded: durable when the promise resolves. */
export interface AuditSink {
  append(draft: AuditDraft): Promise<void>;
}

/**
 * Changes as one transaction: effect, audit record and the answer kept for the idempotency key.
 * `work` runs at most once for a key of a user; a repeat gets the first answer and no new record
 * (the store calls `caller.repeated()`).
 * The same key with another body is refused with STATE_CONFLICT.
 */
export interface ActStore<Tx> {
  perform<T>(caller: Caller, request: unknown, work: ActWork<Tx, T>): Promise<T>;
}
export type ActWork<Tx, T> = (tx: Tx) => Promise<ActResult<T>> | ActResult<T>;
export interface ActResult<T> {
  readonly answer: T;
  readonly subject: AuditSubject;
}
