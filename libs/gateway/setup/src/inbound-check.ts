/**
 * The other direction: whether the PACS reaches our listener.
 * Decides from what came: an association or images of its AE title, and who was refused at the
 * door.
 * Invariant: it sends nothing; it names AE titles, never a study.
 * Source: docs/architecture/2-data-path.md (receive: what is counted when a caller is refused).
 */
import type { SetupFacts, SetupFinding } from '@aifi/contracts-rest';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { CheckOutcome } from './pacs-checks.js';

/** How far back is looked: what a PACS sends while somebody sits at the page. @unit ms */
const WINDOW_MS = 3_600_000;
/** Refused callers that are named. */
const REFUSED_MAX = 5;

interface Refused {
  readonly calling_ae: string;
  readonly code: string;
}

export interface Inbound {
  /** Of the PACS and of our listener. */
  readonly facts: SetupFacts;
  /** When an association of the PACS was last let in since this start; undefined: never. */
  readonly seenMs: number | undefined;
  readonly nowMs: number;
}

export function inboundOutcome(
  database: GatewayDatabase,
  { facts, seenMs = -Infinity, nowMs }: Inbound,
): CheckOutcome {
  const fromMs = nowMs - WINDOW_MS;
  const calledAeTitle = facts.calledAeTitle ?? '';
  const { came, refused } = database.read((sql) => ({
    came: sql.get(
      'SELECT 1 FROM instance WHERE calling_ae = ? AND received_ms >= ? LIMIT 1',
      ...[calledAeTitle, fromMs],
    ),
    refused: sql.all<Refused>(
      `SELECT calling_ae, code FROM receive_refusal
         WHERE what = 'association' AND code IN ('FORBIDDEN', 'NOT_FOUND') AND at_ms >= ?
         GROUP BY calling_ae, code ORDER BY max(at_ms) DESC LIMIT ?`,
      ...[fromMs, REFUSED_MAX],
    ),
  }));
  const findings = refused.map(({ calling_ae: seenAeTitle, code }): SetupFinding => {
    const isName = code === 'NOT_FOUND';
    return {
      code: isName ? 'INBOUND_WRONG_CALLED' : 'INBOUND_UNKNOWN_CALLER',
      facts: { ...facts, seenAeTitle },
    };
  });
  if (came || seenMs >= fromMs)
    return { state: findings.length > 0 ? 'advice' : 'passed', findings };
  if (findings.length > 0) return { state: 'failed', findings };
  return { state: 'waiting', findings: [{ code: 'INBOUND_NOTHING', facts }] };
}
