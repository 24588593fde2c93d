/**
 * Read model of the gateway's status: tables, connections and disk as one document.
 * Decides what hospital IT sees at a glance, refusals at the door included.
 * Invariants: counts and codes only, no UID; states come from the tables, and what no table holds
 * (link, breaker, free space) is asked when it is read.
 */
import { statfs } from 'node:fs/promises';
import type { GatewayStatus, RefusalView } from '@aifi/contracts-rest';
import type { Sql } from '@aifi/gateway-database';
import { readTallies } from '@aifi/gateway-hl7';
import { readDeadLetterTotals } from './dead-letter-read-model.js';
import type { GatewaySources } from './gateway-sources.js';
import { PixelHoldStore } from './pixel-hold.store.js';

/** Version of the gateway; the package's own (tested). */
export const GATEWAY_VERSION = '0.1.0';
/** Rows of refusals in one answer. */
const REFUSALS_MAX = 50;

export async function readStatus(sources: GatewaySources): Promise<GatewayStatus> {
  const { config, database, clock } = sources;
  const rules = sources.currentRules()?.rules;
  const { bavail, bsize } = await statfs(config.dataFolder);
  const tables = database.read((sql) => ({
    studies: sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM study')!.n,
    jobs: readJobCounts(sql),
    spool: readSpool(sql),
    refusals: readRefusals(sql),
    openCommitments: readOpenCommitments(sql),
    ...readHl7(sql),
  }));
  const { openCommitments, ...counts } = tables;
  const pacsBreaker = sources.pacsState();
  return {
    siteId: config.siteId,
    purpose: config.purpose,
    version: GATEWAY_VERSION,
    atMs: clock.nowMs(),
    rules: rules ? { sequence: rules.sequence, issuedAtMs: rules.issuedAtMs } : null,
    link: sources.linkState(),
    ...linkedParts(sources),
    pacsBreaker,
    delivery: { breaker: pacsBreaker, openCommitments },
    deadLetters: readDeadLetterTotals(database),
    pixelHolds: new PixelHoldStore(database).totals(),
    diskFreeBytes: bavail * bsize,
    ...diskOf(sources),
    ...folderOf(sources),
    hubAnchors: sources.access.hubAnchors.status(),
    ...counts,
  };
}

function linkedParts({
  uplinkState,
  killState,
}: GatewaySources): Pick<GatewayStatus, 'uplink' | 'killState'> {
  const { uploads, streams, linkFailures, refusedBy = null } = uplinkState();
  const known = killState();
  const uplink = { uploads, streams, linkFailures, refusedBy };
  if (!known || known === 'none') return { uplink, killState: null };
  const { state, ageMs } = known;
  const age = Number.isFinite(ageMs) ? Math.max(0, Math.round(ageMs)) : null;
  const isStale = ageMs > state.validForMs;
  return { uplink, killState: { sequence: state.sequence, ageMs: age, isStale } };
}

/** Left out until the disk was looked at. */
function diskOf({ diskState }: GatewaySources): Pick<GatewayStatus, 'disk'> {
  const state = diskState();
  if (!state) return {};
  const { level, usedPercent, freeBytes } = state;
  // A tenth of a percent is what a person reads.
  return { disk: { level, usedPercent: Math.round(usedPercent * 10) / 10, freeBytes } };
}

/** Left out where no folder is configured. */
function folderOf({ folderState }: GatewaySources): Pick<GatewayStatus, 'folderIntake'> {
  const folderIntake = folderState();
  return folderIntake ? { folderIntake } : {};
}

function readOpenCommitments(sql: Sql): number {
  const statement = `SELECT COUNT(*) AS n FROM storage_commitment WHERE state = 'REQUESTED'`;
  return sql.get<{ n: number }>(statement)!.n;
}

/** Jobs per state. */
export function readJobCounts(sql: Sql): Record<string, number> {
  const rows = sql.all<{ state: string; n: number }>(
    'SELECT state, COUNT(*) AS n FROM job GROUP BY state ORDER BY state',
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

function readSpool(sql: Sql): GatewayStatus['spool'] {
  return sql.get<GatewayStatus['spool']>(
    `SELECT COUNT(DISTINCT s.job_id) AS jobs, COUNT(o.sha256) AS objects,
       COALESCE(SUM(o.size_bytes), 0) AS bytes
     FROM spool_job s JOIN job j USING (job_id) LEFT JOIN spool_object o USING (job_id)
     WHERE s.state = 'QUEUED' AND j.terminal_ms IS NULL`,
  )!;
}

function readHl7(sql: Sql): Pick<GatewayStatus, 'hl7'> {
  const counts = { AA: 'taken', AE: 'wrong', AR: 'rejected', closed: 'closed' } as const;
  const senders = new Map<string, NonNullable<GatewayStatus['hl7']>[number]>();
  for (const { sender, answer, count, lastMs } of readTallies(sql)) {
    const known = senders.get(sender);
    const view = known ?? { sender, lastMs, taken: 0, wrong: 0, rejected: 0, closed: 0 };
    view.lastMs = Math.max(view.lastMs, lastMs);
    if (answer !== 'none') view[counts[answer]] += count;
    senders.set(sender, view);
  }
  return senders.size > 0 ? { hl7: [...senders.values()] } : {};
}

function readRefusals(sql: Sql): RefusalView[] {
  return sql.all<RefusalView>(
    `SELECT at_ms AS atMs, calling_ae AS callingAeTitle, what, code,
       NULLIF(dimse_status, -1) AS dimseStatus, NULLIF(reason, '') AS reason, count
     FROM receive_refusal ORDER BY at_ms DESC, refusal_id DESC LIMIT ?`,
    REFUSALS_MAX,
  );
}
