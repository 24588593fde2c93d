/**
 * Finding: an input that broke a property, hung, crashed or took too much memory.
 * Decides when two findings are the same one: kind, message without numbers and place of origin.
 */
export type FindingKind = 'fault' | 'hang' | 'crash' | 'memory';

/** Of a long comparison its start, and where it was made at its end. */
const DETAIL_LINES = 12;

export interface Finding {
  readonly kind: FindingKind;
  readonly signature: string;
  /** What a person reads: the error with its stack, or the reason of the end. */
  readonly detail: string;
  /** Saved input. */
  readonly path: string;
}

/** First line of a stack that lies in this workspace and not in the fuzzer. */
function originOf(stack: string): string {
  const lines = stack
    .split('\n')
    .filter((line) => /\/(libs|apps)\/|tools\/fuzz\/src\/targets/.test(line));
  const line = lines.find((one) => /\/(libs|apps)\//.test(one)) ?? lines[0] ?? '';
  return line.replace(/^.*\/((?:libs|apps|tools)\/[^:)]+):(\d+):\d+\)?$/, '$1:$2').trim();
}

export function faultSignature(error: unknown): string {
  const fault = error instanceof Error ? error : new Error(String(error));
  const message = fault.message.split('\n')[0]!.replace(/\d+/g, '#').slice(0, 120);
  return `${fault.name}: ${message} @ ${originOf(fault.stack ?? '')}`;
}
export function detailOf(error: unknown): string {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = detail.split('\n');
  if (lines.length <= 2 * DETAIL_LINES) return detail;
  return [...lines.slice(0, DETAIL_LINES), '...', ...lines.slice(-DETAIL_LINES)].join('\n');
}
