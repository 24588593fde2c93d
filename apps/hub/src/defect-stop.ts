/**
 * What happens when an exception reaches nobody: the process says so and ends.
 * Decides that it does not go on in a state that nobody knows; whoever started it starts it again,
 * and everything durable is found as after a power failure.
 * Invariant: nothing of the exception's text is written, only its place in the code: the text may
 * quote what came from outside. Source: reliability specification 2 (durability per hop);
 * security specification 4 (no identity in logs).
 */
import type { EventEmitter } from 'node:events';
import type { Logger } from '@aifi/shared-observability';

const EXIT_DEFECT = 1;

export interface DefectStopOptions {
  readonly logger: Pick<Logger, 'fault'>;
  /** The process: emits uncaughtException and unhandledRejection. */
  readonly events: EventEmitter;
  readonly exit: (code: number) => void;
}

export function stopOnDefect({ logger, events, exit }: DefectStopOptions): void {
  let isEnding = false;
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    events.on(event, (error: unknown) => {
      if (isEnding) return;
      isEnding = true;
      try {
        logger.fault('the hub met a defect and stops', error);
      } finally {
        exit(EXIT_DEFECT);
      }
    });
  }
}
