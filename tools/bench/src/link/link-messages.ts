/**
 * Messages between the link bench and its two processes, sender and receiver.
 * Decides the ways that bytes go.
 */
export const WAYS = ['copy', 'copy with fsync', 'gRPC', 'aifi-objects/1'] as const;
export type Way = (typeof WAYS)[number];

export interface LinkObject {
  readonly path: string;
  readonly sha256: string;
  /** @unit bytes */
  readonly sizeBytes: number;
}
export type ReceiverRequest =
  /** A job lists these objects. */
  | { readonly kind: 'open'; readonly jobId: string; readonly objects: readonly LinkObject[] }
  /** Throws away what has come; answers with how many objects were whole, with a row. */
  | { readonly kind: 'clear' };
export type ReceiverMessage =
  | { readonly kind: 'listening'; readonly ports: Readonly<Record<Way, number>> }
  | { readonly kind: 'opened' }
  | { readonly kind: 'cleared'; readonly objects: number };

export interface SenderRequest {
  readonly way: Way;
  readonly port: number;
  readonly jobId: string;
  readonly objects: readonly LinkObject[];
}
export type SenderMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'sent'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly code: string };
