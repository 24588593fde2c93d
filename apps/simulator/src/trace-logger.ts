/**
 * A logger whose faults are part of the trace.
 * Decides that nothing is made of a line when nobody reads the trace: schedules are many.
 */
import { AifiError } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { World } from './world.js';

const nothing = (): void => undefined;
const SILENT: Logger = {
  ...{ info: nothing, warn: nothing, error: nothing, fault: nothing },
  child: () => SILENT,
};

export function traceLogger(world: World, node: string): Logger {
  if (!world.trace) return SILENT;
  const say = (message: string, fields?: { readonly code?: string }): void => {
    world.note(`${node} says ${message}${fields?.code ? ` (${fields.code})` : ''}`);
  };
  const logger: Logger = {
    ...{ info: nothing, warn: say, error: say, child: () => logger },
    fault: (message, error) => {
      const { code, message: words } = AifiError.from(error);
      world.note(`${node} says ${message} (${code}: ${words})`);
    },
  };
  return logger;
}
