/**
 * Vault: the linkage between identity and pseudonym, in a database of its own, each row sealed.
 * Decides what a job was sent as, which original a pseudonymous UID stands for, who the patient is
 * now, and which product made which result. Invariants: recording twice changes nothing; as sent
 * never changes; history only grows; a vault of other keys does not open and is not written.
 * Source: architecture 4; reliability specification C5, C7, P1; security specification 5 (keys).
 */
import { GatewayDatabase, type Migration, type Sql } from '@aifi/gateway-database';
import { systemClock, type Clock, type JobId, type OriginalUid } from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';
import type { PatientKey } from './blind-index.js';
import { ErasureList, erasureListPath } from './erasure-list.js';
import { applyErasure, expireJobs, expireOrphans, isApplied, type Erased } from './erasure.js';
import { countsOf, type VaultCounts } from './vault-counts.js';
import {
  appendEntry,
  appendReceived,
  currentOf,
  historyOf,
  oldestIdentityMs,
  patientOf,
  studiesOfPatient,
  studyIndexesOfPatient,
  studyUidOf,
  versionOf,
  type IdentityEntry,
  type NewIdentity,
} from './identity-history.store.js';
import type { Identity } from './identity.js';
import {
  isLinked,
  jobsUnusedSince,
  linkageOf,
  noteResult,
  putLinkage,
  studyIndexOf,
  uidsOf,
  type Linkage,
} from './linkage.store.js';
import { emptyLog, hasPlainRows, scrub, sealPlainRows } from './plain-rows.js';
import {
  expireResults,
  putResult,
  recalled,
  resultOf,
  type NewResult,
  type RecallQuery,
  type RegisteredResult,
} from './result-register.store.js';
import { UidMapCache, type UidMap } from './uid-map.js';
import {
  GATEWAY_ACTOR,
  VaultActs,
  type ActRow,
  type VaultAct,
  type VaultActDraft,
} from './vault-act.js';
import { checkKeys, epochsInUse, vaultKeysOf, type VaultKeys } from './vault-keys.js';
import { VAULT_MIGRATIONS } from './vault-migrations.js';

/** How long the vault keeps what; set by the hospital. */
export interface VaultRetention {
  /** A linkage after its last result. @unit d @default 90 */
  readonly linkageDays: number;
  /** A registered result after the study date. @unit a @default 20 */
  readonly registerYears: number;
}
export const DEFAULT_RETENTION: VaultRetention = { linkageDays: 90, registerYears: 20 };
export interface VaultOptions {
  readonly retention?: VaultRetention;
  /** Of acts that nobody asked for: a rotation that is seen at open, an erasure applied again. */
  readonly clock?: Clock;
  /** Who opens it, for a rotation that is seen then. @default 'gateway' */
  readonly actor?: string;
  /** @default a file at the path */
  readonly database?: (migrations: readonly Migration[]) => GatewayDatabase;
}
export interface ErasureOptions {
  /** What the hospital decides for the register of results. @default 'keep' */
  readonly results?: 'keep' | 'erase';
  /** Account of the person who did it. */
  readonly actor?: string;
}
export interface ExpiryOptions {
  /** True for a job that is not at its end: its linkage stays, however old. */
  readonly isOpen?: (jobId: JobId) => boolean;
}

const DAY_MS = 86_400_000;
/** Rows of one transaction of expiry: others may write in between. */
const EXPIRED_ROWS_MAX = 200;
const ACTS_MAX = 1_000;

export class Vault {
  readonly #maps = new UidMapCache();

  private constructor(
    private readonly database: GatewayDatabase,
    private readonly keys: VaultKeys,
    private readonly erasures: ErasureList,
    private readonly options: Required<Omit<VaultOptions, 'database'>> & {
      readonly acts: VaultActs;
    },
  ) {}

  /**
   * Opens or creates the vault's database (mode 0600); rows of an older release are sealed first,
   * erasures that it does not know yet are applied. CONFIG_INVALID when the keys are not its own.
   */
  static open(path: string, ring: KeyRing, options: VaultOptions = {}): Vault {
    const keys = vaultKeysOf(ring);
    const acts = new VaultActs(keys.index);
    const erasures = new ErasureList(erasureListPath(path), keys.index);
    const { retention = DEFAULT_RETENTION, clock = systemClock, actor = GATEWAY_ACTOR } = options;
    const database =
      options.database?.(VAULT_MIGRATIONS) ?? GatewayDatabase.open(path, VAULT_MIGRATIONS);
    try {
      const sut = new Vault(database, keys, erasures, { retention, clock, actor, acts });
      sut.#prepare();
      return sut;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #prepare(): void {
    const { acts, actor, clock } = this.options;
    const nowMs = clock.nowMs();
    this.database.read((sql) => {
      sql.get('PRAGMA secure_delete=ON');
      const wasPlain = hasPlainRows(sql);
      const hasErased = inTransaction(sql, () => {
        checkKeys(sql, this.keys, nowMs, (epoch) =>
          acts.append(sql, { atMs: nowMs, act: 'rotated', actor, detail: { epoch } }),
        );
        if (wasPlain) sealPlainRows(sql, this.keys);
        return this.#applyList(sql, nowMs) > 0;
      });
      if (wasPlain) scrub(sql);
      else if (hasErased) emptyLog(sql);
    });
  }

  /** Applies the erasures of the list that this database has not; how many. */
  #applyList(sql: Sql, atMs: number): number {
    const missing = this.erasures.all().filter((erasure) => !isApplied(sql, erasure));
    for (const erasure of missing) {
      const { jobs, results } = applyErasure(sql, erasure);
      const detail = { jobs, results, cause: 'applied-again' };
      this.options.acts.append(sql, { atMs, act: 'erased', detail });
    }
    return missing.length;
  }

  /**
   * Makes linkage, UID map and received identity durable, in one transaction. Safe to repeat with
   * the same values; INTERNAL when the job is linked to something else already, STATE_CONFLICT when
   * its linkage was erased.
   */
  async recordLinkage(linkage: Linkage, uids: UidMap, atMs: number): Promise<void> {
    const { jobId, studyUid, epoch, asSent: identity } = linkage;
    await this.#write((sql, act) => {
      const studyIndex = this.keys.index.study(studyUid);
      if (putLinkage(sql, this.keys, linkage, { uids, atMs })) {
        const detail = { epoch, uids: uids.size };
        act({ atMs, act: 'linked', jobId, studyIndex, detail });
      }
      const received: NewIdentity = { studyUid, identity, source: 'received', atMs };
      if (appendReceived(sql, this.keys, received)) {
        act({ atMs, act: 'identity-changed', jobId, studyIndex, detail: { source: 'received' } });
      }
    });
    this.#maps.delete(jobId);
  }

  /** What the job was sent as; undefined when it is not ours, or erased. */
  linkage(jobId: JobId): Linkage | undefined {
    return this.#read((sql) => linkageOf(sql, this.keys, jobId));
  }

  /** The original behind a pseudonymous UID of this job. */
  originalUid(jobId: JobId, pseudonym: string): OriginalUid | undefined {
    return this.#read((sql) => {
      // Another process may have erased the job since its map was opened.
      if (!isLinked(sql, jobId)) {
        this.#maps.delete(jobId);
        return undefined;
      }
      let map = this.#maps.get(jobId);
      if (!map) {
        map = uidsOf(sql, this.keys, jobId);
        this.#maps.put(jobId, map);
      }
      return (map as ReadonlyMap<string, OriginalUid>).get(pseudonym);
    });
  }

  /** Who the patient of this study is now: the newest row of the history. */
  currentIdentity(studyUid: OriginalUid): Identity | undefined {
    return this.#read((sql) => currentOf(sql, this.keys, studyUid));
  }

  /** Oldest first; empty when the vault knows nothing of the study, or no longer. */
  identityHistory(studyUid: OriginalUid): readonly IdentityEntry[] {
    return this.#read((sql) => historyOf(sql, this.keys, studyUid));
  }

  /** Counts the entries of the history: it changes with each. 0: the vault knows nothing. */
  identityVersion(studyUid: OriginalUid): number {
    return this.#read((sql) => versionOf(sql, this.keys, studyUid));
  }

  /** Makes an identity the current one, also one that was there before (an undone merge). */
  async appendIdentity(entry: NewIdentity): Promise<void> {
    const { studyUid, source, atMs } = entry;
    await this.#write((sql, act) => {
      appendEntry(sql, this.keys, entry);
      const studyIndex = this.keys.index.study(studyUid);
      act({ atMs, act: 'identity-changed', studyIndex, detail: { source } });
    });
  }

  /** Studies whose current identity is this patient. */
  studiesOfPatient(patient: PatientKey): readonly OriginalUid[] {
    return this.#read((sql) => studiesOfPatient(sql, this.keys, patient));
  }

  /** Puts results on the register. Safe to repeat; a result UID never stands for two results. */
  async registerResults(entries: readonly NewResult[], atMs: number): Promise<void> {
    if (entries.length === 0) return;
    const years = this.options.retention.registerYears;
    await this.#write((sql, act) => {
      for (const entry of entries) {
        const { jobId, studyUid, product, productVersion, issue } = entry;
        const current = currentOf(sql, this.keys, studyUid);
        const patientIndex = current ? this.keys.index.patient(patientOf(current)) : null;
        if (!putResult(sql, this.keys, entry, { atMs, years, patientIndex })) continue;
        noteResult(sql, jobId, atMs);
        const studyIndex = this.keys.index.study(studyUid);
        const detail = { product, version: productVersion, issue };
        act({ atMs, act: 'registered', jobId, studyIndex, detail });
      }
    });
  }

  /** Every registered result of a product, the oldest first; also when the linkage is gone. */
  recall(query: RecallQuery): RegisteredResult[] {
    return this.#read((sql) => recalled(sql, this.keys, query));
  }

  /** Which product made this result, from which study. */
  registeredResult(sopInstanceUid: string): RegisteredResult | undefined {
    return this.#read((sql) => resultOf(sql, this.keys, sopInstanceUid));
  }

  /** Puts on record that the job's linkage was opened: by a stage for an outcome, by a person. */
  async recordOpened(
    opened: { readonly jobId: JobId; readonly actor?: string; readonly purpose: string },
    atMs: number,
  ): Promise<void> {
    const { jobId, actor, purpose } = opened;
    await this.#write((sql, act) => {
      const studyIndex = studyIndexOf(sql, jobId);
      act({
        ...{ atMs, act: 'opened', jobId, detail: { purpose } },
        ...(actor && { actor }),
        ...(studyIndex && { studyIndex }),
      });
    });
  }

  /** Puts on record what was done with the vault as a whole. */
  async recordAct(draft: Pick<VaultActDraft, 'act' | 'actor' | 'detail'>, atMs: number) {
    await this.#write((_, act) => act({ ...draft, atMs }));
  }

  /** Acts after a place, oldest first. */
  actsAfter(sequence: number, limit = ACTS_MAX): readonly VaultAct[] {
    return this.#read((sql) =>
      this.options.acts.after(sql, sequence, limit).map((row) => this.#actOf(sql, row)),
    );
  }
  #actOf(sql: Sql, row: ActRow): VaultAct {
    const study = row.study_index;
    return {
      ...{ sequence: row.sequence, atMs: row.at_ms, act: row.act, actor: row.actor },
      ...{ jobId: row.job_id, detail: JSON.parse(row.detail) as VaultAct['detail'] },
      studyUid: (study && studyUidOf(sql, this.keys, study)) ?? null,
      hash: hexOf(row.hash),
    };
  }

  /** Sequence of the first act that was changed or lost; undefined: the chain is whole. */
  firstBrokenAct(): number | undefined {
    return this.#read((sql) => this.options.acts.firstBroken(sql));
  }

  /** When the oldest identity that is kept was told; undefined: none is. */
  oldestIdentityMs(): number | undefined {
    return this.#read(oldestIdentityMs);
  }

  /** What the vault holds, in numbers. */
  counts(): VaultCounts {
    return this.#read(countsOf);
  }

  /** Epochs that the key ring must keep. */
  epochsInUse(): readonly number[] {
    return this.#read(epochsInUse);
  }

  /** Erases what has been kept long enough; counts of linkages and register rows. */
  async expire(nowMs: number, { isOpen }: ExpiryOptions = {}): Promise<Erased> {
    const beforeMs = nowMs - this.options.retention.linkageDays * DAY_MS;
    const due = this.#read((sql) => jobsUnusedSince(sql, beforeMs));
    const jobs = due.filter((jobId) => isOpen?.(jobId) !== true);
    const erased = { jobs: 0, results: 0 };
    for (let from = 0; from < jobs.length; from += EXPIRED_ROWS_MAX) {
      const some = jobs.slice(from, from + EXPIRED_ROWS_MAX);
      erased.jobs += await this.#write((sql) => expireJobs(sql, some));
    }
    for (let count = EXPIRED_ROWS_MAX; count === EXPIRED_ROWS_MAX;) {
      count = await this.#write((sql) => expireResults(sql, nowMs, EXPIRED_ROWS_MAX));
      erased.results += count;
    }
    await this.#write((sql, act) => {
      expireOrphans(sql, beforeMs);
      if (erased.jobs + erased.results === 0) return;
      act({ atMs: nowMs, act: 'expired', detail: { ...erased } });
    });
    this.#forget();
    return erased;
  }

  /**
   * Erases a patient: linkages and identities of the studies that are theirs now, their traces in
   * the past of others', and, if so decided, their registered results. On the erasure list first.
   */
  async erasePatient(
    patient: PatientKey,
    atMs: number,
    { results = 'keep', actor }: ErasureOptions = {},
  ): Promise<Erased> {
    const index = this.keys.index.patient(patient);
    const bare = this.keys.index.patient({ ...patient, issuer: '' });
    if (!index || !bare) return { jobs: 0, results: 0 };
    const erased = await this.#write((sql, act) => {
      const studies = studyIndexesOfPatient(sql, index).map((study) => hexOf(study));
      const erasure = this.erasures.append({
        ...{ atMs, patient: hexOf(index), bare: hexOf(bare), studies },
        results: results === 'erase',
      });
      const counts = applyErasure(sql, erasure);
      const detail = { ...counts, cause: 'request' };
      act({ atMs, act: 'erased', detail, ...(actor && { actor }) });
      return counts;
    });
    this.#forget();
    return erased;
  }

  #forget(): void {
    this.#maps.clear();
    this.#read(emptyLog);
  }

  #read<T>(work: (sql: Sql) => T): T {
    return this.database.read(work);
  }
  #write<T>(work: (sql: Sql, act: (draft: VaultActDraft) => void) => T): Promise<T> {
    return this.database.write((sql) => work(sql, (draft) => this.options.acts.append(sql, draft)));
  }

  close(): void {
    this.database.close();
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function inTransaction<T>(sql: Sql, work: () => T): T {
  sql.run('BEGIN IMMEDIATE');
  try {
    const value = work();
    sql.run('COMMIT');
    return value;
  } catch (error) {
    sql.run('ROLLBACK');
    throw error;
  }
}
