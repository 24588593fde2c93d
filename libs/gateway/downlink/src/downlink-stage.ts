/**
 * Downlink: keeps one stream to the hub open and takes outcomes from it; renews the routing rules
 * and keeps the hub's audit anchors.
 * Decides that results are pulled (guard C2) and that a broken stream only costs time.
 * Invariants: one outcome at a time, acknowledged after it is durable; reconnects with full jitter.
 * Source: reliability specification C2, P5.
 */
import { AifiError, backoffMs, pollingStage, Wake, type Stage } from '@aifi/shared-kernel';
import type { downlink } from '@aifi/contracts-proto';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { createAnchorFetch, type AnchorDependencies } from './audit-anchors.js';
import { acknowledgementOf, OutcomeReceiver } from './outcome-receiver.js';
import type { RulesStore } from './rules-store.js';

/** Rules reach a connected gateway within this time. @unit ms */
const RULES_INTERVAL_MS = 10_000;

export interface DownlinkDependencies extends AnchorDependencies {
  readonly database: GatewayDatabase;
  readonly rules: RulesStore;
  /** Folder with one sub-folder per job. */
  readonly inboundFolder: string;
  /** Called after an outcome is durable. */
  readonly onDone: () => void;
  /** Called after new rules came into force. */
  readonly onRules: () => void;
}

export function createDownlinkStage(dependencies: DownlinkDependencies): Stage {
  return {
    name: 'downlink',
    run: async (signal) => {
      await Promise.all([
        renewRules(dependencies).run(signal),
        createAnchorFetch(dependencies).run(signal),
        keepStream(dependencies, signal),
      ]);
    },
  };
}

function renewRules({ rules, client, clock, logger, onRules }: DownlinkDependencies): Stage {
  let failures = 0;
  return pollingStage({
    name: 'downlink-rules',
    clock,
    wake: new Wake(),
    intervalMs: RULES_INTERVAL_MS,
    onFault: (error) => logger.fault('routing rules failed', error, { stage: 'downlink' }),
    runOnce: async (signal) => {
      try {
        if (await rules.refresh(client)) {
          logger.info('routing rules in force', { stage: 'downlink' });
          onRules();
        }
        failures = 0;
      } catch (error) {
        if (signal.aborted) return 0;
        failures += 1;
        logger.fault('routing rules not renewed', error, { stage: 'downlink', attempt: failures });
        // Without any rules nothing is selected: ask again sooner than the interval.
        if (!rules.current()) {
          await clock.sleep(backoffMs(failures, { maxMs: RULES_INTERVAL_MS }), signal);
          return 1;
        }
      }
      return 0;
    },
  });
}

async function keepStream(dependencies: DownlinkDependencies, signal: AbortSignal): Promise<void> {
  const { clock, logger } = dependencies;
  let attempt = 0;
  while (!signal.aborted) {
    try {
      await readOutcomes(dependencies, signal, () => (attempt = 0));
    } catch (error) {
      if (signal.aborted) return;
      logger.fault('outcome stream ended', error, { stage: 'downlink', attempt: attempt + 1 });
    }
    attempt += 1;
    await clock.sleep(backoffMs(attempt), signal);
  }
}

async function readOutcomes(
  dependencies: DownlinkDependencies,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<void> {
  const { client, database } = dependencies;
  const call = client.streamOutcomes();
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel);
  // An error of the call also ends the iteration below; unheard it would end the process.
  call.on('error', () => undefined);
  const reader = new OutcomeReader(dependencies, (ack) => {
    call.write({ part: { $case: 'ack', value: ack } });
    onProgress();
  });
  try {
    call.write({ part: { $case: 'cursor', value: { afterSequence: lastSequence(database) } } });
    for await (const message of call as AsyncIterable<downlink.StreamOutcomesResponse>) {
      await reader.take(message);
    }
  } catch (error) {
    throw error instanceof AifiError
      ? error
      : new AifiError('PEER_UNAVAILABLE', 'the outcome stream broke', { cause: error });
  } finally {
    signal.removeEventListener('abort', cancel);
    call.cancel();
    await reader.discard();
  }
}

type Acknowledge = (ack: ReturnType<typeof acknowledgementOf>) => void;

/** Takes the messages of one stream; an outcome that can never be right is skipped, not retried. */
class OutcomeReader {
  #receiver: OutcomeReceiver | undefined;
  #skipping = false;

  constructor(
    private readonly dependencies: DownlinkDependencies,
    private readonly acknowledge: Acknowledge,
  ) {}

  async take({ part }: downlink.StreamOutcomesResponse): Promise<void> {
    if (part?.$case === 'header') this.#skipping = false;
    if (!part || this.#skipping) return;
    try {
      await this.#takePart(part);
    } catch (error) {
      const fault = AifiError.from(error);
      if (fault.retryClass !== 'permanent' || fault.causeClass === 'bug') throw fault;
      // It stays unacknowledged at the hub, where it is visible; the ones behind it must pass.
      this.dependencies.logger.fault('outcome refused', fault, { stage: 'downlink' });
      this.#skipping = true;
      await this.discard();
    }
  }

  async #takePart(part: NonNullable<downlink.StreamOutcomesResponse['part']>): Promise<void> {
    if (part.$case === 'header') {
      this.#receiver = new OutcomeReceiver(this.dependencies, part.value);
      return;
    }
    const receiver = this.#receiver;
    if (!receiver) throw new AifiError('INVALID_ARGUMENT', 'a part without its header');
    if (part.$case === 'chunk') return receiver.append(part.value);
    await receiver.finish();
    this.#receiver = undefined;
    const ack = acknowledgementOf(receiver.manifest);
    this.acknowledge(ack);
    this.dependencies.logger.info('outcome durable', { stage: 'downlink', jobId: ack.jobId });
    this.dependencies.onDone();
  }

  async discard(): Promise<void> {
    await this.#receiver?.discard();
    this.#receiver = undefined;
  }
}

/** Highest sequence such that everything up to it is durable here; the hub repeats the rest. */
function lastSequence(database: GatewayDatabase): number {
  const row = database.read((sql) =>
    sql.get<{ last: number | null }>('SELECT MAX(sequence) AS last FROM inbound'),
  );
  return row?.last ?? 0;
}
