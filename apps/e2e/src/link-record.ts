/**
 * LinkRecord: what went over the link between gateways and hub, in the clear.
 * Decides how tapped TLS becomes messages: tshark decrypts with the key log and reads the HTTP/2
 * headers; the DATA frames of each call are put together here, into whole gRPC messages, and the
 * frames of `aifi-objects/1` into objects.
 * Invariant: bytes that do not parse are a fault, never left out of the scan.
 * Source: RFC 9113 4.1 and 6.1; gRPC over HTTP/2 (length-prefixed message); tshark(1) -z follow;
 * libs/contracts/proto/src/object-frames.ts; RFC 8446 4.1.2 (ClientHello).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FRAME, FrameReader, uplink } from '@aifi/contracts-proto';
import type { TappedConnection } from './byte-tap.js';
import { encodePcap } from './pcap.js';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME_HEADER_BYTES = 9;
/** Tag of field 1 with a length: ObjectHeader.job_id. */
const TEXT_FIELD_1 = 0x0a;
const HTTP2_TYPE_AT = 3;
const [DATA, SETTINGS] = [0x0, 0x4];
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
  /** Objects that came in frames, by the SHA-256 announced. */
  readonly objects: ReadonlyMap<string, Buffer>;
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
  const keyLog = readFileSync(keyLogFile, 'latin1');
  const sides = connections.flatMap((connection, i) =>
    sidesOf(connection, decrypted.get(i)!, keyLog),
  );
  const calls = sides.filter(({ isHttp2 }) => isHttp2);
  const frames = sides.filter(({ isHttp2 }) => !isHttp2);
  return {
    headers,
    toHub: calls.flatMap(({ client }) => messagesOf(client.subarray(PREFACE.length))),
    toGateway: calls.flatMap(({ server }) => messagesOf(server)),
    objects: new Map(frames.flatMap(({ client }) => [...framedObjects(client)])),
    plain: sides.flatMap(({ client, server }) => [client, server]),
  };
}

/** Decrypted bytes of the two nodes of a connection, in tshark's order. */
type Nodes = readonly [Buffer, Buffer];

interface Sides {
  /** Else `aifi-objects/1`. */
  readonly isHttp2: boolean;
  readonly client: Buffer;
  readonly server: Buffer;
}

/**
 * Which node is the client: the one that begins with the preface, or with an object. A connection
 * of which nothing was decrypted is left out only when the hub never answered it (it was not up
 * yet), or when its keys are on record and the gateway said nothing (it looked whether the hub is
 * there).
 */
function sidesOf({ chunks }: TappedConnection, nodes: Nodes, keyLog: string): Sides[] {
  const startsHttp2 = (bytes: Buffer): boolean =>
    bytes.subarray(0, PREFACE.length).toString('latin1') === PREFACE;
  const isHttp2 = nodes.some(startsHttp2);
  // Nearly all that is said is objects: the longer node, if it is one of a gateway.
  const byLength = nodes.toSorted((a, b) => b.length - a.length);
  const client = isHttp2 ? nodes.find(startsHttp2) : byLength.find(isOfGateway);
  const server = nodes.find((bytes) => bytes !== client);
  if (client && server) return [{ isHttp2, client, server }];
  if (chunks.every(({ fromClient }) => fromClient)) return [];
  const spoken = nodes.filter(({ length }) => length > 0);
  const isGreeting = spoken.every((bytes) => bytes[HTTP2_TYPE_AT] === SETTINGS);
  if (spoken.length < 2 && isGreeting && keyLog.includes(clientRandomOf(chunks))) {
    // What the hub says first is looked at too.
    return spoken.map((bytes) => ({ isHttp2: true, client: Buffer.from(PREFACE), server: bytes }));
  }
  throw new Error('a connection of the link was not decrypted');
}

/** As a key log names it, after the heads of record and message and the version. */
function clientRandomOf(chunks: TappedConnection['chunks']): string {
  const hello = Buffer.concat(chunks.flatMap((one) => (one.fromClient ? [one.bytes] : [])));
  return hello.subarray(11, 43).toString('hex');
}

/** Whether these are whole frames that a gateway may send. */
function isOfGateway(bytes: Buffer): boolean {
  try {
    framedObjects(bytes);
    return bytes.length > 0;
  } catch {
    return false;
  }
}

/** The objects of one connection of `aifi-objects/1`. */
function framedObjects(bytes: Buffer): Map<string, Buffer> {
  const objects = new Map<string, Buffer[]>();
  let parts: Buffer[] = [];
  for (const piece of new FrameReader(OF_GATEWAYS).read(bytes)) {
    if (piece.kind === FRAME.chunk) parts.push(piece.bytes);
    if (piece.kind !== FRAME.header) continue;
    const { sha256, encoding, offsetBytes } = uplink.ObjectHeader.decode(piece.bytes);
    if (encoding !== '' || offsetBytes > 0) throw new Error('an object that cannot be scanned');
    objects.set(sha256, (parts = []));
  }
  return new Map([...objects].map(([sha256, chunks]) => [sha256, Buffer.concat(chunks)]));
}
const OF_GATEWAYS: ReadonlySet<(typeof FRAME)[keyof typeof FRAME]> = new Set([
  ...[FRAME.header, FRAME.chunk, FRAME.alive],
]);

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
export function uploadedObjects({ toHub, objects: framed }: LinkRecord): Map<string, Buffer> {
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
  const whole = [...objects].map(([sha256, parts]) => [sha256, Buffer.concat(parts)] as const);
  return new Map([...framed, ...whole]);
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
