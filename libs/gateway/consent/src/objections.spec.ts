/**
 * Goal: what is in force follows from what was said and when; nothing is ever lost of it; a merge
 * never loses an objection. Method: a real SQLite schema in memory, random histories against a
 * plain model.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GATEWAY_MIGRATIONS, GatewayDatabase, MemoryDatabase } from '@aifi/gateway-database';
import type { ObjectionKind } from '@aifi/policy-routing-rules';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  historyOf,
  movePatient,
  objectionsOf,
  setObjection,
  withdrawObjection,
  type Objection,
} from './objections.js';

const memory = new MemoryDatabase(GATEWAY_MIGRATIONS);
let database: GatewayDatabase;
beforeEach(() => {
  memory.clear();
  database = memory.start();
});
const AI: ObjectionKind = 'ai-in-own-care';
const set = (patientKey: string, objection: Partial<Objection> = {}, atMs = 100) =>
  database.write((sql) =>
    setObjection(
      sql,
      { patientKey, atMs },
      { kind: AI, sinceMs: atMs, source: 'person', ...objection },
    ),
  );
const withdraw = (patientKey: string, kind: ObjectionKind = AI, atMs = 200) =>
  database.write((sql) => withdrawObjection(sql, { patientKey, atMs }, { kind, source: 'person' }));
const inForce = (patientKey: string, atMs: number) =>
  database.read((sql) => objectionsOf(sql, { patientKey, atMs }));
const history = (patientKey: string) => database.read((sql) => historyOf(sql, patientKey));

describe(objectionsOf.name, () => {
  it('is in force from its first moment up to its end, for its patient alone', async () => {
    await set('a', { sinceMs: 50, untilMs: 80 });
    const at = [49, 50, 79, 80].map((atMs) => inForce('a', atMs).length);
    expect(at).toEqual([0, 1, 1, 0]);
    expect(inForce('b', 60)).toEqual([]);
  });
  it('tells each kind once, whoever said it', async () => {
    await set('a', { sinceMs: 50 });
    await set('a', { sinceMs: 10, source: 'adt' });
    await set('a', { kind: 'sharing', source: 'fhir' });
    expect(inForce('a', 100)).toEqual([AI, 'sharing']);
  });
  it('agrees with a plain list of what was said', async () => {
    const kinds: ObjectionKind[] = [AI, 'secondary-use', 'sharing'];
    const step = fc.record({
      kind: fc.constantFrom(...kinds),
      isSet: fc.boolean(),
      since: fc.integer({ min: 0, max: 20 }),
      length: fc.option(fc.integer({ min: 1, max: 20 })),
    });
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const patient = `p${(number += 1)}`;
        let said: { kind: ObjectionKind; since: number; until: number }[] = [];
        for (const { kind, isSet, since, length } of steps) {
          const until = length === null ? undefined : since + length;
          if (isSet) {
            await set(patient, { kind, sinceMs: since, untilMs: until });
            said.push({ kind, since, until: until ?? Infinity });
          } else {
            await withdraw(patient, kind);
            said = said.filter((one) => one.kind !== kind);
          }
        }
        for (let atMs = 0; atMs <= 41; atMs += 1) {
          const expected = kinds.filter((kind) =>
            said.some((one) => one.kind === kind && one.since <= atMs && atMs < one.until),
          );
          expect(inForce(patient, atMs)).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe(setObjection.name, () => {
  it('adds nothing to what stands already', async () => {
    expect(await set('a', { sinceMs: 10 })).toBe(true);
    expect(await set('a', { sinceMs: 10 })).toBe(false);
    expect(await set('a', { sinceMs: 20, untilMs: 30 })).toBe(false);
    expect(await set('a', { sinceMs: 5 })).toBe(true);
    expect(history('a')).toHaveLength(2);
  });
});

describe(withdrawObjection.name, () => {
  it('ends all of the kind, stays in the history, and can be followed by a new objection', async () => {
    await set('a');
    await set('a', { kind: 'sharing' });
    expect([await withdraw('a'), await withdraw('a')]).toEqual([true, false]);
    expect(inForce('a', 300)).toEqual(['sharing']);
    await set('a', { source: 'list' }, 400);
    expect(inForce('a', 400)).toEqual([AI, 'sharing']);
    expect(history('a').map(({ kind, event, source }) => [kind, event, source])).toEqual([
      [AI, 'set', 'list'],
      [AI, 'withdrawn', 'person'],
      ['sharing', 'set', 'person'],
      [AI, 'set', 'person'],
    ]);
  });
  it('changes no row and removes none, whoever tries', async () => {
    const folder = temporaryFolder('objections');
    const file = GatewayDatabase.open(`${folder.path}/gateway.db`, GATEWAY_MIGRATIONS);
    const objection = { kind: AI, sinceMs: 1, source: 'list' } as const;
    await file.write((sql) => setObjection(sql, { patientKey: 'a', atMs: 1 }, objection));
    for (const statement of ['UPDATE objection SET kind = 1', 'DELETE FROM objection']) {
      await expect(file.write((sql) => sql.run(statement))).rejects.toThrow('objection is never');
    }
    file.close();
    folder.remove();
  });
});

describe(movePatient.name, () => {
  const move = (from: string, to: string) =>
    database.write((sql) => movePatient(sql, from, to, { atMs: 300 }));
  it('follows the patient, and stays under the old number', async () => {
    await set('old', { sinceMs: 10 });
    await set('old', { kind: 'sharing', sinceMs: 10, untilMs: 50 });
    await set('new', { kind: 'secondary-use' });
    expect(await move('old', 'new')).toBe(1);
    expect(inForce('new', 300)).toEqual([AI, 'secondary-use']);
    expect(inForce('old', 300)).toEqual([AI]);
  });
  it('said twice is said once, and takes no withdrawn objection along', async () => {
    await set('old');
    expect([await move('old', 'new'), await move('old', 'new')]).toEqual([1, 0]);
    await withdraw('new', AI, 310);
    await withdraw('old', AI, 310);
    expect(await move('old', 'new')).toBe(0);
    expect([inForce('old', 400), inForce('new', 400)]).toEqual([[], []]);
  });
  it('after an unmerge both keep it until a person withdraws one', async () => {
    await set('old');
    await move('old', 'new');
    await withdraw('new', AI, 310);
    expect([inForce('old', 400), inForce('new', 400)]).toEqual([[AI], []]);
  });
});
