/**
 * Goal: a message is done once and wholly, whatever fails and whoever repeats it; what messages say
 * of patients is decoded right; and any order of arrival ends the same.
 * Method: the intake over a real database file, with ports that fail on demand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { orderOf } from '@aifi/gateway-orders';
import { AifiError } from '@aifi/shared-kernel';
import { accessionKeyOf, patientKeyOf } from '@aifi/shared-site-keys';
import { hl7Config, Hl7World, KEYS, readAnswer, SENDER } from '../test/hl7-world.js';
import { readTallies } from './message-log.store.js';

interface Header {
  readonly id?: string;
  readonly time?: string;
  readonly type?: string;
  readonly sequence?: string;
  readonly version?: string;
}
let last = 0;
function message(header: Header, ...segments: string[]): Buffer {
  const { type = 'ADT^A08', time = '20261105083000', sequence = '', version = '2.5' } = header;
  const id = header.id ?? `M${(last += 1)}`;
  const tail = [type, id, 'P', version, sequence].join('|');
  const msh = `MSH|^~\\&|ZIS|ZKH|AIFI|RAD|${time}||${tail}|||||8859/1`;
  return Buffer.from([msh, ...segments, ''].join('\r'), 'latin1');
}
const pid = (...numbers: string[]): string =>
  `PID|1||${numbers.join('~')}||Berg&van den&Berg^Jan||19610402|M`;
const zis = (id: string): string => `${id}^^^ZIS^PI`;
const mrg = (...numbers: string[]): string => `MRG|${numbers.join('~')}||||V1`;
const orc = (act: string, n: string, more = ''): string => `ORC|${act}|${n}${more}`;
const obr = (n: string, code = 'CTHERS', priority = ''): string =>
  `OBR|1|${n}||${code}^t^L|${priority}|||||||||||||A${n}`;

describe('the intake of messages', () => {
  let world: Hl7World;
  beforeEach(() => void (world = new Hl7World()));
  afterEach(() => world.close());

  async function take(bytes: Buffer): Promise<string> {
    const answers = await world.intake.take(bytes, SENDER);
    return (answers ?? [])
      .map(readAnswer)
      .map(({ code, condition }) => `${code} ${condition}`)
      .join();
  }
  const order = (n: string) =>
    world.read((sql) => orderOf(sql, { accessionKey: accessionKeyOf(KEYS, `A${n}`) }));
  const rows = (table: string): number =>
    world.read((sql) => sql.get<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`)!.n);

  it('answers a repetition as it answered the message, and does nothing twice', async () => {
    const first = message({ type: 'ADT^A40' }, pid(zis('1')), mrg(zis('2')));
    expect(await take(first)).toBe('AA 0');
    expect(await take(first)).toBe('AA 0');
    expect(world.events).toHaveLength(1);
    expect([rows('hl7_message'), rows('patient_move')]).toEqual([1, 1]);
    const details = world.read(readTallies).map(({ detail, count }) => `${detail} ${count}`);
    expect(details).toEqual(['again 1', 'taken 1']);
  });

  it('knows a message id per application and facility', async () => {
    const bytes = message({ id: 'X' }, pid(zis('1')));
    const other = Buffer.from(bytes.toString('latin1').replace('|ZKH|', '|ELDERS|'), 'latin1');
    expect([await take(bytes), await take(other)]).toEqual(['AA 0', 'AA 0']);
    expect(world.events.map(({ eventId }) => eventId)).toHaveLength(2);
    expect(new Set(world.events.map(({ eventId }) => eventId)).size).toBe(2);
    expect(await take(message({ id: 'X' }, pid(zis('3'))))).toBe('AE 205');
    expect(world.events).toHaveLength(2);
  });

  it('takes the corrected message under the id of a wrong one', async () => {
    expect(await take(message({ id: 'X' }, pid('')))).toBe('AE 101');
    expect(await take(message({ id: 'X' }, pid(zis('1'))))).toBe('AA 0');
  });

  it('rejects what fails for our own reasons, so that the sender tries again', async () => {
    const merge = message({ type: 'ADT^A40' }, pid(zis('1')), mrg(zis('2')));
    world.fault = new AifiError('OUT_OF_RESOURCES', 'database full');
    expect(await take(merge)).toBe('AR 207');
    expect([rows('hl7_message'), rows('patient_move')]).toEqual([0, 0]);
    world.fault = new AifiError('STATE_CONFLICT', 'an event id came with other content');
    expect(await take(merge)).toBe('AE 205');
    world.fault = new TypeError('van den Berg');
    expect(await take(merge)).toBe('AR 207');
    expect(await take(merge)).toBe('AA 0');
    expect(rows('patient_move')).toBe(1);
  });

  it.each([
    ['A40', 'MERGE', 'A40'],
    ['A47', 'MOVE', 'A47'],
    ['A43', 'MOVE', 'A43'],
  ])('reads old and new number of %s', async (event, kind) => {
    await take(
      message({ type: `ADT^${event}` }, 'EVN||20261101120000', pid(zis('NEW')), mrg(zis('OLD'))),
    );
    const [said] = world.events;
    expect(said).toMatchObject({
      ...{ trigger: event, from: { id: 'OLD', issuer: 'ZKH' }, into: { id: 'NEW', issuer: 'ZKH' } },
      demographics: { name: 'Berg^Jan', birthDate: '19610402', sex: 'M' },
      happenedMs: Date.parse('2026-11-01T11:00:00Z'),
    });
    const key = (patientId: string) => patientKeyOf(KEYS, { patientId, issuer: 'ZKH' });
    expect(world.moved).toMatchObject([{ kind, fromKey: key('OLD'), intoKey: key('NEW') }]);
  });

  it('reads both ways of an unlink, whichever patient comes first', async () => {
    await take(message({ type: 'ADT^A37' }, pid(zis('1')), pid(zis('2'))));
    await take(message({ type: 'ADT^A37' }, pid(zis('2')), pid(zis('1'))));
    const ways = world.events.map(({ from, into }) => `${from.id}>${into.id}`);
    expect(ways).toEqual(['1>2', '2>1', '2>1', '1>2']);
    expect(await take(message({ type: 'ADT^A37' }, pid(zis('1'))))).toBe('AE 100');
  });

  it('moves the studies of a visit, named by their orders or by what was received', async () => {
    const ordered = [pid(zis('1')), `PV1|1|O${'|'.repeat(17)}V1`, orc('NW', '5'), obr('5')];
    const move = () => message({ type: 'ADT^A45' }, pid(zis('9')), mrg(zis('1')));
    expect(await take(message({ type: 'ORM^O01' }, ...ordered))).toBe('AA 0');
    // The order names no study, and none has come.
    expect(await take(move())).toBe('AE 204');
    world.received.set(accessionKeyOf(KEYS, 'A5')!, '1.2.3');
    expect(await take(move())).toBe('AA 0');
    expect(world.events.at(-1)).toMatchObject({
      ...{ trigger: 'A45', studyUids: ['1.2.3'] },
      ...{ from: { id: '1' }, into: { id: '9' } },
    });
    expect(order('5')?.patientKey).toBe(patientKeyOf(KEYS, { patientId: '9', issuer: 'ZKH' }));
  });

  it('tells one event for each number that images carry', async () => {
    world.close();
    const patientNumbers = [
      { authority: 'ZIS', issuer: 'ZKH' },
      { authority: '2.16.528.1', issuer: 'ELDERS' },
    ];
    world = new Hl7World(hl7Config({ patientNumbers }));
    const both = (id: string) => [zis(id), `E${id}^^^EL&2.16.528.1&ISO^PI`, `${id}^^^X^PI`];
    await take(message({ type: 'ADT^A40' }, pid(...both('1')), mrg(...both('2'))));
    await take(message({ type: 'ADT^A40' }, pid(zis('1')), mrg('E3^^^&2.16.528.1')));
    const told = world.events.map(
      ({ from, into }) => `${from.issuer}:${from.id}>${into.issuer}:${into.id}`,
    );
    expect(told).toEqual(['ZKH:2>ZKH:1', 'ELDERS:E2>ELDERS:E1', 'ELDERS:E3>ZKH:1']);
    expect(await take(message({}, pid('1^^^X^PI')))).toBe('AE 204');
  });

  it('takes the first number that is no national one where none is configured', async () => {
    world.close();
    world = new Hl7World(hl7Config({ patientNumbers: [] }));
    await take(message({}, pid('999990019^^^NLMINBIZA^NNNLD', '123^^^WHO^PI', '9^^^W^PI')));
    expect(world.events).toMatchObject([{ from: { id: '123', issuer: '' } }]);
    expect(await take(message({}, pid('999990019^^^&2.16.840.1.113883.2.4.6.3')))).toBe('AE 204');
  });

  it('ends the same for every order of arrival of orders, changes, merges and consent', async () => {
    const con = (status: string, day: string): string => `CON|1|AI-ZORG|||||||||${status}|||${day}`;
    const feed = (n: number): Buffer[] => {
      let count = 0;
      const at = (time: string, type: string, ...segments: string[]): Buffer =>
        message({ id: `${n}-${(count += 1)}`, time, type }, ...segments);
      const patient = pid(zis(`P${n}`));
      return [
        at('20261105080000', 'ORM^O01', patient, orc('NW', `${n}`), obr(`${n}`, 'CTHERS', 'R')),
        at('20261105080100', 'ORM^O01', patient, orc('XO', `${n}`), obr(`${n}`, 'CTTHOR', 'S')),
        at('20261105080000', 'OMI^O23', patient, orc('NW', `${n}x`), obr(`${n}x`)),
        at('20261105080000', 'ORM^O01', patient, orc('CA', `${n}x`), obr(`${n}x`)),
        at('20261105080200', 'ADT^A40', pid(zis(`Q${n}`)), mrg(zis(`P${n}`))),
        at('20261105080300', 'ADT^A08', patient, con('R', '20261105')),
        at('20261105080400', 'ADT^A31', patient, con('A', '20261106')),
      ];
    };
    const orders = fc.shuffledSubarray([...Array(14).keys()], { minLength: 14 });
    for (const [n, arrival] of fc.sample(orders, { numRuns: 20, seed: 8 }).entries()) {
      const messages = feed(n);
      for (const at of arrival) expect(await take(messages[at % 7]!)).toBe('AA 0');
      const patientKey = patientKeyOf(KEYS, { patientId: `Q${n}`, issuer: 'ZKH' });
      expect(order(`${n}`)).toEqual({ codes: ['L:CTTHOR'], priority: 'acute', patientKey });
      expect(order(`${n}x`)).toBeUndefined();
      const key = patientKeyOf(KEYS, { patientId: `P${n}`, issuer: 'ZKH' });
      const said = world.objections.filter((objection) => objection.patientKey === key);
      expect(said.at(-1)?.isObjecting).toBe(false);
    }
  }, 30_000);

  it('answers by the version of the sender where it went wrong', async () => {
    const answers = async (version: string): Promise<string> => {
      const bytes = message({ version }, `PID|1||${zis('1')}||Berg^Jan||19611301`);
      const [answer] = (await world.intake.take(bytes, SENDER)) ?? [];
      return readAnswer(answer!)
        .segments.find(([name]) => name === 'ERR')!
        .join('|');
    };
    expect(await answers('2.5')).toBe('ERR||PID^1^7^1|102^Data type error^HL70357|E');
    expect(await answers('2.3.1')).toBe('ERR|PID^1^7^102&Data type error&HL70357');
  });

  it('refuses a header that would not fit its answer', async () => {
    expect(await take(message({ id: 'x'.repeat(300) }, pid(zis('1'))))).toBe('AE 104');
    expect(await take(message({ id: 'é' }, pid(zis('1'))))).toBe('AE 102');
    expect(await take(message({ time: '' }, pid(zis('1'))))).toBe('AE 101');
    expect(await take(message({ sequence: 'x' }, pid(zis('1'))))).toBe('AE 102');
  });

  it('loses no count while the database does not write', async () => {
    await take(message({}, pid('')));
    world.database.close();
    await expect(world.intake.flush()).rejects.toThrow('database closed');
    await expect(world.intake.flush()).rejects.toThrow('database closed');
  });
});
