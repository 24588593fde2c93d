/**
 * Goal: nobody changes the trail unseen.
 * Method: sealed chains in memory, tampered with in every way that an attacker has (fast-check).
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FIRST_PREVIOUS_HASH, makeAnchor, recordHash, sealRecord, verifyAnchor } from './chain.js';
import { verifyChain } from './verify-chain.js';
import { anyTampering } from './test-tampering.js';
import { aDraft, aTrail, PUBLIC_KEY, SIGNING_KEY, START_MS } from './test-trail.js';

const place = {
  chain: 'hub:*',
  sequence: 1,
  atMs: START_MS,
  previousHash: FIRST_PREVIOUS_HASH,
};
const trail = aTrail(12);
const anchorOf = (index: number, madeAtMs = START_MS + 60_000) =>
  makeAnchor({ record: trail[index]!, day: '2026-03-03', madeAtMs, signingKey: SIGNING_KEY });

describe(sealRecord.name, () => {
  it('hashes every field but the hash, in canonical form', () => {
    const record = sealRecord(aDraft(), place);
    expect(record.hash).toBe(recordHash(record));
    expect(record).toMatchObject({ ...aDraft(), ...place });
    const { hash, ...rest } = record;
    // Keys in order by JSON.stringify's own list: detail has one member here.
    const keys = [...Object.keys(rest), 'count'].sort();
    expect(hash).toBe(createHash('sha256').update(JSON.stringify(rest, keys)).digest('hex'));
  });
  it('replaces what no database keeps, so that the hash verifies after a round trip', () => {
    const record = sealRecord(aDraft({ reason: 'a\0b\ud800', detail: { 'k\0': '\udc00' } }), place);
    expect(record.reason).toBe('a\ufffdb\ufffd');
    expect(record.detail).toEqual({ 'k\ufffd': '\ufffd' });
  });
  it('refuses a draft without its form: the act must fail', () => {
    const draft = aDraft({ reason: 'x'.repeat(501) });
    expect(() => sealRecord(draft, place)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});

describe(verifyChain.name, () => {
  it('takes what was written, in one part or several', async () => {
    const whole = await verifyChain(trail, { anchors: [anchorOf(11)] });
    expect(whole).toMatchObject({ ok: true, count: 12 });
    const first = await verifyChain(trail.slice(0, 5));
    if (!first.ok) throw new Error('the first part is as written');
    expect(await verifyChain(trail.slice(5), first.ends)).toMatchObject({ ok: true, count: 7 });
  });

  it('keeps chains apart', async () => {
    const other = aTrail(3, 'gateway:hospital-b');
    const mixed = [trail[0]!, other[0]!, other[1]!, trail[1]!, other[2]!];
    expect(await verifyChain(mixed)).toMatchObject({ ok: true, count: 5 });
  });

  it('finds any edit, deletion, insertion, repeat, swap, cut and rewriting', async () => {
    const anchors = [anchorOf(11)];
    const tamper = fc.asyncProperty(anyTampering(trail), async ({ records }) => {
      const verdict = await verifyChain(records, { anchors });
      expect(verdict.ok).toBe(false);
    });
    await fc.assert(tamper, { numRuns: 500 });
  });

  it.each([
    ['edited', 4, trail.with(3, { ...trail[3]!, userId: 'x' })],
    ['deleted', 4, trail.toSpliced(3, 1)],
    ['deleted', 1, trail.slice(1)],
    ['deleted', 12, trail.slice(0, 11)],
    ['reordered', 4, trail.with(3, trail[4]!).with(4, trail[3]!)],
    ['inserted', 4, trail.toSpliced(4, 0, trail[3]!)],
  ] as const)('names the first break: %s %d', async (kind, sequence, records) => {
    const verdict = await verifyChain(records, { anchors: [anchorOf(11)] });
    const chain = 'gateway:hospital-a';
    expect(verdict).toEqual({ ok: false, broken: { chain, sequence, kind } });
  });

  it('names a record that was edited and hashed anew, by the record behind it', async () => {
    const edited = { ...trail[3]!, userId: 'x' };
    const records = trail.with(3, { ...edited, hash: recordHash(edited) } as (typeof trail)[0]);
    expect(await verifyChain(records)).toMatchObject({ broken: { sequence: 4, kind: 'edited' } });
  });

  it('allows a missing beginning only behind an anchor older than the retention', async () => {
    const anchors = [anchorOf(3, START_MS)];
    const verify = (nowMs?: number) =>
      verifyChain(trail.slice(4), { anchors, ...(nowMs === undefined ? {} : { nowMs }) });
    const [young, old] = [Date.UTC(2031, 2, 2), Date.UTC(2031, 2, 4)];
    expect(await verify()).toMatchObject({ broken: { sequence: 1, kind: 'deleted' } });
    expect(await verify(young)).toMatchObject({ broken: { sequence: 1, kind: 'deleted' } });
    expect(await verify(old)).toMatchObject({ ok: true, count: 8 });
    const elsewhere = await verifyChain(trail.slice(5), { anchors, nowMs: old });
    expect(elsewhere).toMatchObject({ broken: { sequence: 1, kind: 'deleted' } });
  });
});

describe(verifyAnchor.name, () => {
  it('takes an anchor of the key and refuses any that was edited', () => {
    const anchor = anchorOf(11);
    expect(() => verifyAnchor(anchor, PUBLIC_KEY)).not.toThrow();
    const edits = [{ day: '2026-03-04' }, { sequence: 11 }, { madeAtMs: 0 }, { chain: 'hub:*' }];
    for (const edit of edits) {
      const refused = expect.objectContaining({ code: 'UNTRUSTED' });
      expect(() => verifyAnchor({ ...anchor, ...edit }, PUBLIC_KEY)).toThrow(refused);
    }
  });
});
