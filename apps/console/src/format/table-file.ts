/**
 * A file of the person's machine as the interface takes it: compressed, as base64.
 * Decides when it is too long for one request. Invariant: its bytes go as they are, and its name
 * goes nowhere. Source: RFC 1952; Compression Streams standard.
 */

/** As the contract bounds a file. @unit characters */
const FILE_LENGTH_MAX = 240_000;
/** What is unpacked on the other side. @unit bytes */
const BYTES_MAX = 4 * 1024 * 1024;
/** Bytes whose letters are made at once: a call takes only so many arguments. */
const CHUNK = 8_192;

/** Undefined: too long for one request. */
export async function packTableFile(file: Blob): Promise<string | undefined> {
  if (file.size > BYTES_MAX) return undefined;
  const stream = file.stream().pipeThrough(new CompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let letters = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    letters += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  const text = btoa(letters);
  return text.length <= FILE_LENGTH_MAX ? text : undefined;
}
