/**
 * IdentityEventLog: every identity event of the hospital, once, in a database file of its own.
 * Decides that events are kept: a study that arrives after a merge needs it as much as one that
 * was there. Invariants: mode 0600; an event is one sealed row (AES-256-GCM, key epoch beside it);
 * patients are found by keyed digests only; the same event id is never two events.
 * Source: reliability specification C5; security specification 6 (keys); NIST SP 800-38D.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { GatewayDatabase, type Migration, type Sql } from '@aifi/gateway-database';
import { AifiError, canonicalJson, invariant } from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';
import { BlindIndex, type PatientKey } from './blind-index.js';
import { ErasureList } from './erasure-list.js';
import {
  identityEventSchema,
  normalisedId,
  type IdentityEvent,
  type IdentityEventInput,
  type PatientIdentifier,
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
  -- blind indexes of both patients, issuer included: who is erased is found by these
  from_patient BLOB NOT NULL,
  into_patient BLOB NOT NULL,
  -- key epoch that sealed the row
  epoch INTEGER NOT NULL,
  -- nonce (12), tag (16), IdentityEvent as JSON
  sealed BLOB NOT NULL,
  recorded_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_event_from ON identity_event (from_token);
CREATE INDEX identity_event_from_patient ON identity_event (from_patient);
CREATE INDEX identity_event_into_patient ON identity_event (into_patient);
CREATE INDEX identity_event_recorded ON identity_event (recorded_ms);
CREATE TRIGGER identity_event_is_immutable BEFORE UPDATE ON identity_event
BEGIN SELECT RAISE(ABORT, 'an identity event never changes'); END`,
  },
];
const NONCE_BYTES = 12;
const BODY_OFFSET = NONCE_BYTES + 16;

const COLUMNS = [
  ...['event_id', 'from_token', 'into_token', 'from_patient', 'into_patient', 'epoch', 'sealed'],
  'recorded_ms',
].join(', ');

export interface IdentityEventLogOptions {
  /** Of the vault beside it: whoever is on it is erased here too, at each open. */
  readonly erasureListPath?: string;
  /** @default a file at the path */
  readonly database?: (migrations: readonly Migration[]) => GatewayDatabase;
}
interface EventRow {
  readonly event_id: string;
  readonly epoch: number;
  readonly sealed: Uint8Array;
}

export class IdentityEventLog {
  /** Last work of each study. */
  readonly #last = new Map<string, Promise<unknown>>();

  readonly #index: BlindIndex;
  readonly #tokenKey: KeyObject;
  readonly #eventKeys = new Map<number, KeyObject>();

  private constructor(
    private readonly database: GatewayDatabase,
    private readonly ring: KeyRing,
  ) {
    this.#index = new BlindIndex(ring);
    // The index key is the same in every epoch: a number is found after a rotation.
    this.#tokenKey = derivedKey(ring.current.index);
  }

  /** Opens or creates the log, without whoever is on the erasure list by now. */
  static open(path: string, ring: KeyRing, options: IdentityEventLogOptions = {}) {
    const database = options.database?.(MIGRATIONS) ?? GatewayDatabase.open(path, MIGRATIONS);
    const sut = new IdentityEventLog(database, ring);
    try {
      // What is erased is overwritten on disk.
      database.read((sql) => sql.all('PRAGMA secure_delete = ON'));
      if (options.erasureListPath) sut.#applyList(options.erasureListPath);
      return sut;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** A backup brings events back that were erased since; what came after an erasure stays. */
  #applyList(path: string): void {
    const erasures = new ErasureList(path, this.#index).all();
    this.database.read((sql) => {
      for (const { patient, bare, atMs } of erasures) {
        eraseEvents(sql, [patient, ...(bare ? [bare] : [])].map(bytesOf), atMs);
      }
    });
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
        `INSERT INTO identity_event (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[eventId, this.#token(event.from.id), this.#token(event.into.id)],
        ...[this.#patient(event.from), this.#patient(event.into)],
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

  /**
   * Removes the events that name a patient, those without an issuer included, for they may mean
   * this one; says how many those were. What a merge loses by that is held, never misdirected.
   */
  erase(patient: PatientKey): Promise<number> {
    const indexes = [patient, { ...patient, issuer: '' }].map((key) => this.#index.patient(key));
    const known = indexes.filter((index) => index !== null);
    return this.database.write((sql) => eraseEvents(sql, known, Number.MAX_SAFE_INTEGER));
  }

  /** Takes over the events of a backup's table that are not here; says how many. */
  takeOver(snapshot: string, table: string): number {
    const source = new DatabaseSync(snapshot, { readOnly: true });
    try {
      const rows = source.prepare(`SELECT ${COLUMNS} FROM ${table}`).all();
      return this.database.read((sql) =>
        rows.reduce(
          (count, row) =>
            count +
            sql.run(
              `INSERT OR IGNORE INTO identity_event (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
              ...Object.values(row),
            ),
          0,
        ),
      );
    } finally {
      source.close();
    }
  }
  /** Epochs of the keys under which events are sealed: the ring must keep them. */
  epochsInUse(): readonly number[] {
    return this.database
      .read((sql) => sql.all<{ epoch: number }>('SELECT DISTINCT epoch FROM identity_event'))
      .map(({ epoch }) => epoch);
  }

  count(): number {
    return this.database.read((sql) =>
      sql.get<{ count: number }>('SELECT count(*) AS count FROM identity_event'),
    )!.count;
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

  #token(patientId: string): Buffer {
    return createHmac('sha256', this.#tokenKey).update(normalisedId(patientId)).digest();
  }
  #patient({ id, issuer }: PatientIdentifier): Buffer {
    const index = this.#index.patient({ patientId: id, issuer });
    invariant(index, 'a patient of an event has a number');
    return index;
  }
  #key(epoch: number): KeyObject {
    const known = this.#eventKeys.get(epoch);
    if (known) return known;
    const keys = this.ring.epoch(epoch);
    if (!keys) throw new AifiError('CONFIG_INVALID', 'the keys of an identity event are gone');
    const key = derivedKey(keys.vault);
    this.#eventKeys.set(epoch, key);
    return key;
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

const derivedKey = (key: Uint8Array): KeyObject =>
  createSecretKey(createHmac('sha256', key).update('identity-event').digest());
const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** Events that name one of these patients and were recorded until then. */
function eraseEvents(sql: Sql, patients: readonly Buffer[], untilMs: number): number {
  return patients.reduce(
    (count, patient) =>
      count +
      sql.run(
        `DELETE FROM identity_event
         WHERE recorded_ms <= ? AND (from_patient = ? OR into_patient = ?)`,
        ...[untilMs, patient, patient],
      ),
    0,
  );
}
