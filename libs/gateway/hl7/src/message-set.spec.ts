/**
 * Goal: seventy messages of Dutch hospitals, whole and broken, end as the table says, and no
 * identity of theirs is anywhere but in what the vault is told.
 * Method: the bytes of each file through framer and intake, over a real database file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { orderOf } from '@aifi/gateway-orders';
import { accessionKeyOf, patientKeyOf } from '@aifi/shared-site-keys';
import { Hl7World, KEYS, readAnswer, SENDER } from '../test/hl7-world.js';
import { messageSet, PLANTED, type MessageFile } from '../test/message-set.js';
import { readTallies } from './message-log.store.js';
import { MllpFramer } from './mllp-framer.js';

const FILES = messageSet();
const patient = (id: string) => ({ id, issuer: 'ZKH' });

describe('the set of messages', () => {
  let world: Hl7World;
  const answers = new Map<string, Buffer[]>();
  const closed = new Map<string, string>();

  async function play({ file, bytes }: MessageFile): Promise<void> {
    const framer = new MllpFramer(1024 * 1024);
    const said: Buffer[] = [];
    for (const event of framer.push(bytes)) {
      if (event.kind === 'junk') closed.set(file, 'junk');
      else if (event.kind === 'frame')
        said.push(...((await world.intake.take(event.bytes, SENDER)) ?? []));
      else said.push(...(world.intake.broken(event.head, event.reason, SENDER) ?? []));
    }
    if (framer.end()) closed.set(file, 'cut-short');
    answers.set(file, said);
  }

  beforeAll(async () => {
    world = new Hl7World();
    for (const file of FILES) await play(file);
    await world.intake.flush();
  });
  afterAll(() => world.close());

  it('has fifty messages and more, a third of them broken', () => {
    expect(FILES.length).toBeGreaterThanOrEqual(50);
    expect(FILES.filter(({ why }) => why).length).toBeGreaterThan(FILES.length / 3);
    expect(FILES.filter(({ why }) => !why).length).toBeGreaterThan(FILES.length / 3);
  });

  it.each(FILES)('answers $file with $answers', ({ file, bytes, ...expected }) => {
    const read = answers.get(file)!.map(readAnswer);
    expect(read.map(({ code }) => code)).toEqual(expected.answers);
    if (read[0]) expect(read[0].condition).toBe(expected.condition ?? 0);
    const ids = [...bytes.toString('latin1').matchAll(/MSH(.)(?:[^\r]*?\1){8}([^\r]*?)\1/g)];
    if (expected.condition === undefined && read.length === ids.length) {
      expect(read.map(({ id }) => id)).toEqual(ids.map(([, , id]) => id));
    }
    if (expected.closed !== 'no-header') expect(closed.get(file)).toBe(expected.closed);
  });

  const ordered = FILES.flatMap(({ file, order }) => (order ? [{ file, order }] : []));
  it.each(ordered)('leaves the order of $file as it was said', ({ order }) => {
    const accessionKey = accessionKeyOf(KEYS, order.number);
    const { studyUid } = order;
    const found = world.read((sql) => orderOf(sql, { accessionKey, studyUid }));
    if (order.absent) expect(found).toBeUndefined();
    else {
      const { codes, priority } = order;
      expect({ codes: new Set(found?.codes), priority: found?.priority }).toEqual({
        ...{ codes: new Set(codes), priority },
      });
    }
  });

  it('tells the vault what was said of patients, decoded', () => {
    const expected = FILES.flatMap(({ events = [] }) => events);
    const said = expected.map(({ trigger, from, into, demographics, happened, studyUids }) => ({
      ...{ trigger, demographics, studyUids: studyUids ?? [] },
      ...{ from: patient(from), into: patient(into) },
      ...(happened && { happenedMs: Date.parse(happened) }),
    }));
    const events = world.events.filter(
      ({ trigger, studyUids }) => expected.some((one) => one.trigger === trigger) && studyUids,
    );
    for (const each of said) expect(events).toContainEqual(expect.objectContaining(each));
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(events.length);
    expect(world.events.map(({ eventId }) => eventId).join()).toMatch(/^([0-9a-f]{64}-\d,?)+$/);
  });

  it('tells what patients object to, and that they do so no more', () => {
    const said = FILES.flatMap(({ objections = [] }) => objections);
    expect(said.length).toBeGreaterThan(3);
    expect(world.objections).toEqual(
      said.map((each) => ({
        ...{ patient: patient(each.patient), stamp: expect.any(String) },
        patientKey: patientKeyOf(KEYS, { patientId: each.patient, issuer: 'ZKH' }),
        ...{ kinds: each.kinds, isObjecting: each.isObjecting, saidMs: Date.parse(each.said) },
        ...(each.until && { untilMs: Date.parse(each.until) }),
      })),
    );
  });

  it('moves orders with their patient', () => {
    const order = (number: string) =>
      world.read((sql) => orderOf(sql, { accessionKey: accessionKeyOf(KEYS, number) }))?.patientKey;
    const key = (patientId: string) => patientKeyOf(KEYS, { patientId, issuer: 'ZKH' });
    // A45 took the visit of the first order, A47 the number of the ultrasound's patient.
    expect(order('26A000001')).toBe(key('1000888'));
    expect(order('26C000001')).toBe(key('1000777'));
    expect(order('26A000002')).toBe(key('1000002'));
    expect(world.moved).toHaveLength(9);
  });

  it('counts every answer, by words of its own', () => {
    const tallies = world.read(readTallies);
    const count = (answer: string, detail?: string): number =>
      tallies
        .filter((tally) => tally.answer === answer && (detail ?? tally.detail) === tally.detail)
        .reduce((sum, tally) => sum + tally.count, 0);
    const errors = FILES.filter(({ condition = 0 }) => condition > 0);
    expect(count('AE') + count('AR')).toBe(errors.length);
    expect(count('AR')).toBe(4);
    expect(count('AA', 'again')).toBe(1);
    expect(count('closed', 'no-header')).toBe(1);
    expect(count('none')).toBe(1);
    expect(new Set(tallies.map(({ sender }) => sender))).toEqual(new Set([SENDER]));
    for (const { type } of tallies) expect(type).toMatch(/^((ORM|OMI|ADT)\^[AO]\d\d)?$/);
  });

  it('leaves no identity in the database, the log or the answers', () => {
    const folder = dirname(world.path);
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
    expect(files.length).toBeGreaterThan(1);
    const log = Buffer.from(world.logged.join('\n'));
    expect(log.length).toBeGreaterThan(100);
    const said = [...files, log];
    // MSA-2 is the message id, which the sender made: it is in the answer and nowhere else.
    const answered = [...answers.values()].flat();
    const isId = (word: string): boolean => /^[ZHA]0000/.test(word);
    for (const word of PLANTED) {
      const spellings = [Buffer.from(word, 'utf8'), Buffer.from(word, 'latin1')];
      const places = isId(word) ? said : [...said, ...answered];
      for (const place of places) {
        for (const spelling of spellings)
          expect([word, place.includes(spelling)]).toEqual([word, false]);
      }
    }
  });
});
