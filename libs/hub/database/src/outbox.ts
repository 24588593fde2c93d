/**
 * Outbox: events written in the transaction of what they tell.
 * Decides the form of an event: id (UUIDv7, ordered by time), type and a payload without identity.
 * Invariant: no event without its change and no change without its event.
 * Source: RFC 9562 5.7 (UUIDv7); architecture 3 (Kafka); conventions 1 (event names).
 */
import { randomBytes } from 'node:crypto';
import type { SiteId } from '@aifi/shared-kernel';
import type { Sql } from './sql.js';

/** `aifi.<domain>.<noun>.<past-participle>.v1` */
export type EventType =
  | 'aifi.study.study.stored.v1'
  | 'aifi.study.job.routed.v1'
  | 'aifi.study.job.inferred.v1'
  | 'aifi.study.outcome.concluded.v1'
  | 'aifi.study.outcome.acknowledged.v1';

/** UUIDv7: 48 bits of milliseconds, version, 74 random bits. */
export function uuidV7(atMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(atMs, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export interface HubEvent {
  readonly siteId: SiteId;
  readonly type: EventType;
  readonly atMs: number;
  readonly payload: Readonly<Record<string, string | number>>;
}

export async function recordEvent(sql: Sql, event: HubEvent): Promise<void> {
  await sql.run(
    `INSERT INTO outbox (site_id, event_id, type, payload, created_at) VALUES ($1, $2, $3, $4, $5)`,
    event.siteId,
    uuidV7(event.atMs),
    event.type,
    JSON.stringify(event.payload),
    new Date(event.atMs),
  );
}
