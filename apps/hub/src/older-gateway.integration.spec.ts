/**
 * Goal: the hub of today serves a gateway of an older release to the end of a study.
 * Method: a whole hub; calls whose bytes are those recorded with the encoders of that release, or
 * put together by its field numbers where they carry a study; answers read by its field numbers.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { Client, credentials } from '@grpc/grpc-js';
import { sha256Hex } from '@aifi/shared-kernel';
import { OWN_SITE } from '../test/role-sign-in.js';
import { SeededHub } from '../test/seeded-hub.js';

const fixtures = join(import.meta.dirname, '../../../libs/contracts/proto/fixtures');
const recorded = JSON.parse(readFileSync(join(fixtures, 'v0.1.0-link.json'), 'utf8')) as {
  readonly downlink: Readonly<Record<string, readonly string[]>>;
};
const RULES = '/aifi.downlink.v1.DownlinkService/GetRoutingRules';
const OUTCOMES = '/aifi.downlink.v1.DownlinkService/StreamOutcomes';
const UPLINK = '/aifi.uplink.v1.UplinkService';
const raw = (bytes: Buffer): Buffer => bytes;

const sut = new SeededHub();
let client: Client;
beforeAll(async () => {
  await sut.start();
  const { caFile, keyFile, certificateFile } = sut.certificates.sites[OWN_SITE]!;
  const [ca, key, certificate] = [caFile, keyFile, certificateFile].map((one) => readFileSync(one));
  const channel = credentials.createSsl(ca!, key!, certificate!);
  client = new Client(`localhost:${sut.hub.linkPort}`, channel);
}, 180_000);
afterAll(async () => {
  client?.close();
  await sut.stop();
}, 60_000);

const message = (make: (writer: BinaryWriter) => void): Buffer => {
  const writer = new BinaryWriter();
  make(writer);
  return Buffer.from(writer.finish());
};
/** Values by field number; a number that the older release does not know is a failure. */
function fieldsOf(bytes: Uint8Array, known: readonly number[]): Map<number, Buffer | number> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Buffer | number>();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    expect(known).toContain(field);
    fields.set(field, wireType === 0 ? Number(reader.uint64()) : Buffer.from(reader.bytes()));
  }
  return fields;
}
const call = (path: string, request: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest<Buffer, Buffer>(path, raw, raw, request, (error, answer) =>
      error ? reject(error) : resolve(answer!),
    );
  });
/** Everything that comes on a stream until `isEnough`. */
const stream = (
  path: string,
  requests: readonly Buffer[],
  isEnough: (answer: Buffer) => boolean,
): Promise<Buffer[]> =>
  new Promise((resolve, reject) => {
    const answers: Buffer[] = [];
    const open = client.makeBidiStreamRequest<Buffer, Buffer>(path, raw, raw);
    open.on('error', reject).on('data', (answer: Buffer) => {
      answers.push(answer);
      if (!isEnough(answer)) return;
      open.removeAllListeners('error').on('error', () => undefined);
      open.cancel();
      resolve(answers);
    });
    for (const request of requests) open.write(request);
  });

describe('a gateway of an older release', () => {
  it('gets its rules by polling, and nothing when it holds them', async () => {
    const [empty] = recorded.downlink['GetRoutingRulesRequest']!;
    const fields = fieldsOf(await call(RULES, Buffer.from(empty!, 'hex')), [1, 2]);
    const rules = fields.get(1) as Buffer;
    expect(JSON.parse(rules.toString())).toMatchObject({ schema: 'aifi.routing-rules.v1' });
    const held = message((writer) => writer.uint32(10).string(sha256Hex(rules)));
    expect((await call(RULES, held)).length).toBe(0);
  });

  it('sends a study, and is told that every object and the study are durable', async () => {
    const { manifest, manifestBytes, envelope, files } = await sut.siteA.study(sut.model);
    const { jobId, revision } = manifest;
    const open = message((writer) => {
      writer.uint32(10).string(jobId).uint32(16).uint32(revision);
      writer.uint32(26).bytes(manifestBytes).uint32(34).bytes(envelope);
    });
    expect([...fieldsOf(await call(`${UPLINK}/OpenStudy`, open), [1, 2])]).toEqual([]);
    const parts = manifest.objects.flatMap(({ sha256, sizeBytes }, index) => {
      const header = message((writer) => {
        writer.uint32(10).fork().uint32(10).string(jobId).uint32(18).string(sha256);
        writer.uint32(24).uint64(sizeBytes).join();
      });
      const file = files[index]!;
      const chunks: Buffer[] = [];
      for (let at = 0; at < file.length; at += 262_144) {
        const bytes = file.subarray(at, at + 262_144);
        chunks.push(message((writer) => writer.uint32(18).bytes(bytes)));
      }
      return [header, ...chunks];
    });
    let acks = 0;
    const answers = await stream(`${UPLINK}/PutObjects`, parts, () => (acks += 1) === files.length);
    const acked = answers.map((answer) =>
      fieldsOf(fieldsOf(answer, [1]).get(1) as Buffer, [1, 2, 3])
        .get(2)
        ?.toString(),
    );
    expect(acked.sort()).toEqual(manifest.objects.map(({ sha256 }) => sha256).sort());
    const close = message((writer) => {
      writer.uint32(10).string(jobId).uint32(16).uint32(revision);
      writer.uint32(26).string(sha256Hex(manifestBytes));
    });
    const closed = fieldsOf(await call(`${UPLINK}/CloseStudy`, close), [1]);
    expect(
      fieldsOf(closed.get(1) as Buffer, [1, 2])
        .get(1)
        ?.toString(),
    ).toBe(jobId);
  });

  it('gets its outcomes on a stream that it opens with a hint', async () => {
    const [cursor] = recorded.downlink['StreamOutcomesRequest']!;
    const answers = await stream(OUTCOMES, [Buffer.from(cursor!, 'hex')], (answer) =>
      fieldsOf(answer, [1, 2, 3]).has(3),
    );
    const header = fieldsOf(fieldsOf(answers[0]!, [1]).get(1) as Buffer, [1, 2, 3, 4]);
    const manifest = JSON.parse((header.get(2) as Buffer).toString()) as { jobId: string };
    expect(manifest.jobId).toBe(sut.seeds.concluded.manifest.jobId);
  });
});
