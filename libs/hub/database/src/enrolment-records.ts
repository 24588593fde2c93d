/**
 * Audit records of enrolment: what the hub's own start changed at a site.
 * Decides one record for each change that was really made, in the transaction that made it; a start
 * that changes nothing leaves none. Invariant: the hub itself is the user, by its configuration.
 * Source: security specification 5 (NEN 7513); hazard H18.
 */
import { randomUUID } from 'node:crypto';
import { ruleOf, type Act } from '@aifi/access-authorisation';
import type { AuditDraft } from '@aifi/contracts-rest';
import { appendAudit } from './audit-log.js';
import type { Sql } from './sql.js';

/** One change of one thing of a site. */
export interface EnrolmentChange {
  readonly act: Extract<Act, 'site.enrol' | 'site.change' | 'deployment.change' | 'rules.publish'>;
  readonly objectType: 'site' | 'deployment' | 'rules';
  readonly objectId: string;
  readonly detail: AuditDraft['detail'];
}

/** Appends the records in the order of the changes, at the time of the transaction. */
export async function recordChanges(
  sql: Sql,
  siteName: string,
  changes: readonly EnrolmentChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const now = await sql.row<{ ms: number }>(
    'SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS ms',
  );
  const correlationId = randomUUID();
  for (const change of changes) {
    await appendAudit(sql, draftOf(change, siteName, correlationId), now!.ms);
  }
}

/** A draft of what a process of the hub did by itself. */
export function systemDraft(
  act: Act,
  about: Pick<AuditDraft, 'siteId' | 'objectType' | 'objectId' | 'correlationId' | 'detail'>,
): AuditDraft {
  return {
    ...about,
    act,
    action: ruleOf(act).action,
    ...{ outcome: 'success', code: null, userId: 'hub', userName: 'hub', userKind: 'system' },
    ...{ role: null, responsibleUserId: null, patientId: null, reason: null },
    sourceAddress: '',
  };
}

function draftOf(
  { act, ...about }: EnrolmentChange,
  siteId: string,
  correlationId: string,
): AuditDraft {
  return systemDraft(act, { ...about, siteId, correlationId });
}
