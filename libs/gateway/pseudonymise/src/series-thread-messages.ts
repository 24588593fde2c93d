/**
 * Messages between the gateway and the thread that pseudonymises.
 * Decides what crosses: plain values only. Nothing of it leaves the process.
 */
import type { Identity } from '@aifi/gateway-vault';
import type { ErrorCode, Result } from '@aifi/shared-kernel';
import type { Image, SeriesRequest } from './series-work.js';

/** A fault as plain values: its class does not cross. */
export interface ThreadFault {
  readonly code: ErrorCode;
  readonly words: string;
  /** Of the fault below it, for the log. */
  readonly stack: string | undefined;
}
export interface ThreadOptions {
  readonly manufacturers: readonly string[];
}
export type ToThread =
  | { readonly kind: 'write'; readonly request: SeriesRequest }
  | { readonly kind: 'are-one'; readonly question: number; readonly areOne: boolean }
  | { readonly kind: 'close' };
export type FromThread =
  | { readonly kind: 'done'; readonly result: Result<readonly Image[]> }
  | { readonly kind: 'failed'; readonly fault: ThreadFault }
  | {
      readonly kind: 'are-one';
      readonly question: number;
      readonly identities: readonly [Identity, Identity];
    }
  | { readonly kind: 'gate-fault'; readonly fault: ThreadFault };
