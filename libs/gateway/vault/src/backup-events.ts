/**
 * Identity events within a backup of the vault: a table of the snapshot, as sealed as they were.
 * Decides that vault and events are one file, so that none is restored without the other, and that
 * events of a backup come to those that are there, which are newer.
 * Invariants: rows are copied as they are, never opened; the table leaves the vault before it is
 * used; whoever is on the erasure list does not come back.
 * Source: reliability specification 3 (restore drill); GDPR Article 17.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { KeyRing } from '@aifi/shared-site-keys';
import { IdentityEventLog } from './identity-event-log.js';

const TABLE = 'backup_identity_event';

/** Copies the events into the snapshot of a vault. Their log may be in use. */
export function packEvents(eventsPath: string, snapshot: string): void {
  if (!existsSync(eventsPath)) return;
  const database = new DatabaseSync(snapshot);
  try {
    database.prepare('ATTACH ? AS events').run(eventsPath);
    database.exec(`CREATE TABLE ${TABLE} AS SELECT * FROM events.identity_event`);
  } finally {
    database.close();
  }
}

/** Where events come to. */
export interface EventsPlace {
  readonly path: string;
  readonly ring: KeyRing;
  readonly erasureListPath: string;
}

/** Takes the events out of a restored snapshot; nothing of them stays in it. */
export function unpackEvents(snapshot: string, place: EventsPlace | undefined): void {
  if (!hasEvents(snapshot)) return;
  if (place) {
    const { path, ring, erasureListPath } = place;
    const log = IdentityEventLog.open(path, ring);
    log.takeOver(snapshot, TABLE);
    log.close();
    IdentityEventLog.open(path, ring, { erasureListPath }).close();
  }
  const database = new DatabaseSync(snapshot);
  try {
    database.exec(`DROP TABLE ${TABLE}; VACUUM`);
  } finally {
    database.close();
  }
}

function hasEvents(snapshot: string): boolean {
  const database = new DatabaseSync(snapshot, { readOnly: true });
  try {
    const query = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
    return database.prepare(query).get(TABLE) !== undefined;
  } finally {
    database.close();
  }
}
