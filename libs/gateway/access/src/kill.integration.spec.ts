/**
 * Goal: for every kind of audited act, its record and its effect are there both or not at all when
 * the process is killed on either side of the commit; asking again makes it exactly one.
 * Method: a real child process on the compiled library for each act, killed at the crash points of
 * the transaction. A table of the acts that is checked against the catalogue.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { verifyChain } from '@aifi/access-audit';
import {
  ACTS,
  GATEWAY_ROUTE_ACTS,
  ruleOf,
  SIGN_IN_ROUTE_ACTS,
  type Act,
} from '@aifi/access-authorisation';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { AUDITED_ACTS, type AuditedAct } from '../test/audited-acts.js';
import * as fakes from '../test/fake-caller.js';
import * as library from './index.js';

const ACTS_FILE = join(import.meta.dirname, '../test/audited-acts.ts');
const CHILD = `
const [file, ...act] = process.argv.slice(1);
const { doAct } = await import(file);
process.stdout.write(await doAct(...act));
`;
const [BEFORE, AFTER] = ['gateway.access.before-commit', 'gateway.access.after-commit'];
/** What only a hub does by itself. */
const OF_THE_HUB: readonly Act[] = [
  ...(['site.enrol', 'site.change', 'deployment.change', 'rules.publish'] as const),
  ...(['authority.create', 'authority.retire', 'gateway.join'] as const),
];

it('has every audited act of the gateway in the table, and no other', () => {
  const system = (Object.keys(ACTS) as Act[]).filter(
    (act) => ruleOf(act).by === 'system' && !OF_THE_HUB.includes(act),
  );
  const routes = [...Object.values(GATEWAY_ROUTE_ACTS), ...Object.values(SIGN_IN_ROUTE_ACTS)];
  const audited = [...routes, ...system].filter((act) => ruleOf(act).audited);
  const covered = AUDITED_ACTS.flatMap(({ act, alike = [] }) => [act, ...alike]);
  expect(covered.toSorted()).toEqual([...new Set(audited)].toSorted());
});

describe('an act whose process is killed', () => {
  let folder: TemporaryFolder;
  const path = (): string => join(folder.path, 'access.db');
  beforeEach(() => {
    folder = temporaryFolder('killed');
  });
  afterEach(() => folder.remove());

  async function using<T>(work: (access: library.GatewayAccess, clock: FakeClock) => Promise<T>) {
    const clock = new FakeClock();
    const access = library.openGatewayAccess({ path: path(), siteId: 'site-a', clock });
    try {
      return await work(access, clock);
    } finally {
      await access.database.close();
    }
  }
  const prepare = ({ before }: AuditedAct) =>
    using(async (access, clock) => before?.({ access, library, fakes, clock, path: path() }));
  function run({ act }: AuditedAct, crashAt = ''): { signal: string | null; answer: string } {
    const argv = ['--input-type=module', '-e', CHILD, ACTS_FILE, path(), act, crashAt];
    const child = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    if (child.status !== 0 && child.signal === null) throw new Error(child.stderr);
    return { signal: child.signal, answer: child.stdout };
  }
  /** Effects and records of the act; the chain must be whole, from its cut on. */
  const kept = ({ act, effect }: AuditedAct) =>
    using(async ({ database, trail }) => {
      const { n: effects } = database.read((sql) => sql.get<{ n: number }>(effect)) ?? { n: 0 };
      const { items } = await trail.search({ limit: 50 });
      const cut = (await trail.anchors()).filter(({ sequence }) =>
        items.every((record) => record.sequence > sequence),
      );
      const from = new Map(cut.map(({ chain, sequence, hash }) => [chain, { sequence, hash }]));
      expect(await verifyChain(trail.stream({}), { from })).toMatchObject({ ok: true });
      return { effects, records: items.filter((record) => record.act === act).length };
    });
  const times = ({ each = 1 }: AuditedAct, count: number) => ({
    ...{ effects: each * count, records: each * count },
  });

  const cases = AUDITED_ACTS.map((audited) => ({ ...audited, audited }));
  it.each(cases)(
    '$act: before the commit leaves neither, and one when asked again',
    async (each) => {
      const { audited } = each;
      await prepare(audited);
      expect(await kept(audited)).toEqual(times(audited, 0));
      expect(run(audited, BEFORE)).toEqual({ signal: 'SIGKILL', answer: '' });
      expect(await kept(audited)).toEqual(times(audited, 0));
      expect(run(audited).signal).toBeNull();
      expect(await kept(audited)).toEqual(times(audited, 1));
    },
  );
  it.each(cases)(
    '$act: after the commit leaves both, once, also when asked again',
    async (each) => {
      const { audited } = each;
      await prepare(audited);
      expect(run(audited, AFTER)).toEqual({ signal: 'SIGKILL', answer: '' });
      expect(await kept(audited)).toEqual(times(audited, 1));
      const { signal, answer } = run(audited);
      expect(signal).toBeNull();
      // A read or a sign-in that is asked for again is another one.
      expect(await kept(audited)).toEqual(times(audited, each.again === 'another' ? 2 : 1));
      if (each.again === 'same-answer') {
        expect(JSON.parse(answer)).toMatchObject({ id: expect.any(String) });
        expect(run(audited).answer).toBe(answer);
        expect(await kept(audited)).toEqual(times(audited, 1));
      }
    },
  );
});
