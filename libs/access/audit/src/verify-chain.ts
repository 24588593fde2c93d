/**
 * verifyChain: whether records are what was written, and the first place where they are not.
 * Decides how a break is named. The verifier of tools/audit-verify does the same on its own.
 * Invariants: no record can be edited, deleted, inserted or moved unseen; the end of a chain cannot
 * be cut off or rewritten behind an anchor; its beginning may only be missing up to an anchor older
 * than the retention. Source: security specification 5; hazard H18.
 */
import type { AuditAnchor, AuditRecord } from '@aifi/contracts-rest';
import { FIRST_PREVIOUS_HASH, recordHash } from './chain.js';
import { retentionCut } from './retention.js';

export type BreakKind = 'edited' | 'deleted' | 'inserted' | 'reordered';
/** The first entry that is wrong: for a deleted one the sequence that is not there. */
export interface ChainBreak {
  readonly chain: string;
  readonly sequence: number;
  readonly kind: BreakKind;
}
/** A verified record; sequence 0 is the beginning. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}
export type ChainVerdict =
  | { readonly ok: true; readonly ends: ReadonlyMap<string, ChainEnd>; readonly count: number }
  | { readonly ok: false; readonly broken: ChainBreak };

export interface VerifyOptions {
  /** Where each chain goes on, for what is verified in parts. */
  readonly from?: ReadonlyMap<string, ChainEnd>;
  /** With verified signatures (`verifyAnchor`); without them a cut end is not seen. */
  readonly anchors?: readonly AuditAnchor[];
  /** Absent: no beginning may be missing. */
  readonly nowMs?: number;
}
type Records = Iterable<AuditRecord> | AsyncIterable<AuditRecord>;

/** Verifies records in the order of the export, any number of chains; `from` as in the options. */
export function verifyChain(
  records: Records,
  options: VerifyOptions | ReadonlyMap<string, ChainEnd> = {},
): Promise<ChainVerdict> {
  const walk = new ChainWalk(
    options instanceof Map ? { from: options } : (options as VerifyOptions),
  );
  return walk.verify(records);
}

class ChainWalk {
  readonly #ends: Map<string, ChainEnd>;
  readonly #anchors: readonly AuditAnchor[];
  /** `chain#sequence` to the hash that was signed. */
  readonly #signed = new Map<string, string>();
  readonly #cutMs: number;

  constructor({ from, anchors = [], nowMs }: VerifyOptions) {
    this.#ends = new Map(from);
    this.#anchors = anchors;
    this.#cutMs = nowMs === undefined ? -Infinity : retentionCut(nowMs);
    for (const { chain, sequence, hash } of anchors) {
      const place = `${chain}#${sequence}`;
      // Two anchors that differ at one place: no record can satisfy both.
      const isSecond = (this.#signed.get(place) ?? hash) !== hash;
      this.#signed.set(place, isSecond ? 'none' : hash);
    }
  }

  async verify(records: Records): Promise<ChainVerdict> {
    let count = 0;
    // Set when a record is missing: whether it comes later decides the word.
    let missing: ChainBreak | undefined;
    for await (const record of records) {
      if (missing) {
        const isIt = record.chain === missing.chain && record.sequence === missing.sequence;
        if (isIt) return { ok: false, broken: { ...missing, kind: 'reordered' } };
        continue;
      }
      const broken = this.#take(record);
      if (broken?.kind === 'deleted') missing = broken;
      else if (broken) return { ok: false, broken };
      count++;
    }
    const broken = missing ?? this.#cutEnd();
    return broken ? { ok: false, broken } : { ok: true, ends: this.#ends, count };
  }

  #take(record: AuditRecord): ChainBreak | undefined {
    const { chain, sequence, hash } = record;
    const before = this.#ends.get(chain) ?? this.#beginning(record);
    if (sequence > before.sequence + 1) {
      return { chain, sequence: before.sequence + 1, kind: 'deleted' };
    }
    if (sequence <= before.sequence) return { chain, sequence, kind: 'inserted' };
    const signed = this.#signed.get(`${chain}#${sequence}`) ?? hash;
    if (recordHash(record) !== hash || signed !== hash) return { chain, sequence, kind: 'edited' };
    // Whole in itself, yet of another past: the one before it was edited and hashed anew.
    if (record.previousHash !== before.hash) {
      return { chain, sequence: Math.max(1, before.sequence), kind: 'edited' };
    }
    this.#ends.set(chain, { sequence, hash });
    return undefined;
  }

  /** Where a chain begins: at its beginning, or behind what retention has deleted. */
  #beginning({ chain, sequence, previousHash }: AuditRecord): ChainEnd {
    const deleted = this.#anchors.find(
      (anchor) =>
        anchor.chain === chain &&
        anchor.sequence === sequence - 1 &&
        anchor.hash === previousHash &&
        anchor.madeAtMs < this.#cutMs,
    );
    if (deleted) return { sequence: sequence - 1, hash: previousHash };
    return { sequence: 0, hash: FIRST_PREVIOUS_HASH };
  }

  /** An anchor behind the last record: what it signed is not there any more. */
  #cutEnd(): ChainBreak | undefined {
    const cut = this.#anchors.find(({ chain, sequence, madeAtMs }) => {
      const end = this.#ends.get(chain)?.sequence;
      // Of a chain without records all may be older than the retention.
      return end === undefined ? madeAtMs >= this.#cutMs : sequence > end;
    });
    if (!cut) return undefined;
    const end = this.#ends.get(cut.chain)?.sequence ?? 0;
    return { chain: cut.chain, sequence: end + 1, kind: 'deleted' };
  }
}
