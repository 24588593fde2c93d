/**
 * Goal: a gateway that is killed around a message has done it wholly once the sender, who got no
 * answer, has sent it again; and a message that was answered is there.
 * Method: the intake in processes of its own over real databases, the vault's log among them,
 * killed at each point; then the next life with the same message.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  HITS,
  killedAt,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';

const DRILL_MS = 120_000;
const LIFE = `
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { hl7ConfigSchema, MessageIntake } from '@aifi/gateway-hl7';
import { IdentityEventLog } from '@aifi/gateway-vault';
import { systemClock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
const [path, eventsPath, text] = process.argv.slice(1);
const keys = keyRingOf(fakeSiteKeys());
const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
const events = IdentityEventLog.open(eventsPath, keys);
const senders = [{ name: 'zis', host: '127.0.0.1', plain: true }];
const config = hl7ConfigSchema.parse({ port: 0, senders });
const onIdentityEvent = async (event) => void (await events.record(event, 1));
const parts = { database, keys, config, clock: systemClock, logger: silentLogger };
const intake = new MessageIntake({ ...parts, ports: { onIdentityEvent } });
const answers = await intake.take(Buffer.from(text), 'zis');
const count = (table) =>
  database.read((sql) => sql.get('SELECT COUNT(*) AS n FROM ' + table).n);
process.stdout.write(JSON.stringify({
  answer: answers[0].toString().match(/MSA\\|(..)/)[1],
  messages: count('hl7_message'),
  moves: count('patient_move'),
  orders: count('imaging_order'),
  events: events.count(),
}));
database.close();
events.close();`;

const MERGE = [
  'MSH|^~\\&|ZIS|ZKH|AIFI|RAD|20261105083000||ADT^A40|1|P|2.5',
  'PID|1||1^^^ZIS^PI||Berg^Jan',
  'MRG|2^^^ZIS^PI',
];
const ORDER = [
  'MSH|^~\\&|ZIS|ZKH|AIFI|RAD|20261105083000||ORM^O01|2|P|2.5',
  'PID|1||1^^^ZIS^PI||Berg^Jan',
  'ORC|NW|5',
  'OBR|1|5||CTHERS^t^L||||||||||||||A5',
];
const POINTS = {
  merge: ['before-identity', 'after-identity', 'before-commit', 'after-commit'],
  order: ['before-commit', 'after-commit'],
};
const CASES = Object.entries(POINTS).flatMap(([kind, points]) =>
  points.flatMap((point) => HITS.map((hit) => ({ kind, point, hit }))),
);

describe('a gateway that is killed around a message', () => {
  let folder: TemporaryFolder;
  beforeEach(() => void (folder = temporaryFolder('hl7-drill')));
  afterEach(() => folder.remove());

  it.each(CASES)(
    'has done it once ($kind, $point, hit $hit)',
    async ({ kind, point }) => {
      const text = (kind === 'merge' ? MERGE : ORDER).map((segment) => `${segment}\r`).join('');
      const args = [join(folder.path, 'gateway.db'), join(folder.path, 'events.db'), text];
      await killedAt(`gateway.messages.${point}`, LIFE, args);
      const isMerge = kind === 'merge';
      const done = { messages: 1, moves: Number(isMerge), events: Number(isMerge) };
      const expected = { answer: 'AA', ...done, orders: Number(!isMerge) };
      expect(JSON.parse(await livedOn(LIFE, args))).toEqual(expected);
      // And once more: the sender may not have read the answer.
      expect(JSON.parse(await livedOn(LIFE, args))).toEqual(expected);
    },
    DRILL_MS,
  );
});
