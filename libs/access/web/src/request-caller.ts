/**
 * CallerOfRequest: the Caller that the guard makes for one HTTP request.
 * Decides who of handler and interceptor writes the record: whoever asked for the draft first.
 * Invariant: at most one draft leaves it for a success.
 */
import { covers, ruleOf, type Act, type Allowed, type Principal } from '@aifi/access-authorisation';
import type { AuditDraft, AuditOutcome } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import type { AuditSink, AuditSubject, Caller } from './caller.js';

export interface RequestFacts {
  readonly principal: Principal;
  readonly act: Act;
  readonly allowed: Allowed;
  readonly sourceAddress: string;
  readonly correlationId: string;
  readonly idempotencyKey: string | null;
  /** Site of records about no site: '*' at the hub, the own site at a gateway. */
  readonly homeSite: string;
  readonly sink: AuditSink;
}

export class CallerOfRequest implements Caller {
  readonly principal: Principal;
  readonly act: Act;
  readonly allowed: Allowed;
  readonly sourceAddress: string;
  readonly correlationId: string;
  readonly idempotencyKey: string | null;
  readonly #homeSite: string;
  readonly #sink: AuditSink;
  #subject: AuditSubject | undefined;
  #isRecorded = false;

  constructor(facts: RequestFacts) {
    this.principal = facts.principal;
    this.act = facts.act;
    this.allowed = facts.allowed;
    this.sourceAddress = facts.sourceAddress;
    this.correlationId = facts.correlationId;
    this.idempotencyKey = facts.idempotencyKey;
    this.#homeSite = facts.homeSite;
    this.#sink = facts.sink;
  }

  get userId(): string {
    const { principal } = this;
    if (principal.kind === 'anonymous') return 'anonymous';
    return principal.kind === 'gateway' ? `gateway:${principal.siteId}` : principal.userId;
  }
  get userName(): string {
    const { principal } = this;
    return 'userName' in principal ? principal.userName : this.userId;
  }
  /** True when the act's own transaction has taken the record. */
  get isRecorded(): boolean {
    return this.#isRecorded;
  }
  get subject(): AuditSubject | undefined {
    return this.#subject;
  }

  requireSite(siteId: string): void {
    if (covers(this.allowed.reach, siteId)) return;
    throw new AifiError('NOT_FOUND', 'there is no such object');
  }

  sites(asked?: string): readonly string[] | undefined {
    const { reach } = this.allowed;
    if (reach.kind === 'acts') throw new AifiError('FORBIDDEN', 'own acts only');
    if (asked !== undefined) {
      this.requireSite(asked);
      return [asked];
    }
    return reach.kind === 'all' ? undefined : reach.siteIds;
  }

  about(subject: AuditSubject): void {
    this.#subject = subject;
  }

  async record(subject: AuditSubject): Promise<void> {
    this.#subject = subject;
    await this.#sink.append(this.draft(subject));
  }

  draft(subject: AuditSubject, outcome: AuditOutcome = 'success'): AuditDraft {
    this.#isRecorded = true;
    return this.draftOf(subject, outcome, null);
  }

  repeated(): void {
    this.#isRecorded = true;
  }

  /** A draft without taking the record: for refusals and the interceptor. */
  draftOf(subject: AuditSubject, outcome: AuditOutcome, code: string | null): AuditDraft {
    const { principal, act } = this;
    const isUser = principal.kind === 'person' || principal.kind === 'machine';
    return {
      act,
      action: ruleOf(act).action,
      outcome,
      code,
      userId: this.userId,
      userName: this.userName,
      userKind: isUser ? principal.kind : principal.kind === 'gateway' ? 'machine' : 'anonymous',
      role: this.allowed.role,
      responsibleUserId: subject.responsibleUserId ?? null,
      siteId: subject.siteId ?? this.#homeSite,
      objectType: subject.objectType,
      objectId: subject.objectId.slice(0, 256),
      // A number longer than DICOM allows must not make the study of it unviewable.
      patientId: subject.patientId?.slice(0, 128) ?? null,
      reason: subject.reason ?? null,
      sourceAddress: this.sourceAddress,
      correlationId: this.correlationId,
      detail: subject.detail ?? {},
    };
  }
}
