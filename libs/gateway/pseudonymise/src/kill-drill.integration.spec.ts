/**
 * Goal: images that end the process each time they are read are held for a person, however often
 * the gateway dies on the way, and keep no other study back.
 * Method: the stage, vault and spool in processes of their own over one folder. One file really
 * kills whoever parses it; the life that gives it up is killed right before it says so.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KILLS_EACH, killedAt, lifeOf, livedOn } from '@aifi/shared-testing';
import { anInstance, jobOf, SelectedJobs } from '../test/selected-jobs.js';

const DRILL_MS = 120_000;
const DEATHS_MAX = 3;
const POISON = 'these bytes end the process that parses them';
const LIFE = `
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { createPseudonymiseStage, seriesWork } from '@aifi/gateway-pseudonymise';
import { createSpool } from '@aifi/gateway-spool';
import { IdentityEventLog, Vault } from '@aifi/gateway-vault';
import { Wake } from '@aifi/shared-kernel';
import { silentLogger as logger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { FakeClock, fakeSiteKeys } from '@aifi/shared-testing';
const [dataFolder, poison] = process.argv.slice(1);
const stop = new AbortController();
class UntilIdleClock extends FakeClock {
  sleep() {
    stop.abort();
    return Promise.resolve();
  }
}
const clock = new UntilIdleClock();
const keys = keyRingOf(fakeSiteKeys());
const database = GatewayDatabase.open(join(dataFolder, 'gateway.db'), GATEWAY_MIGRATIONS);
const vault = Vault.open(join(dataFolder, 'vault.db'), keys);
const identityEvents = IdentityEventLog.open(join(dataFolder, 'events.db'), keys);
const parse = seriesWork({ judge: async () => ({ kind: 'clear', by: 'tier' }) });
const series = (request, client) => {
  const kills = ({ path }) => readFileSync(path).includes(poison);
  if (request.sources.some(kills)) process.kill(process.pid, 'SIGKILL');
  return parse(request, client);
};
const onDone = () => undefined;
const shared = { database, clock, logger, wake: new Wake(), onDone };
const sink = createSpool({ ...shared, spoolFolder: join(dataFolder, 'spool') });
const linkage = { vault, identityEvents, keys, siteId: 'site-a', dataFolder };
const stage = createPseudonymiseStage({ ...shared, ...linkage, series, sink });
await stage.run(stop.signal);
for (const open of [database, vault, identityEvents]) open.close();`;

const [FIRST, SECOND, SOUND] = [1, 2, 9];
const HITS = [[FIRST], [FIRST, SECOND]].flatMap((poisoned) =>
  Array.from({ length: KILLS_EACH }, () => ({ poisoned, passage: poisoned.length })),
);

describe('a gateway that is killed when it gives up an image', () => {
  let gateway: SelectedJobs;
  beforeEach(() => void (gateway = new SelectedJobs()));
  afterEach(() => gateway.remove());
  const rows = (statement: string, ...values: string[]): unknown[] =>
    gateway.database.read((sql) => sql.all(statement, ...values));
  const write = (statement: string, ...values: (string | number)[]): Promise<number> =>
    gateway.database.write((sql) => sql.run(statement, ...values));

  const attemptsOf = (n: number): unknown =>
    rows('SELECT attempts FROM work_attempt WHERE job_id = ?', jobOf(n));
  const statesOf = (numbers: readonly number[]): unknown[] =>
    numbers.map(
      (n) =>
        rows(
          `SELECT state, code, (SELECT COUNT(*) FROM journal WHERE job_id = j.job_id) AS moves
           FROM job j WHERE job_id = ?`,
          jobOf(n),
        )[0],
    );
  const SELECTED = { state: 'SELECTED', code: null, moves: 0 };
  const HELD = { state: 'QUARANTINED', code: 'MALFORMED', moves: 1 };
  const SPOOLED = { state: 'SPOOLED', code: null, moves: 1 };
  const everything = (): unknown[] =>
    ['job', 'journal', 'spool_job', 'spool_object', 'work_attempt'].map((table) =>
      rows(`SELECT * FROM ${table} ORDER BY 1, 2`),
    );
  /** It comes before all that are there: the process never gets past it. */
  async function addPoison(n: number): Promise<void> {
    await gateway.add(n, [anInstance(n), Buffer.from(POISON)]);
    await write(`UPDATE job SET lane = 'acute', created_ms = ? WHERE job_id = ?`, -n, jobOf(n));
  }

  it.each(HITS)(
    'holds each of $poisoned for a person, once, and lets the next one pass',
    async ({ poisoned, passage }) => {
      const words = [gateway.path, POISON];
      await gateway.add(SOUND, [anInstance(SOUND)]);
      for (const n of poisoned) {
        await addPoison(n);
        for (let death = 1; death <= DEATHS_MAX; death += 1) {
          expect(await lifeOf(LIFE, words)).toMatchObject({ signal: 'SIGKILL' });
          expect(attemptsOf(n)).toEqual([{ attempts: death }]);
        }
      }

      await killedAt(`gateway.pseudonymise.before-poison#${passage}`, LIFE, words);
      // The newest comes first, so that the oldest is the one it died of.
      const [diedOf, ...heldBefore] = poisoned;
      expect(statesOf(heldBefore)).toEqual(heldBefore.map(() => HELD));
      expect(statesOf([diedOf!, SOUND])).toEqual([SELECTED, SELECTED]);
      expect(attemptsOf(diedOf!)).toEqual([{ attempts: DEATHS_MAX }]);

      await livedOn(LIFE, words);
      expect(statesOf([...poisoned, SOUND])).toEqual([...poisoned.map(() => HELD), SPOOLED]);
      expect(rows('SELECT job_id FROM spool_job')).toEqual([{ job_id: jobOf(SOUND) }]);
      for (const n of poisoned) {
        expect(gateway.vault.linkage(jobOf(n))).toBeUndefined();
        expect(existsSync(join(gateway.path, 'spool', jobOf(n)))).toBe(false);
      }
      expect(gateway.vault.linkage(jobOf(SOUND))).toBeDefined();

      const left = everything();
      await livedOn(LIFE, words);
      expect(everything()).toEqual(left);
    },
    DRILL_MS,
  );
});
