/**
 * The signed kill state of a site, kept so that all processes and streams tell the same one.
 * Decides when it is signed anew: when what it says has changed, and as a heartbeat.
 * Invariants: the sequence of a site rises with every signature; it also follows the wall clock in
 * seconds, so that a database restored from a backup does not fall behind what gateways hold.
 * Source: governance specification 1 (kill switch); docs/adr/0023-control-stream.md.
 */
import type { KeyObject } from 'node:crypto';
import {
  encodeManifest,
  killStateSchema,
  signManifest,
  type KillState,
} from '@aifi/contracts-manifests';
import { AifiError, canonicalJson, crashPoint, sha256Hex } from '@aifi/shared-kernel';
import { stopsOfSite } from './product-stops.js';
import type { Sql } from './sql.js';

export interface SignedKillState {
  readonly sequence: number;
  readonly state: Buffer;
  readonly signature: Buffer;
}
export interface KillStateSettings {
  /** Signed anew after this time. @unit ms */
  readonly heartbeatMs: number;
  /** @unit ms */
  readonly validForMs: number;
  readonly killRelevant: readonly string[];
  /** Ed25519 key of the hub. */
  readonly signingKey: KeyObject;
}

interface KillStateRow {
  readonly sequence: string;
  readonly content_sha256: string;
  readonly state: Buffer;
  readonly signature: Buffer;
  readonly issued_at: Date;
}

/** The state in force at the site of the transaction, signed now if it has to be. */
export async function currentKillState(
  sql: Sql,
  settings: KillStateSettings,
  nowMs: number,
): Promise<SignedKillState> {
  const kept = await readRow(sql);
  const content = await contentOf(sql, settings);
  if (kept && isCurrent(kept, content, settings, nowMs)) return signedOf(kept);
  // One signs, the others wait here and find what it made.
  await sql.rows('SELECT pg_advisory_xact_lock(hashtextextended(site_id, 3)) FROM site');
  const latest = await readRow(sql);
  const now = await contentOf(sql, settings);
  if (latest && isCurrent(latest, now, settings, nowMs)) return signedOf(latest);
  return signAnew(sql, { latest, content: now, settings, nowMs });
}

type Content = Pick<KillState, 'stopped' | 'killRelevant' | 'validForMs'>;
async function contentOf(sql: Sql, settings: KillStateSettings): Promise<Content> {
  const { validForMs, killRelevant } = settings;
  return { validForMs, killRelevant: killRelevant.toSorted(), stopped: await stopsOfSite(sql) };
}
const digestOf = (content: Content): string => sha256Hex(canonicalJson(content));

function isCurrent(
  row: KillStateRow,
  content: Content,
  { heartbeatMs }: KillStateSettings,
  nowMs: number,
): boolean {
  const ageMs = nowMs - row.issued_at.getTime();
  return row.content_sha256 === digestOf(content) && ageMs >= 0 && ageMs < heartbeatMs;
}

async function signAnew(
  sql: Sql,
  {
    latest,
    content,
    settings,
    nowMs,
  }: {
    readonly latest: KillStateRow | undefined;
    readonly content: Content;
    readonly settings: KillStateSettings;
    readonly nowMs: number;
  },
): Promise<SignedKillState> {
  const sequence = Math.max(Number(latest?.sequence ?? 0) + 1, Math.floor(nowMs / 1_000));
  const state = encodeManifest(killStateSchema, {
    ...{ schema: 'aifi.kill-state.v1', sequence, issuedAtMs: nowMs },
    ...content,
  });
  const signature = signManifest(state, settings.signingKey);
  const made = await sql.run(
    `INSERT INTO kill_state (site_id, sequence, content_sha256, state, signature, issued_at)
       SELECT site_id, $1, $2, $3, $4, $5 FROM site
     ON CONFLICT (site_id) DO UPDATE SET sequence = excluded.sequence, state = excluded.state,
       content_sha256 = excluded.content_sha256, signature = excluded.signature,
       issued_at = excluded.issued_at`,
    sequence,
    digestOf(content),
    state,
    signature,
    new Date(nowMs),
  );
  if (made !== 1) throw new AifiError('FORBIDDEN', 'the site is not enrolled');
  crashPoint('hub.control.signed');
  return { sequence, state, signature };
}

const readRow = (sql: Sql): Promise<KillStateRow | undefined> =>
  sql.row<KillStateRow>(
    'SELECT sequence, content_sha256, state, signature, issued_at FROM kill_state',
  );
const signedOf = ({ sequence, state, signature }: KillStateRow): SignedKillState => ({
  ...{ sequence: Number(sequence), state, signature },
});
