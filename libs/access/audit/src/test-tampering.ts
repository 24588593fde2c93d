/**
 * Every way to tamper with a trail without its key, as fast-check arbitraries.
 * Decides what an attacker with the database may do: edit a field, edit and hash anew, delete,
 * insert a forged record, repeat or swap records, cut off the end, rewrite everything.
 * Invariant: the tampered trail is never equal to the one that was written.
 */
import fc from 'fast-check';
import type { AuditRecord } from '@aifi/contracts-rest';
import { recordHash } from './chain.js';
import { aDraft, sealAll } from './test-trail.js';

export interface Tampering {
  readonly kind: string;
  /** Sequence of the record it was done to. */
  readonly sequence: number;
  readonly records: readonly AuditRecord[];
}

const TEXT_FIELDS = [
  ...(['act', 'userId', 'userName', 'siteId', 'objectId', 'sourceAddress'] as const),
  ...(['reason', 'role', 'patientId', 'previousHash', 'hash', 'code'] as const),
];

const resealed = (record: AuditRecord): AuditRecord =>
  ({ ...record, hash: recordHash(record) }) as AuditRecord;

/** Tamperings with a trail of at least two records. */
export function anyTampering(trail: readonly AuditRecord[]): fc.Arbitrary<Tampering> {
  const at = fc.nat({ max: trail.length - 1 });
  const edited = fc
    .tuple(at, fc.constantFrom(...TEXT_FIELDS), fc.constantFrom('', 'x', 'f'.repeat(64)))
    .filter(([index, field, value]) => trail[index]![field] !== value)
    .map(([index, field, value]) => ({
      ...{ kind: `edited ${field}`, sequence: index + 1 },
      records: trail.with(index, { ...trail[index]!, [field]: value } as AuditRecord),
    }));
  const numbers = fc
    .tuple(at, fc.constantFrom('atMs', 'detail'), fc.integer({ min: 5, max: 900 }))
    .map(([index, field, by]) => {
      const record = trail[index]!;
      const over = field === 'atMs' ? { atMs: record.atMs + by } : { detail: { count: -by } };
      return {
        ...{ kind: `edited ${field}`, sequence: index + 1 },
        records: trail.with(index, { ...record, ...over }),
      };
    });
  const hashedAnew = at.map((index) => ({
    ...{ kind: 'edited and hashed anew', sequence: index + 1 },
    records: trail.with(index, resealed({ ...trail[index]!, userId: 'somebody else' })),
  }));
  const deleted = at.map((index) => ({
    ...{ kind: 'deleted', sequence: index + 1 },
    records: trail.toSpliced(index, 1),
  }));
  const inserted = at.map((index) => {
    const forged = resealed({ ...trail[index]!, userId: 'somebody else' });
    return {
      ...{ kind: 'inserted', sequence: index + 1 },
      records: trail.toSpliced(index, 0, forged),
    };
  });
  const repeated = fc.tuple(at, at).map(([index, to]) => ({
    ...{ kind: 'repeated', sequence: index + 1 },
    records: trail.toSpliced(to, 0, trail[index]!),
  }));
  const swapped = fc
    .tuple(at, at)
    .filter(([a, b]) => a < b)
    .map(([a, b]) => ({
      ...{ kind: 'swapped', sequence: a + 1 },
      records: trail.with(a, trail[b]!).with(b, trail[a]!),
    }));
  const cut = fc.integer({ min: 1, max: trail.length }).map((count) => ({
    ...{ kind: 'cut off', sequence: trail.length - count + 1 },
    records: trail.slice(0, trail.length - count),
  }));
  const rewritten = fc.constant({
    ...{ kind: 'rewritten', sequence: 1 },
    records: sealAll(trail.map(() => aDraft({ userId: 'somebody else' }))),
  });
  return fc.oneof(
    ...[edited, numbers, hashedAnew, deleted, inserted],
    ...[repeated, swapped, cut, rewritten],
  );
}
