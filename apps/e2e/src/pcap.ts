/**
 * Packets around tapped bytes, so that a dissector can read what a tap recorded.
 * Decides the form: classic pcap, raw IPv4, one TCP segment per chunk with handshake and sequence
 * numbers; checksums stay zero, which the dissector does not look at.
 * Source: RFC 791, RFC 9293; pcap file format (libpcap, pcap-savefile(5)), LINKTYPE_RAW 101.
 */
import type { TappedConnection } from './byte-tap.js';

const LINKTYPE_RAW = 101;
/** IPv4 total length is 16 bits, headers included. */
const SEGMENT_BYTES_MAX = 60_000;
const HEADERS_BYTES = 40;
const [SYN, ACK, PUSH] = [0x02, 0x10, 0x08];
const LOOPBACK = [127, 0, 0, 1];

interface Segment {
  readonly fromClient: boolean;
  readonly flags: number;
  readonly payload: Buffer;
}

/** A whole pcap file; every packet a microsecond after the one before it. */
export function encodePcap(connections: readonly TappedConnection[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(0xffff, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  const packets = connections.flatMap((connection) => packetsOf(connection));
  const records = packets.flatMap((packet, index) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Math.floor(index / 1e6), 0);
    record.writeUInt32LE(index % 1e6, 4);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    return [record, packet];
  });
  return Buffer.concat([header, ...records]);
}

function packetsOf({ clientPort, serverPort, chunks }: TappedConnection): Buffer[] {
  const none = Buffer.alloc(0);
  const segments: Segment[] = [
    { fromClient: true, flags: SYN, payload: none },
    { fromClient: false, flags: SYN | ACK, payload: none },
    { fromClient: true, flags: ACK, payload: none },
  ];
  for (const { fromClient, bytes } of chunks) {
    for (let at = 0; at < bytes.length; at += SEGMENT_BYTES_MAX) {
      const payload = bytes.subarray(at, at + SEGMENT_BYTES_MAX);
      segments.push({ fromClient, flags: PUSH | ACK, payload });
    }
  }
  // Next sequence number of the client and of the server.
  const next = { client: 0, server: 0 };
  return segments.map((segment) => {
    const [own, other] = segment.fromClient
      ? (['client', 'server'] as const)
      : (['server', 'client'] as const);
    const ports: [number, number] = segment.fromClient
      ? [clientPort, serverPort]
      : [serverPort, clientPort];
    const packet = encodePacket(segment, ports, [next[own], next[other]]);
    // A SYN counts as one byte of the sequence (RFC 9293 3.4).
    next[own] += segment.payload.length + ((segment.flags & SYN) === 0 ? 0 : 1);
    return packet;
  });
}

function encodePacket(
  { flags, payload }: Segment,
  [sourcePort, targetPort]: readonly [number, number],
  [sequence, acknowledged]: readonly [number, number],
): Buffer {
  const head = Buffer.alloc(HEADERS_BYTES);
  head[0] = 0x45;
  head.writeUInt16BE(HEADERS_BYTES + payload.length, 2);
  head[8] = 64;
  head[9] = 6;
  head.set(LOOPBACK, 12);
  head.set(LOOPBACK, 16);
  head.writeUInt16BE(sourcePort, 20);
  head.writeUInt16BE(targetPort, 22);
  head.writeUInt32BE(sequence >>> 0, 24);
  head.writeUInt32BE((flags & ACK) === 0 ? 0 : acknowledged >>> 0, 28);
  head[32] = 0x50;
  head[33] = flags;
  head.writeUInt16BE(0xffff, 34);
  return Buffer.concat([head, payload]);
}
