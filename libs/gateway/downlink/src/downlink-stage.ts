/**
 * Downlink: keeps two streams to the hub open, one for outcomes and one for what the hub has to
 * tell at once, and keeps the hub's audit anchors.
 * Decides that everything is pulled (guard C2), that a broken stream only costs time, and that
 * rules are asked for by polling while there is no control stream (an older hub, a broken link).
 * Invariant: streams come back with full jitter. Source: reliability specification C2, P5.
 */
import {
  AifiError,
  backoffMs,
  pollingStage,
  Wake,
  type Clock,
  type Stage,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { createAnchorFetch, type AnchorDependencies } from './audit-anchors.js';
import { readControl, type ControlReaderDependencies } from './control-reader.js';
import type { DownlinkPort } from './downlink-port.js';
import { readOutcomes, type OutcomeReaderDependencies } from './outcome-reader.js';
import { reconnectDelayMs } from './reconnect.js';

/** Rules reach a gateway without a control stream within this time. @unit ms */
const RULES_INTERVAL_MS = 10_000;
/** How often a hub that is too old for control streams is tried again. @unit ms */
const OLD_HUB_MS = 600_000;
/** A farewell that names an absurd time is kept within this. @unit ms */
const DRAIN_MS_MAX = 60_000;

export interface DownlinkDependencies
  extends Omit<AnchorDependencies, 'port'>, OutcomeReaderDependencies, ControlReaderDependencies {
  readonly port: DownlinkPort;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: (() => number) | undefined;
}

export function createDownlinkStage(dependencies: DownlinkDependencies): Stage {
  const control = { isOpen: false };
  return {
    name: 'downlink',
    run: async (signal) => {
      await Promise.all([
        renewRules(dependencies, control).run(signal),
        createAnchorFetch(dependencies).run(signal),
        keepOpen(dependencies, signal, {
          words: 'outcome stream ended',
          read: (onProgress) => readOutcomes(dependencies, signal, onProgress),
        }),
        keepOpen(dependencies, signal, {
          words: 'control stream ended',
          read: (onProgress) => followControl(dependencies, signal, control, onProgress),
        }),
      ]);
    },
  };
}

function renewRules(
  { rules, port, clock, logger, onRules }: DownlinkDependencies,
  control: { readonly isOpen: boolean },
): Stage {
  let failures = 0;
  return pollingStage({
    name: 'downlink-rules',
    clock,
    wake: new Wake(),
    intervalMs: RULES_INTERVAL_MS,
    onFault: (error) => logger.fault('routing rules failed', error, { stage: 'downlink' }),
    runOnce: async (signal) => {
      if (control.isOpen) return 0;
      try {
        if (await rules.refresh(port)) {
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

/** The control stream until it ends; waits where the hub has none. */
async function followControl(
  dependencies: DownlinkDependencies,
  signal: AbortSignal,
  control: { isOpen: boolean },
  onProgress: () => void,
): Promise<void> {
  const { clock, kill, logger } = dependencies;
  try {
    const end = await readControl(dependencies, signal, () => {
      control.isOpen = true;
      onProgress();
    });
    if (end.retryAfterMs !== undefined) {
      await clock.sleep(Math.min(DRAIN_MS_MAX, end.retryAfterMs), signal);
    }
  } catch (error) {
    if (AifiError.from(error).code !== 'PEER_REFUSED' || signal.aborted) throw error;
    kill.hubHasNone();
    logger.info('the hub has no control stream, rules are polled', { stage: 'downlink' });
    await clock.sleep(OLD_HUB_MS, signal);
  } finally {
    control.isOpen = false;
  }
}

interface KeptStream {
  readonly words: string;
  /** Reads one stream to its end. */
  readonly read: (onProgress: () => void) => Promise<void>;
}

async function keepOpen(
  { clock, logger, random }: DownlinkDependencies,
  signal: AbortSignal,
  { words, read }: KeptStream,
): Promise<void> {
  let attempt = 0;
  while (!signal.aborted) {
    try {
      await read(() => (attempt = 0));
    } catch (error) {
      if (signal.aborted) return;
      logger.fault(words, error, { stage: 'downlink', attempt: attempt + 1 });
    }
    attempt += 1;
    await clock.sleep(reconnectDelayMs(attempt, random), signal);
  }
}
