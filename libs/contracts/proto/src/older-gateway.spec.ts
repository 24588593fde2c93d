/**
 * Goal: what an older gateway sends means the same today, and what it is answered is what it knows.
 * Method: messages recorded with the encoders of that release (fixtures/record.mjs). Requests are
 * decoded and encoded again; answers are made today from the same values and compared byte by byte.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { downlink, uplink } from './index.js';

interface Recorded {
  readonly release: string;
  readonly uplink: Readonly<Record<string, readonly string[]>>;
  readonly downlink: Readonly<Record<string, readonly string[]>>;
}
const file = join(import.meta.dirname, '../fixtures/v0.1.0-link.json');
const recorded = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');
const jobId = 'a'.repeat(32);
const sha256 = 'b'.repeat(64);
const manifestSha256 = 'c'.repeat(64);
const text = (words: string): Buffer => Buffer.from(words);

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}
/** Each recorded message of a type, as today's decoder reads it; its bytes must come back. */
function read<T>(codec: Codec<T>, messages: readonly string[] | undefined): T[] {
  expect(messages?.length).toBeGreaterThan(0);
  return messages!.map((hex) => {
    const message = codec.decode(bytesOf(hex));
    expect(Buffer.from(codec.encode(message).finish()).toString('hex')).toBe(hex);
    return message;
  });
}
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, one: unknown) => {
      const isBytes = (one as { type?: string } | null)?.type === 'Buffer';
      return isBytes ? Buffer.from((one as { data: number[] }).data).toString() : one;
    }),
  );

describe(`a gateway of ${recorded.release}`, () => {
  it('announces and closes a study as today', () => {
    const [open] = read(uplink.OpenStudyRequest, recorded.uplink['OpenStudyRequest']);
    expect(plain(open)).toEqual({ jobId, revision: 2, manifest: '{}', envelope: 'sealed' });
    const [close] = read(uplink.CloseStudyRequest, recorded.uplink['CloseStudyRequest']);
    expect(close).toEqual({ jobId, revision: 2, manifestSha256 });
  });
  it('sends an object from its beginning, not compressed', () => {
    const [header, chunk] = read(uplink.PutObjectsRequest, recorded.uplink['PutObjectsRequest']);
    const value = { jobId, sha256, sizeBytes: 1_200_000, offsetBytes: 0, encoding: '' };
    expect(header).toEqual({ part: { $case: 'header', value } });
    expect(plain(chunk)).toEqual({ part: { $case: 'chunk', value: 'pixels' } });
  });
  it('opens an outcome stream with a hint, which makes nothing be sent again', () => {
    const [none, some, ack] = read(
      downlink.StreamOutcomesRequest,
      recorded.downlink['StreamOutcomesRequest'],
    );
    const cursor = (afterSequence: number) => ({
      part: { $case: 'cursor', value: { afterSequence, exact: false } },
    });
    expect([none, some]).toEqual([cursor(0), cursor(70_000)]);
    expect(ack).toEqual({ part: { $case: 'ack', value: { jobId, revision: 2, issue: 1 } } });
  });
  it('polls for rules and anchors', () => {
    const rules = read(
      downlink.GetRoutingRulesRequest,
      recorded.downlink['GetRoutingRulesRequest'],
    );
    expect(rules).toEqual([{ heldSha256: '' }, { heldSha256: sha256 }]);
    const anchors = read(
      downlink.GetAuditAnchorsRequest,
      recorded.downlink['GetAuditAnchorsRequest'],
    );
    expect(anchors).toEqual([{ fromDay: '2026-11-20' }]);
  });

  const hexOf = <T>(codec: Codec<T>, message: T): string =>
    Buffer.from(codec.encode(message).finish()).toString('hex');
  it('is answered about uploads in bytes that it knows', () => {
    const open = { heldSha256: [sha256], stored: true, partial: [] };
    expect([hexOf(uplink.OpenStudyResponse, open)]).toEqual(recorded.uplink['OpenStudyResponse']);
    const ack = { jobId, sha256, sizeBytes: 1_200_000 };
    const put = { part: { $case: 'ack' as const, value: ack } };
    expect([hexOf(uplink.PutObjectsResponse, put)]).toEqual(recorded.uplink['PutObjectsResponse']);
    const close = { ack: { jobId, manifestSha256 } };
    expect([hexOf(uplink.CloseStudyResponse, close)]).toEqual(
      recorded.uplink['CloseStudyResponse'],
    );
  });
  it('is answered about rules, outcomes and anchors in bytes that it knows', () => {
    const rules = { rules: text('{}'), signature: text('signed') };
    expect([hexOf(downlink.GetRoutingRulesResponse, rules)]).toEqual(
      recorded.downlink['GetRoutingRulesResponse'],
    );
    const header = { sequence: 70_001, manifest: text('{}'), signature: text('signed') };
    const parts: downlink.StreamOutcomesResponse[] = [
      { part: { $case: 'header', value: { ...header, envelope: text('sealed') } } },
      { part: { $case: 'chunk', value: text('report') } },
      { part: { $case: 'end', value: { sequence: 70_001 } } },
    ];
    expect(parts.map((part) => hexOf(downlink.StreamOutcomesResponse, part))).toEqual(
      recorded.downlink['StreamOutcomesResponse'],
    );
    expect([hexOf(downlink.GetAuditAnchorsResponse, { anchors: [text('{}')] })]).toEqual(
      recorded.downlink['GetAuditAnchorsResponse'],
    );
  });
});
