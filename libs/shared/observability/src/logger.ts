/**
 * Logger: JSON lines with an allow-list of fields.
 * Decides what can be logged at all: a dataset, a name or a value from the wire has no field.
 * Invariant: messages are fixed words; what varies goes into the allowed fields.
 * Source: conventions "Logging"; hazard H11.
 */
import { pino, type Logger as PinoLogger } from 'pino';
import { AifiError } from '@aifi/shared-kernel';

/** The only fields of a log line, besides level, time, app and message. */
export interface LogFields {
  readonly siteId?: string;
  readonly correlationId?: string;
  readonly jobId?: string;
  readonly stage?: string;
  readonly code?: string;
  readonly instanceId?: string;
  readonly product?: string;
  readonly revision?: number;
  readonly attempt?: number;
  readonly count?: number;
  readonly sizeBytes?: number;
  readonly durationMs?: number;
  readonly port?: number;
  readonly status?: string;
  readonly state?: string;
}
const ALLOWED: ReadonlySet<string> = new Set<keyof LogFields>([
  'siteId',
  'correlationId',
  'jobId',
  'stage',
  'code',
  'instanceId',
  'product',
  'revision',
  'attempt',
  'count',
  'sizeBytes',
  'durationMs',
  'port',
  'status',
  'state',
]);

export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Logs a fault at the level of the catalogue: code and instance id, never its cause's text. */
  fault(message: string, error: unknown, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

function allowed(fields: LogFields = {}): LogFields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => ALLOWED.has(key)));
}

function wrap(log: PinoLogger): Logger {
  return {
    info: (message, fields) => log.info(allowed(fields), message),
    warn: (message, fields) => log.warn(allowed(fields), message),
    error: (message, fields) => log.error(allowed(fields), message),
    fault: (message, error, fields) => {
      const fault = AifiError.from(error);
      const level = fault.causeClass === 'bug' ? 'error' : 'warn';
      // Only the place in the code: a foreign error's message may quote what it was given.
      const cause = fault.cause instanceof Error ? fault.cause : fault;
      const at = cause.stack
        ?.split('\n')
        // Places only: a message of several lines is not one.
        .filter((line) => /^\s+at /.test(line))
        .slice(0, 3)
        .map((line) => line.trim());
      const { code, instanceId } = fault;
      log[level]({ ...allowed(fields), code, instanceId, at }, message);
    },
    child: (fields) => wrap(log.child(allowed(fields))),
  };
}

/** A logger that writes JSON lines to standard output. */
export function createLogger(app: string, level = 'info'): Logger {
  return wrap(pino({ level, base: { app }, timestamp: pino.stdTimeFunctions.isoTime }));
}

/** A logger for tests: keeps nothing, prints nothing. */
export const silentLogger: Logger = wrap(pino({ level: 'silent' }));
