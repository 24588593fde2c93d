/**
 * The points at which a process is killed.
 * Decides which moments a release is tried at: around the durable steps of the way there and back.
 * Points of gateway and hub are crash points of the code; the worker is killed when its model runs.
 * Source: reliability specification 3 (named crash points); issue 3, acceptance.
 */
import { killChildrenOf, type ManagedProcess, type Stack } from '@aifi/demo';

export const POINTS = [
  'gateway.receive.after-row',
  'gateway.pseudonymise.after-linkage',
  'gateway.uplink.after-close',
  'gateway.downlink.before-commit',
  'gateway.deliver.after-store',
  'hub.ingest.object-durable',
  'hub.infer.sealed',
  'hub.results.sealed',
  'hub.downlink.after-send',
  'worker.model-running',
] as const;
export type Point = (typeof POINTS)[number];

export interface ArmedPoint {
  /** Processes that are to die, each once. */
  readonly victims: readonly ManagedProcess[];
  /** Resolves when all of them have died and are up again. */
  readonly recovered: Promise<void>;
  /** Ends the waiting; processes that did not die are started without the crash point. */
  disarm(): Promise<void>;
}

/** Makes the processes of a point ready to die there; gateways at every hospital at once. */
export async function arm(stack: Stack, point: Point): Promise<ArmedPoint> {
  const { hub, worker, hospitals } = stack.parts;
  if (point.startsWith('worker.')) return armWorker(worker);
  const victims = point.startsWith('hub.')
    ? [hub]
    : hospitals.map(({ gatewayProcess }) => gatewayProcess);
  await Promise.all(
    victims.map(async (victim) => {
      await victim.kill9();
      await victim.start({ AIFI_CRASH_AT: point });
    }),
  );
  const alive = new Set(victims);
  const deaths = victims.map((victim) =>
    victim.exited.then(() => {
      alive.delete(victim);
      return victim.start();
    }),
  );
  const recovered = Promise.all(deaths).then(() => undefined);
  return {
    victims,
    recovered,
    disarm: async () => {
      await Promise.all([...alive].map((victim) => victim.kill9()));
      await recovered;
    },
  };
}

function armWorker(worker: ManagedProcess): ArmedPoint {
  const stop = new AbortController();
  const recovered = killChildrenOf(worker, 1, stop.signal).then(async () => {
    await worker.kill9();
    await worker.start();
  });
  return {
    victims: [worker],
    recovered,
    disarm: () => {
      stop.abort();
      return recovered;
    },
  };
}
