/**
 * IdentityEventLog: every identity event of the hospital, once, in a database file of its own.
 * Decides that events are kept: a study that arrives after a merge needs it as much as one that
 * was there. Invariants: mode 0600; an event is one sealed row (AES-256-GCM, key epoch beside it);
 * patients are found by keyed digests only; the same event id is never two events.
 * Source: reliability specification C5; security specification 6 (keys); NIST SP 800-38D.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { GatewayDatabase, type Migration } from '@aifi/gateway-database';
import { AifiError, canonicalJson } from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';
import {
  identityEventSchema,
  normalisedId,
  type IdentityEvent,
  type IdentityEventInput,
} from './identity-event.js';

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    up: `
CREATE TABLE identity_event (
  event_id TEXT PRIMARY KEY,
  -- keyed digests of both patient numbers
  from_token BLOB NOT NULL,
  into_token BLOB NOT NULL,
  -- key epoch that sealed the row
  epoch INTEGER NOT NULL,
  -- nonce (12), tag (16), IdentityEvent as JSON
  sealed BLOB NOT NULL,
  recorded_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_event_from ON identity_event (from_token);
CREATE INDEX identity_event_into ON identity_event (into_token);
CREATE TRIGGER identity_event_is_immutable BEFORE UPDATE ON identity_event
BEGIN SELECT RAISE(ABORT, 'an identity event never changes'); END`,
  },
];
const NONCE_BYTES = 12;
const BODY_OFFSET = NONCE_BYTES + 16;

interface EventRow {
  readonly event_id: string;
  readonly epoch: number;
  readonly sealed: Uint8Array;
}

export class IdentityEventLog {
  /** Last work of each study. */
  readonly #last = new Map<string, Promise<unknown>>();

  private constructor(
    private readonly database: GatewayDatabase,
    private readonly ring: KeyRing,
  ) {}

  static open(path: string, ring: KeyRing): IdentityEventLog {
    const database = GatewayDatabase.open(path, MIGRATIONS);
    // What is erased is overwritten on disk.
    database.read((sql) => sql.all('PRAGMA secure_delete = ON'));
    return new IdentityEventLog(database, ring);
  }

  /**
   * Makes an event durable; false when it was on record already. INVALID_ARGUMENT when it is no
   * event, STATE_CONFLICT when its id came with other content before.
   */
  async record(input: IdentityEventInput, atMs: number): Promise<boolean> {
    const parsed = identityEventSchema.safeParse(input);
    if (!parsed.success) throw new AifiError('INVALID_ARGUMENT', 'not an identity event');
    const event = parsed.data;
    const { eventId } = event;
    return this.database.write((sql) => {
      const known = sql.get<EventRow>(
        'SELECT event_id, epoch, sealed FROM identity_event WHERE event_id = ?',
        eventId,
      );
      if (known) {
        if (canonicalJson(this.#opened(known)) === canonicalJson(event)) return false;
        throw new AifiError('STATE_CONFLICT', 'an event id came with other content');
      }
      sql.run(
        'INSERT INTO identity_event VALUES (?, ?, ?, ?, ?, ?)',
        ...[eventId, this.#token(event.from.id), this.#token(event.into.id)],
        ...[this.ring.current.epoch, this.#sealed(event), atMs],
      );
      return true;
    });
  }

  /** Events about the studies of whoever has this number, whatever its issuer. */
  about(patientId: string): IdentityEvent[] {
    return this.database
      .read((sql) =>
        sql.all<EventRow & object>(
          'SELECT event_id, epoch, sealed FROM identity_event WHERE from_token = ?',
          this.#token(patientId),
        ),
      )
      .map((row) => this.#opened(row));
  }

  /** Removes the events that name a number; says how many those were. */
  erase(patientId: string): Promise<number> {
    const token = this.#token(patientId);
    return this.database.write((sql) =>
      sql.run('DELETE FROM identity_event WHERE from_token = ? OR into_token = ?', token, token),
    );
  }
  /** Epochs of the keys under which events are sealed: the ring must keep them. */
  epochsInUse(): readonly number[] {
    return this.database
      .read((sql) => sql.all<{ epoch: number }>('SELECT DISTINCT epoch FROM identity_event'))
      .map(({ epoch }) => epoch);
  }

  /** Removes what was recorded before; no study that is still kept may need it. */
  expire(beforeMs: number): Promise<number> {
    return this.database.write((sql) =>
      sql.run('DELETE FROM identity_event WHERE recorded_ms < ?', beforeMs),
    );
  }

  /** One after the other for a study: what is read and what is appended upon it belong together. */
  exclusively<T>(studyUid: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(studyUid) ?? Promise.resolve()).then(work);
    const settled = done.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(studyUid, settled);
    void settled.then(() => {
      if (this.#last.get(studyUid) === settled) this.#last.delete(studyUid);
    });
    return done;
  }
  close(): void {
    this.database.close();
  }

  /** The index key is the same in every epoch, so that a number is found after a rotation. */
  #token(patientId: string): Buffer {
    const key = createHmac('sha256', this.ring.current.index).update('identity-event').digest();
    return createHmac('sha256', key).update(normalisedId(patientId)).digest();
  }
  #key(epoch: number): Buffer {
    const keys = this.ring.epoch(epoch);
    if (!keys) throw new AifiError('CONFIG_INVALID', 'the keys of an identity event are gone');
    return createHmac('sha256', keys.vault).update('identity-event').digest();
  }

  #sealed(event: IdentityEvent): Buffer {
    const { epoch } = this.ring.current;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key(epoch), nonce);
    cipher.setAAD(Buffer.from(event.eventId));
    const body = Buffer.concat([cipher.update(canonicalJson(event)), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]);
  }
  #opened({ event_id: eventId, epoch, sealed }: EventRow): IdentityEvent {
    const bytes = Buffer.from(sealed);
    try {
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', this.#key(epoch), nonce);
      decipher.setAAD(Buffer.from(eventId));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, BODY_OFFSET));
      const plain = Buffer.concat([decipher.update(bytes.subarray(BODY_OFFSET)), decipher.final()]);
      return identityEventSchema.parse(JSON.parse(plain.toString('utf8')));
    } catch (cause) {
      throw new AifiError('UNTRUSTED', 'an identity event does not open', { cause });
    }
  }
}
