/**
 * Metrics of the gateway: jobs by state, dead letters, disk, refusals by code. Anybody in the
 * network may read them.
 * Decides what is counted; labels are states and codes of our own, never a user, study or patient.
 * Source: governance specification 4.7 (metric labels).
 */
import { DISK_LEVELS } from '@aifi/contracts-rest';
import { Counter, createRegistry, Gauge, type Registry } from '@aifi/shared-observability';
import { readDeadLetterTotals } from './dead-letter-read-model.js';
import type { GatewaySources } from './gateway-sources.js';
import { readJobCounts } from './status-read-model.js';

/** Token of GatewayMetrics. */
export const GATEWAY_METRICS = Symbol('gateway metrics');

export interface GatewayMetrics {
  readonly registry: Registry;
  /** Counts a refusal of the web edge. */
  readonly onRefused: (code: string) => void;
}

type MetricSources = Pick<GatewaySources, 'database' | 'diskState' | 'folderState'>;

export function createGatewayMetrics(sources: MetricSources): GatewayMetrics {
  const { database } = sources;
  const registry = createRegistry('gateway');
  const registers = [registry];
  const jobs = new Gauge({
    name: 'aifi_gateway_jobs_count',
    help: 'Jobs of this gateway by state',
    labelNames: ['state'],
    registers,
    collect: () => {
      jobs.reset();
      const counts = database.read(readJobCounts);
      for (const [state, count] of Object.entries(counts)) jobs.set({ state }, count);
    },
  });
  const deadLetters = new Gauge({
    name: 'aifi_gateway_dead_letters_count',
    help: 'Objects that the PACS would not take, which wait for a person',
    registers,
    collect: () => {
      deadLetters.set(readDeadLetterTotals(database).count);
    },
  });
  addDiskGauges(sources, registers);
  addFolderGauges(sources, registers);
  const refused = new Counter({
    name: 'aifi_access_refused_total',
    help: 'Requests refused at the web edge',
    labelNames: ['code'],
    registers,
  });
  return { registry, onRefused: (code) => refused.inc({ code }) };
}

/** Without a value until the disk was looked at: an unknown disk is not a normal one. */
function addDiskGauges({ diskState }: MetricSources, registers: Registry[]): void {
  const level = new Gauge({
    name: 'aifi_gateway_disk_level',
    help: `Level of the disk: ${DISK_LEVELS.map((name, value) => `${value} ${name}`).join(', ')}`,
    registers,
    collect: () => {
      level.remove();
      const state = diskState();
      if (state) level.set(DISK_LEVELS.indexOf(state.level));
    },
  });
  const free = new Gauge({
    name: 'aifi_gateway_disk_free_bytes',
    help: 'Free space for the gateway on its disk',
    registers,
    collect: () => {
      free.remove();
      const state = diskState();
      if (state) free.set(state.freeBytes);
    },
  });
}

/** Without a value where no folder is configured. */
function addFolderGauges({ folderState }: MetricSources, registers: Registry[]): void {
  const batches = new Gauge({
    name: 'aifi_gateway_folder_batches_count',
    help: 'Batches of files: waiting now; done and failed since the start',
    labelNames: ['state'],
    registers,
    collect: () => {
      batches.reset();
      const state = folderState();
      if (!state) return;
      for (const name of ['waiting', 'done', 'failed'] as const) {
        batches.set({ state: name }, state[name]);
      }
    },
  });
  const reachable = new Gauge({
    name: 'aifi_gateway_folder_reachable',
    help: 'Whether the folder of batches can be read and written',
    registers,
    collect: () => {
      reachable.remove();
      const state = folderState();
      if (state) reachable.set(state.isReachable ? 1 : 0);
    },
  });
}
