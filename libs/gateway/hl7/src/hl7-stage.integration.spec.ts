/**
 * Goal: messages and orders are forgotten when nobody can need them, and a port that cannot be had
 * or files that do not read stop the start with a word.
 * Method: the listening stage with a real database and a clock that is moved by hand.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AifiError } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import { hl7Config, Hl7World, SENDER } from '../test/hl7-world.js';
import type { Hl7Config } from './hl7.config.js';
import { createHl7Stage } from './hl7-stage.js';

const DAY_MS = 86_400_000;
const ORDER = [
  'MSH|^~\\&|ZIS|ZKH|AIFI|RAD|20231114221320||ORM^O01|1|P|2.4',
  'PID|1||1000001^^^ZIS^PI||Berg^Jan',
  'ORC|NW|5',
  'OBR|1|5||CTHERS^t^L||||||||||||||A5',
];

describe(createHl7Stage.name, () => {
  let clock: FakeClock;
  let world: Hl7World;
  beforeEach(() => {
    clock = new FakeClock();
    world = new Hl7World(hl7Config(), clock);
  });
  afterEach(() => world.close());

  async function runOnce(config: Hl7Config = hl7Config()): Promise<void> {
    const stage = createHl7Stage({ ...world.dependencies, config });
    const stopping = new AbortController();
    const running = stage.run(stopping.signal);
    await Promise.race([stage.listening, running]);
    stopping.abort();
    await running;
  }
  const rows = (): number[] =>
    ['hl7_message', 'imaging_order'].map(
      (table) => world.read((sql) => sql.get<{ n: number }>(`SELECT COUNT(*) n FROM ${table}`))!.n,
    );
  const codeOf = (work: Promise<void>): Promise<string> =>
    work.then(
      () => '',
      (error: unknown) => AifiError.from(error).code,
    );

  it('forgets messages after a quarter, and orders after two years', async () => {
    await world.intake.take(Buffer.from(ORDER.map((line) => `${line}\r`).join('')), SENDER);
    clock.advance(92 * DAY_MS);
    await runOnce();
    expect(rows()).toEqual([1, 1]);
    clock.advance(1);
    await runOnce();
    expect(rows()).toEqual([0, 1]);
    clock.advance(639 * DAY_MS);
    await runOnce();
    expect(rows()).toEqual([0, 0]);
  });

  it('does not start on a port of somebody else', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await codeOf(runOnce(hl7Config({ port })))).toBe('CONFIG_INVALID');
    other.close();
  });

  it('does not start without the files of its TLS', async () => {
    const nowhere = { port: 0, certificateFile: 'no', keyFile: 'no', caFile: 'no' };
    const config = hl7Config({ tls: nowhere });
    expect(await codeOf(runOnce(config))).toBe('CONFIG_INVALID');
  });
});
