/**
 * Messages between the bench and the process that hosts the receive stage.
 * Decides what is asked of it: rows of one study, and its end.
 */
export interface HostRow {
  readonly sopInstanceUid: string;
  readonly sha256: string;
  readonly path: string;
}
export type HostRequest = { readonly kind: 'rows'; readonly sopInstanceUids: readonly string[] };
export type HostMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'rows'; readonly rows: readonly HostRow[] };
