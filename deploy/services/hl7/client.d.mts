/** Types of client.mjs. */
export interface ReadMessage {
  /** python-hl7: segments, fields from 1, repetitions, components, subcomponents; unescaped. */
  readonly hl7: readonly (readonly [string, readonly string[][][][]])[];
  /** hl7apy: segments with their fields by name, each repetition with its delimiters. */
  readonly hl7apy: readonly (readonly [string, Readonly<Record<string, readonly string[]>>])[];
}
export declare function sendWithPythonHl7(
  host: string,
  port: number,
  items: readonly { readonly wire: Buffer; readonly answers: number }[],
): Promise<[string, string][][]>;
export declare function readWithPeers(
  messages: Readonly<Record<string, string>>,
): Promise<Record<string, ReadMessage>>;
