/**
 * Goal: whatever order images come in, are broken off, repeated, late or rejected, a study has one
 * current revision with the right images, an older result never follows a newer one, and every job
 * ends. Method: a thousand schedules of the real stages in virtual time, against a model of sets;
 * a planted fault that the model has to find.
 */
import { describe, expect, it } from '@jest/globals';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { revisionScenario } from './revisions.js';
import { simulate, type Scenario, type Simulated } from './simulation.js';

const SCHEDULES = 1_000;
const PLANTED_MAX = 100;
const SLOW_MS = 600_000;

/** Rejected images go on to count; the schema outlives a schedule, so it is mended at its end. */
function planted(seed: number): Scenario {
  const scenario = revisionScenario(seed);
  let view = '';
  const rows = ({ sites }: Simulated): GatewayDatabase => sites[0]!.gateway.database;
  return {
    ...scenario,
    script: (simulated) => {
      rows(simulated).read((sql) => {
        const name = 'revision_instance';
        view = sql.get<{ sql: string }>('SELECT sql FROM sqlite_schema WHERE name = ?', name)!.sql;
        sql.run('DROP VIEW revision_instance');
        sql.run(view.replace('i.rejected_revision IS NULL', 'TRUE'));
      });
      scenario.script(simulated);
    },
    check: (simulated) => {
      scenario.check?.(simulated);
      rows(simulated).read((sql) => {
        sql.run('DROP VIEW revision_instance');
        sql.run(view);
      });
    },
  };
}

describe('a study that arrives in any order', () => {
  it(
    'has one current revision with the right images, and results in their order',
    async () => {
      let results = 0;
      for (let seed = 1; seed <= SCHEDULES; seed += 1) {
        const verdict = await simulate(seed, { scenario: revisionScenario(seed) });
        results += verdict.results;
        expect({ seed, violations: verdict.violations }).toEqual({ seed, violations: [] });
      }
      expect(results).toBeGreaterThan(SCHEDULES);
    },
    SLOW_MS,
  );

  it(
    'is found to be wrong where rejected images go on to count',
    async () => {
      const found: string[] = [];
      for (let seed = 1; seed <= PLANTED_MAX && found.length === 0; seed += 1) {
        const { violations } = await simulate(seed, { scenario: planted(seed) });
        found.push(...violations);
      }
      expect(found.length).toBeGreaterThan(0);
    },
    SLOW_MS,
  );
});
