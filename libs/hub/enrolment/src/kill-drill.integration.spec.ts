/**
 * Goal: however the hub dies in an enrolment, a token is used once at most, a join that left no
 * record may come again with its token, no certificate is in force that is not on record, an
 * authority on record has its key on disk, and the next life ends a rotation.
 * Method: a life of the hub's enrolment dies by kill -9 at a named point, and the next one over the
 * same PostgreSQL and folder gets the same request.
 */
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HITS } from '@aifi/shared-testing';
import {
  DrillDatabase,
  renewal,
  serialIn,
  type Join,
  type KilledHub,
  type Renewal,
} from '../test/killed-hub.js';
import { readRequest } from './certificate-profile.js';
import { OVERLAP_MS } from './certificates.js';

const HOUR_MS = 3_600_000;
const TIME_MAX_MS = 120_000;
/** Of each hit: the first piece of work of its kind in a life, and one after another. */
const PASSAGES = HITS.flatMap(() => [1, 2]);

let drills: DrillDatabase;
beforeAll(async () => {
  drills = await DrillDatabase.start();
}, 180_000);
afterAll(() => drills?.stop(), 60_000);

describe('a hub that is killed at the key of an authority', () => {
  const beside = [
    { point: 'before-authority-key', left: 0 },
    { point: 'after-authority-key', left: 1 },
  ] as const;
  const cases = HITS.flatMap(() => beside);

  it.each(cases)(
    'has no first authority, and its next life makes one: $point',
    async ({ point, left }) => {
      const sut = await drills.fresh();
      await sut.killed(point, []);
      expect(await sut.authorities()).toEqual([]);
      // A key of nobody at most: the certificate that it is for is nowhere.
      expect(sut.keys()).toHaveLength(left);
      await sut.expectWhole();
      const [certificate] = await sut.lived(await sut.join());
      expect(await sut.authorities()).toHaveLength(1);
      expect(await sut.admits(certificate!)).toBe('in force');
      await sut.expectSettled();
    },
    TIME_MAX_MS,
  );

  it.each(cases)(
    'in a rotation goes on with the one before, until the order comes again: $point',
    async ({ point, left }) => {
      const sut = await drills.fresh();
      // The first passage is that of the first authority.
      await sut.killed(`${point}#2`, [await sut.join(), { act: 'rotate' }]);
      const [before, ...others] = await sut.authorities();
      expect(others).toEqual([]);
      expect(before!.state).toBe('active');
      expect(sut.keys()).toHaveLength(1 + left);
      await sut.expectWhole();
      const [old] = await sut.certificates();
      const [after, made, last] = await sut.lived(
        ...[await renewal(old!.certificate), { act: 'rotate' } as const, await sut.join()],
      );
      expect(await sut.authorities()).toMatchObject([
        { id: made, state: 'active' },
        { id: before!.id, state: 'retiring' },
      ]);
      expect(sut.keys()).not.toContain(before!.id);
      const signers = (await sut.certificates()).map(({ authorityId }) => authorityId);
      expect(signers.filter((id) => id === before!.id)).toHaveLength(2);
      for (const one of [old!.certificate, after!, last!]) {
        expect(await sut.admits(one)).toBe('in force');
      }
      await sut.expectSettled();
    },
    TIME_MAX_MS,
  );
});

describe('a hub that is killed in a join', () => {
  const several = async (sut: KilledHub, count: number): Promise<Join[]> =>
    Promise.all(Array.from({ length: count }, () => sut.join()));

  it.each(PASSAGES)(
    'before its record has given nothing, and takes the same token again (passage %i)',
    async (passage) => {
      const sut = await drills.fresh();
      const joins = await several(sut, passage);
      await sut.killed(`before-join-recorded#${passage}`, joins);
      expect(await sut.certificates()).toHaveLength(passage - 1);
      expect(await sut.records()).toMatchObject({ joins: passage - 1, refused: 0 });
      await sut.expectWhole();
      const last = joins.at(-1)!;
      const untold = await sut.untold(last.csr);
      const [certificate] = await sut.lived(last);
      expect(await sut.admits(certificate!)).toBe('in force');
      expect(await sut.admits(untold)).toBe('the certificate is not on record');
      // As any token: once.
      expect(await sut.lived(last)).toEqual(['UNTRUSTED']);
      expect(await sut.certificates()).toHaveLength(passage);
      expect(await sut.records()).toMatchObject({ joins: passage, refused: 1 });
      await sut.expectSettled();
    },
    TIME_MAX_MS,
  );

  it.each(PASSAGES)(
    'after its record has used the token up: it is refused, another is not (passage %i)',
    async (passage) => {
      const sut = await drills.fresh();
      const joins = await several(sut, passage);
      await sut.killed(`after-join-recorded#${passage}`, joins);
      const last = joins.at(-1)!;
      const known = (await sut.certificates()).map((one) => new X509Certificate(one.certificate));
      expect(known).toHaveLength(passage);
      // What nobody was told is on record under its own number, for the key of the request.
      const lost = known.find((one) => serialIn(one).equals(sut.drawn()))!;
      const { rawData } = await readRequest(last.csr);
      expect(lost.publicKey.export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(rawData));
      await sut.expectWhole();
      const [again, other] = await sut.lived(last, await sut.join());
      expect(again).toBe('UNTRUSTED');
      expect(await sut.admits(other!)).toBe('in force');
      expect(await sut.certificates()).toHaveLength(passage + 1);
      expect(await sut.records()).toMatchObject({ joins: passage + 1, refused: 1 });
      await sut.expectSettled();
    },
    TIME_MAX_MS,
  );

  it(
    'with a used token gives nothing either, and records the next one',
    async () => {
      const sut = await drills.fresh();
      const once = await sut.join();
      await sut.killed('after-join-recorded#2', [once, once]);
      expect(await sut.certificates()).toHaveLength(1);
      expect(await sut.records()).toMatchObject({ joins: 1, refused: 0 });
      await sut.expectWhole();
      expect(await sut.lived(once)).toEqual(['UNTRUSTED']);
      expect(await sut.certificates()).toHaveLength(1);
      expect(await sut.records()).toMatchObject({ joins: 1, refused: 1 });
      await sut.expectSettled();
    },
    TIME_MAX_MS,
  );
});

describe('a hub that is killed in a renewal', () => {
  const several = async (count: number): Promise<Renewal[]> =>
    Promise.all(Array.from({ length: count }, () => renewal()));
  const untilOf = async (sut: KilledHub, certificate: string): Promise<number> =>
    (await sut.certificates()).find((one) => one.certificate === certificate)!.validUntilMs;

  it.each(PASSAGES)(
    'before its record has ended nothing, and renews when it is asked again (passage %i)',
    async (passage) => {
      const sut = await drills.fresh();
      const work = await several(passage);
      await sut.killed(`before-renewal-recorded#${passage}`, [await sut.join(), ...work]);
      expect(await sut.records()).toMatchObject({ joins: 1, renewals: passage - 1 });
      await sut.expectWhole();
      const held = await sut.certificates();
      const whole = held.filter(({ validUntilMs, notAfterMs }) => validUntilMs === notAfterMs);
      expect(whole).toHaveLength(1);
      const calling = whole[0]!;
      const last = work.at(-1)!;
      const untold = await sut.untold(last.csr);
      const [certificate] = await sut.lived({ ...last, of: calling.certificate });
      expect(await sut.certificates()).toHaveLength(passage + 1);
      expect(await untilOf(sut, calling.certificate)).toBe(sut.clock.nowMs() + OVERLAP_MS);
      for (const one of [calling.certificate, certificate!]) {
        expect(await sut.admits(one)).toBe('in force');
      }
      expect(await sut.admits(untold)).toBe('the certificate is not on record');
      await sut.expectSettled();
    },
    TIME_MAX_MS,
  );

  it.each(PASSAGES)(
    'after its record renews again, and prolongs nothing by that (passage %i)',
    async (passage) => {
      const sut = await drills.fresh();
      const work = await several(passage);
      await sut.killed(`after-renewal-recorded#${passage}`, [await sut.join(), ...work]);
      expect(await sut.records()).toMatchObject({ joins: 1, renewals: passage });
      await sut.expectWhole();
      const known = await sut.certificates();
      const endsMs = sut.clock.nowMs() + OVERLAP_MS;
      const lost = known.find(({ serial }) => Buffer.from(serial, 'hex').equals(sut.drawn()))!;
      expect(lost.validUntilMs).toBe(lost.notAfterMs);
      const held = known.filter((one) => one !== lost);
      expect(held.map(({ validUntilMs }) => validUntilMs)).toEqual(held.map(() => endsMs));
      // The gateway has not heard of it, and calls with what it has.
      sut.clock.advance(HOUR_MS);
      const [certificate] = await sut.lived(await renewal(held[0]!.certificate));
      expect(await untilOf(sut, held[0]!.certificate)).toBe(endsMs);
      expect(await untilOf(sut, lost.certificate)).toBe(endsMs + HOUR_MS);
      expect(await sut.admits(certificate!)).toBe('in force');
      expect(await sut.records()).toMatchObject({ joins: 1, renewals: passage + 1 });
      await sut.expectSettled();
      sut.clock.advance(OVERLAP_MS);
      const states = await Promise.all(known.map((one) => sut.admits(one.certificate)));
      expect(new Set(states)).toEqual(new Set(['the certificate was renewed and has ended']));
      expect(await sut.admits(certificate!)).toBe('in force');
    },
    TIME_MAX_MS,
  );
});

describe('a hub that is killed before the key of an old authority is gone', () => {
  const point = 'before-old-key-removed';
  it.each(HITS)(
    'signs by the new one, and a life that lives on removes the key (hit %#)',
    async () => {
      const sut = await drills.fresh();
      // The first passage is that of the start; a life that dies there again comes next.
      await sut.killed(`${point}#2`, [await sut.join(), { act: 'rotate' }]);
      const [made, before] = await sut.authorities();
      expect([made!.state, before!.state]).toEqual(['active', 'retiring']);
      await sut.expectWhole();
      await sut.killed(point, []);
      expect(sut.keys().sort()).toEqual([made!.id, before!.id].sort());
      const [old] = await sut.certificates();
      const [after] = await sut.lived(await sut.join());
      expect(sut.keys()).toEqual([made!.id]);
      const signers = (await sut.certificates()).map(({ authorityId }) => authorityId);
      expect(signers.sort()).toEqual([made!.id, before!.id].sort());
      for (const one of [old!.certificate, after!]) expect(await sut.admits(one)).toBe('in force');
      await sut.expectSettled();
    },
    TIME_MAX_MS,
  );
  it(
    'at its first start keeps the authority that it has just made',
    async () => {
      const sut = await drills.fresh();
      await sut.killed(point, []);
      const made = await sut.authorities();
      expect(made).toMatchObject([{ state: 'active' }]);
      expect(sut.keys()).toEqual([made[0]!.id]);
      await sut.expectSettled();
    },
    TIME_MAX_MS,
  );
});
