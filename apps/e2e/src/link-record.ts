/**
 * LinkRecord: what went over the link between gateways and hub, in the clear.
 * Decides how tapped TLS becomes messages: tshark decrypts with the key log and reads the HTTP/2
 * headers; the DATA frames of each call are put together here, into whole gRPC messages.
 * Invariant: bytes that do not parse are a fault, never left out of the scan.
 * Source: RFC 9113 4.1 and 6.1; gRPC over HTTP/2 (length-prefixed message); tshark(1) -z follow.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { uplink } from '@aifi/contracts-proto';
import type { TappedConnection } from './byte-tap.js';
import { encodePcap } from './pcap.js';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME_HEADER_BYTES = 9;
/** Tag of field 1 with a length: ObjectHeader.job_id. */
const TEXT_FIELD_1 = 0x0a;
const DATA = 0x0;
const PADDED = 0x8;
/** Compressed flag and length. */
const MESSAGE_PREFIX_BYTES = 5;

export interface LinkRecord {
  /** Names and values of all HTTP/2 headers, tab-separated. */
  readonly headers: string;
  /** gRPC messages of the gateways, by call. */
  readonly toHub: readonly (readonly Buffer[])[];
  /** gRPC messages of the hub, by call. */
  readonly toGateway: readonly (readonly Buffer[])[];
  /** Everything that was decrypted, frame headers included; one buffer per connection and side. */
  readonly plain: readonly Buffer[];
}

/** @param keyLogFile NSS key log of one end of every connection */
export async function decryptLink(
  connections: readonly TappedConnection[],
  keyLogFile: string,
  folder: string,
): Promise<LinkRecord> {
  const file = join(folder, 'link.pcap');
  writeFileSync(file, encodePcap(connections));
  const { headers, decrypted } = await runTshark(file, keyLogFile, connections.length);
  const sides = connections.flatMap((connection, i) => sidesOf(connection, decrypted.get(i)!));
  return {
    headers,
    toHub: sides.flatMap(({ client }) => messagesOf(client.subarray(PREFACE.length))),
    toGateway: sides.flatMap(({ server }) => messagesOf(server)),
    plain: sides.flatMap(({ client, server }) => [client, server]),
  };
}

/** Decrypted bytes of the two nodes of a connection, in tshark's order. */
type Nodes = readonly [Buffer, Buffer];

/**
 * Which node is the client: the one that begins with the preface. A connection of which nothing was
 * decrypted is left out only when the hub never answered it (it was not up yet).
 */
function sidesOf(
  { chunks }: TappedConnection,
  nodes: Nodes,
): { readonly client: Buffer; readonly server: Buffer }[] {
  const startsHttp2 = (bytes: Buffer): boolean =>
    bytes.subarray(0, PREFACE.length).toString('latin1') === PREFACE;
  const client = nodes.find(startsHttp2);
  const server = nodes.find((bytes) => bytes !== client);
  if (client && server) return [{ client, server }];
  if (chunks.every(({ fromClient }) => fromClient)) return [];
  throw new Error('a connection of the link was not decrypted');
}

async function runTshark(
  file: string,
  keyLogFile: string,
  connectionCount: number,
): Promise<{ headers: string; decrypted: ReadonlyMap<number, Nodes> }> {
  const follow = Array.from({ length: connectionCount }, (_, i) => ['-z', `follow,tls,raw,${i}`]);
  const fields = ['-T', 'fields', '-e', 'http2.header.name', '-e', 'http2.header.value'];
  const child = spawn(
    'tshark',
    [
      ...['-r', file, '-o', `tls.keylog_file:${keyLogFile}`, '-Y', 'http2.header'],
      ...[...fields, ...follow.flat()],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const exited = once(child, 'exit');
  const reader = new FollowReader();
  for await (const line of createInterface({ input: child.stdout })) reader.push(line);
  const [code] = (await exited) as [number | null];
  if (code !== 0) throw new Error(`tshark ended with ${code}`);
  const decrypted = reader.connections;
  if (decrypted.size !== connectionCount) throw new Error('tshark left a connection out');
  return { headers: reader.headers.join('\n'), decrypted };
}

/** Reads the lines of tshark: fields first, then one section per followed connection. */
class FollowReader {
  readonly headers: string[] = [];
  readonly #sections = new Map<number, [Buffer[], Buffer[]]>();
  #section: [Buffer[], Buffer[]] = [[], []];
  #isInSection = false;

  /** A line of a section: hex, indented by a tab when it is of the second node. */
  push(line: string): void {
    if (line.startsWith('=====')) {
      this.#isInSection = !this.#isInSection;
    } else if (!this.#isInSection) {
      this.headers.push(line);
    } else if (line.startsWith('Filter:')) {
      this.#section = [[], []];
      // "Filter: tcp.stream eq 3": the sections do not come in the order of the command.
      this.#sections.set(Number(line.split(' ').at(-1)), this.#section);
    } else if (/^\t?[0-9a-f]+$/.test(line)) {
      const node = line.startsWith('\t') ? 1 : 0;
      this.#section[node].push(Buffer.from(line.trim(), 'hex'));
    }
  }
  /** By number of the stream. */
  get connections(): Map<number, Nodes> {
    const concat = ([first, second]: [Buffer[], Buffer[]]): Nodes => [
      Buffer.concat(first),
      Buffer.concat(second),
    ];
    return new Map([...this.#sections].map(([stream, section]) => [stream, concat(section)]));
  }
}

/** The objects of the uploads, put together from their chunks, by the SHA-256 announced. */
export function uploadedObjects({ toHub }: LinkRecord): Map<string, Buffer> {
  const objects = new Map<string, Buffer[]>();
  // Of all calls only PutObjects begins with a message that holds a message with a text first.
  for (const call of toHub.filter(([first]) => first?.[2] === TEXT_FIELD_1)) {
    let parts: Buffer[] = [];
    for (const message of call) {
      const { part } = uplink.PutObjectsRequest.decode(message);
      if (part?.$case === 'header') objects.set(part.value.sha256, (parts = []));
      if (part?.$case === 'chunk') parts.push(part.value);
    }
  }
  return new Map([...objects].map(([sha256, parts]) => [sha256, Buffer.concat(parts)]));
}

/** The gRPC messages of one side of a connection: DATA payloads by call, cut at their lengths. */
function messagesOf(bytes: Buffer): Buffer[][] {
  const streams = new Map<number, Buffer[]>();
  for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    const [type, flags] = [bytes[at + 3]!, bytes[at + 4]!];
    const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    const payload = bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length);
    at += FRAME_HEADER_BYTES + length;
    if (type !== DATA) continue;
    const isPadded = (flags & PADDED) !== 0;
    const data = isPadded ? payload.subarray(1, payload.length - payload[0]!) : payload;
    const parts = streams.get(stream) ?? [];
    parts.push(data);
    streams.set(stream, parts);
  }
  return [...streams.values()].map((parts) => cutMessages(Buffer.concat(parts)));
}

/** The last message of a call that was cut may be incomplete: it is scanned as far as it came. */
function cutMessages(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + MESSAGE_PREFIX_BYTES <= bytes.length;) {
    if (bytes[at] !== 0) throw new Error('a compressed message cannot be scanned');
    const start = at + MESSAGE_PREFIX_BYTES;
    const end = start + bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(start, end));
    at = end;
  }
  return messages;
}
