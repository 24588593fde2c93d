/**
 * Messages between the spool bench and the process that hosts the stages of a gateway.
 * Decides what is asked of it: one study after the other, and when all of them are in the spool.
 */
export type SpoolRequest =
  /** All instances of a study have been acknowledged: it is complete. */
  | { readonly kind: 'complete'; readonly studyUid: string }
  /** Removes the files of everything so far. */
  | { readonly kind: 'clear' };
export type SpoolMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | {
      readonly kind: 'spooled';
      readonly studyUid: string;
      readonly objects: number;
      readonly bytes: number;
    }
  | { readonly kind: 'cleared' }
  | { readonly kind: 'failed'; readonly code: string };
