/**
 * Messages between the fuzzer and its worker processes.
 * Decides what a worker is told (in its environment, as JSON) and what it reports.
 */
export interface WorkerOrder {
  readonly target: string;
  readonly seed: number;
  /** Ends after so many executions or so much time, whichever is given. */
  readonly executions?: number | undefined;
  readonly seconds?: number | undefined;
  /** Committed inputs; read only. */
  readonly corpusFolder: string;
  /** Inputs found here, progress file, accepted files. */
  readonly workFolder: string;
  readonly findingsFolder: string;
  readonly progressPath: string;
}
export interface WorkerFigures {
  readonly executions: number;
  readonly corpusInputs: number;
  readonly coverageReached: number;
  readonly coverageTotal: number;
}
export type WorkerMessage =
  | { readonly kind: 'figures'; readonly figures: WorkerFigures }
  | {
      readonly kind: 'finding';
      readonly finding: 'fault' | 'hang' | 'memory';
      readonly signature: string;
      readonly detail: string;
      readonly path: string;
    }
  | { readonly kind: 'done'; readonly figures: WorkerFigures };

export const ORDER_VARIABLE = 'AIFI_FUZZ_ORDER';
/** Longest time of one input. @unit ms */
export const HANG_MS = 1_000;
/** Most memory of a worker. @unit bytes */
export const RESIDENT_BYTES_MAX = 512 * 1024 * 1024;
