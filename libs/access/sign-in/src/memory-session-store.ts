/**
 * FakeSessionStore: sessions and their records in memory, for tests.
 * Decides nothing that the real stores do not: it is the short form of their contract.
 * Invariant: a record exists exactly when its change took place.
 */
import type { AuditDraft } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import type { SessionPatch, SessionRecord, SessionStore } from './sign-in.js';

export class FakeSessionStore implements SessionStore {
  readonly sessions = new Map<string, SessionRecord>();
  /** In the order in which they were written. */
  readonly records: AuditDraft[] = [];

  insert(session: SessionRecord, record: AuditDraft): Promise<void> {
    if (this.sessions.has(session.idHash)) {
      return Promise.reject(new AifiError('STATE_CONFLICT', 'the session exists already'));
    }
    this.sessions.set(session.idHash, session);
    this.records.push(record);
    return Promise.resolve();
  }
  find(idHash: string): Promise<SessionRecord | undefined> {
    return Promise.resolve(this.sessions.get(idHash));
  }
  update(idHash: string, patch: SessionPatch, record?: AuditDraft): Promise<boolean> {
    const session = this.sessions.get(idHash);
    if (!session) return Promise.resolve(false);
    this.sessions.set(idHash, { ...session, ...patch });
    if (record) this.records.push(record);
    return Promise.resolve(true);
  }
  end(idHash: string, record: AuditDraft): Promise<boolean> {
    if (!this.sessions.delete(idHash)) return Promise.resolve(false);
    this.records.push(record);
    return Promise.resolve(true);
  }
  endWhere(
    where: { readonly providerSessionId?: string; readonly userId?: string },
    recordOf: (session: SessionRecord) => AuditDraft,
  ): Promise<number> {
    const names = ['providerSessionId', 'userId'] as const;
    const asked = names.filter((name) => where[name] !== undefined);
    const found = [...this.sessions.values()].filter(
      (session) => asked.length > 0 && asked.every((name) => session[name] === where[name]),
    );
    for (const session of found) {
      this.sessions.delete(session.idHash);
      this.records.push(recordOf(session));
    }
    return Promise.resolve(found.length);
  }
  purge(beforeMs: number): Promise<number> {
    const ended = [...this.sessions.values()].filter((s) => s.lastSeenAtMs < beforeMs);
    for (const { idHash } of ended) this.sessions.delete(idHash);
    return Promise.resolve(ended.length);
  }
}
