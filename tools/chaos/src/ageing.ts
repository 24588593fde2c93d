/**
 * Ageing: rows of hub and gateway made to look older, so that what happens once an hour or once a
 * night happens within a run, again and again, and can be killed on the way.
 * Decides what ages: a finished check of digests, an object whose row is gone and whose file waits;
 * what a gateway has read or was told once.
 * Invariants: no content changes, only the time at which something was noted; who does not answer
 * is asked again later. Source: reliability specification 2 (digests, deletion in two steps).
 */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { systemClock } from '@aifi/shared-kernel';

/** A hub that was killed is up again within a few of these. @unit ms */
const EVERY_MS = 4_000;
const ANSWER_MS_MAX = 3_000;
/** What a gateway forgets, so that it comes to a point at once; by the start of its name. */
const FORGOTTEN: Readonly<Record<string, string>> = {
  'gateway.reconcile.': 'DELETE FROM digest_pass',
  'gateway.rules.': "DELETE FROM setting WHERE key = 'routing-rules'",
};
const HUB_ROWS = `
  UPDATE digest_pass SET started_at = started_at - interval '1 day'
    WHERE finished_at IS NOT NULL AND started_at > now() - interval '1 day';
  UPDATE object_removal SET marked_at = marked_at - interval '2 hours'
    WHERE marked_at > now() - interval '1 hour'`;

export class HubAgeing {
  constructor(private readonly hubFolder: string) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await systemClock.sleep(EVERY_MS, signal);
      // Down, starting or recovering: later.
      if (!signal.aborted) await this.#once().catch(() => undefined);
    }
  }

  async #once(): Promise<void> {
    const client = new pg.Client({
      ...{ connectionString: this.#superuserUrl(), connectionTimeoutMillis: ANSWER_MS_MAX },
      ...{ query_timeout: ANSWER_MS_MAX, statement_timeout: ANSWER_MS_MAX },
    });
    // A server that is killed ends connections whenever it likes.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(HUB_ROWS);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #superuserUrl(): string {
    const passwords = readFileSync(join(this.hubFolder, 'postgres-passwords.json'), 'utf8');
    const { postgres } = JSON.parse(passwords) as { postgres: string };
    const folder = realpathSync(join(this.hubFolder, 'postgres'));
    // Line 4 of postmaster.pid is the port (PostgreSQL documentation, "Server File Layout").
    const port = readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[3];
    return `postgres://postgres:${postgres}@127.0.0.1:${port}/aifi`;
  }
}

/** Before a gateway starts that is to die in its nightly check, or at its first rules. */
export function ageGateway(gatewayFolder: string, point: string): void {
  const [, sql] = Object.entries(FORGOTTEN).find(([start]) => point.startsWith(start)) ?? [];
  if (sql === undefined) return;
  try {
    const database = new DatabaseSync(join(gatewayFolder, 'gateway.db'), { timeout: 1_000 });
    try {
      database.exec(sql);
    } finally {
      database.close();
    }
  } catch {
    // Its disk is full, or it was never up: the point comes again.
  }
}
