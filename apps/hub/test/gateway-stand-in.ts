/**
 * Stand-in for a gateway in the tests of the hub: opens, sends, closes, pulls and acknowledges.
 * Decides nothing; it speaks the contract over real mutual TLS and keeps what it hears.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { downlink, enrolment, uplink } from '@aifi/contracts-proto';
import {
  encodeManifest,
  studyManifestSchema,
  type ModelManifest,
  type StudyManifest,
} from '@aifi/contracts-manifests';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { keyedUid, newJobId, sha256Hex, type PseudonymousUid } from '@aifi/shared-kernel';

const MR_IMAGE = '1.2.840.10008.5.1.4.1.1.4' as PseudonymousUid;
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1' as PseudonymousUid;

export interface CredentialFiles {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}
export interface TestStudy {
  readonly manifest: StudyManifest;
  readonly manifestBytes: Buffer;
  readonly envelope: Buffer;
  readonly files: readonly Buffer[];
}
export interface ReceivedOutcome {
  readonly header: downlink.OutcomeHeader;
  readonly bytes: Buffer;
}

/** Two MR instances of one series, unique by job. */
export function testStudy(model: ModelManifest, change: Partial<StudyManifest> = {}): TestStudy {
  const jobId = newJobId();
  const uid = (...parts: string[]): PseudonymousUid =>
    keyedUid(Buffer.from(jobId), ...parts) as PseudonymousUid;
  const files = ['0', '1'].map((index) =>
    encodePart10(
      new DicomDataset()
        .setString('SOPClassUID', MR_IMAGE)
        .setString('SOPInstanceUID', uid('instance', index))
        .setString('Modality', 'MR')
        .setString('StudyInstanceUID', uid('study'))
        .setString('SeriesInstanceUID', uid('series'))
        .setString('PatientID', 'PSEUDONYM')
        .setNumbers('SamplesPerPixel', [1])
        .setString('PhotometricInterpretation', 'MONOCHROME2')
        .setNumbers('Rows', [500])
        .setNumbers('Columns', [600])
        .setNumbers('BitsAllocated', [16])
        .setBytes('PixelData', Buffer.alloc(600_000, Number(index)), 'OW'),
    ),
  );
  const { product, version, artefact, lane, intendedUse } = model;
  const manifest: StudyManifest = {
    schema: 'aifi.study-manifest.v1',
    jobId,
    revision: 1,
    product: { id: product, version, modelDigest: artefact.sha256 },
    lane,
    studyInstanceUid: uid('study'),
    receivedAtMs: 1_700_000_000_000,
    attestations: intendedUse.series.map(({ id }) => ({ rule: id, verdict: 'allow' as const })),
    ruleSetSha256: sha256Hex('rules'),
    objects: files.map((file, index) => ({
      sopInstanceUid: uid('instance', String(index)),
      sopClassUid: MR_IMAGE,
      seriesInstanceUid: uid('series'),
      transferSyntaxUid: EXPLICIT_LITTLE_ENDIAN,
      sizeBytes: file.length,
      sha256: sha256Hex(file),
    })),
    ...change,
  };
  const manifestBytes = encodeManifest(studyManifestSchema, manifest);
  return { manifest, manifestBytes, envelope: Buffer.from(`sealed ${jobId}`), files };
}

function unary<Q, A>(
  call: (request: Q, callback: (error: ServiceError | null, answer: A) => void) => unknown,
  request: Q,
): Promise<A> {
  return new Promise((resolve, reject) => {
    call(request, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

export class GatewayStandIn {
  readonly uplink: uplink.UplinkServiceClient;
  readonly downlink: downlink.DownlinkServiceClient;
  readonly enrolment: enrolment.EnrolmentServiceClient;

  /** Without credential files of its own it shows no certificate at all. */
  constructor(port: number, { caFile, certificateFile, keyFile }: Partial<CredentialFiles>) {
    const read = (file: string | undefined): Buffer | null => (file ? readFileSync(file) : null);
    const channel = credentials.createSsl(read(caFile), read(keyFile), read(certificateFile));
    const address = `localhost:${port}`;
    this.uplink = new uplink.UplinkServiceClient(address, channel);
    this.downlink = new downlink.DownlinkServiceClient(address, channel);
    this.enrolment = new enrolment.EnrolmentServiceClient(address, channel);
  }
  close(): void {
    this.uplink.close();
    this.downlink.close();
    this.enrolment.close();
  }

  /** A study that the newest rules of this gateway's site have selected. */
  async study(model: ModelManifest, change: Partial<StudyManifest> = {}): Promise<TestStudy> {
    const { rules } = await this.rules();
    return testStudy(model, { ruleSetSha256: sha256Hex(rules), ...change });
  }
  open({ manifest, manifestBytes, envelope }: TestStudy): Promise<uplink.OpenStudyResponse> {
    const { jobId, revision } = manifest;
    const request = { jobId, revision, manifest: manifestBytes, envelope };
    return unary((q, callback) => this.uplink.openStudy(q, callback), request);
  }
  closeStudy({ manifest, manifestBytes }: TestStudy): Promise<uplink.CloseStudyResponse> {
    const { jobId, revision } = manifest;
    const request = { jobId, revision, manifestSha256: sha256Hex(manifestBytes) };
    return unary((q, callback) => this.uplink.closeStudy(q, callback), request);
  }
  renew(csr: Uint8Array): Promise<enrolment.RenewResponse> {
    return unary((q, callback) => this.enrolment.renew(q, callback), { csr: Buffer.from(csr) });
  }
  trust(): Promise<enrolment.GetTrustResponse> {
    return unary((q, callback) => this.enrolment.getTrust(q, callback), {});
  }
  rules(heldSha256 = ''): Promise<downlink.GetRoutingRulesResponse> {
    return unary((q, callback) => this.downlink.getRoutingRules(q, callback), { heldSha256 });
  }

  /** Sends parts as they are; resolves with the acknowledgements when the hub ends the stream. */
  put(parts: readonly uplink.PutObjectsRequest[]): Promise<uplink.ObjectAck[]> {
    const call = this.uplink.putObjects();
    const acks: uplink.ObjectAck[] = [];
    call.on('data', ({ part }: uplink.PutObjectsResponse) => {
      if (part?.$case === 'ack') acks.push(part.value);
    });
    const ended = new Promise<uplink.ObjectAck[]>((resolve, reject) => {
      call.on('end', () => resolve(acks));
      call.on('error', reject);
    });
    void (async () => {
      for (const part of parts) if (!call.write(part)) await once(call, 'drain');
      call.end();
    })().catch(() => undefined);
    return ended;
  }
  /** Opens, sends and closes a whole study. */
  async send(study: TestStudy): Promise<void> {
    await this.open(study);
    await this.put(study.files.flatMap((file, index) => partsOf(study, index, file)));
    await this.closeStudy(study);
  }

  /** Pulls `count` outcomes on a new stream, acknowledging those that `acknowledge` accepts. */
  pull(
    count: number,
    acknowledge: (outcome: ReceivedOutcome) => boolean,
  ): Promise<ReceivedOutcome[]> {
    const call = this.downlink.streamOutcomes();
    const outcomes: ReceivedOutcome[] = [];
    let header: downlink.OutcomeHeader | undefined;
    let chunks: Buffer[] = [];
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        call.cancel();
        resolve(outcomes);
      };
      call.on('error', (error) => (outcomes.length < count ? reject(error) : undefined));
      call.on('end', () => resolve(outcomes));
      call.on('data', ({ part }: downlink.StreamOutcomesResponse) => {
        if (part?.$case === 'header') [header, chunks] = [part.value, []];
        if (part?.$case === 'chunk') chunks.push(Buffer.from(part.value));
        if (part?.$case !== 'end') return;
        const outcome = { header: header!, bytes: Buffer.concat(chunks) };
        outcomes.push(outcome);
        const value = JSON.parse(Buffer.from(header!.manifest).toString()) as downlink.OutcomeAck;
        if (acknowledge(outcome)) call.write({ part: { $case: 'ack', value } });
        // Half-close after the last one: the hub reads the acknowledgement, then ends the stream.
        if (outcomes.length !== count) return;
        if (acknowledge(outcome)) call.end();
        else settle();
      });
      call.write({ part: { $case: 'cursor', value: { afterSequence: 0, exact: false } } });
    });
  }
}

/** Header and chunks of one object; `bytes` may lie about the object that is declared. */
export function partsOf(
  study: TestStudy,
  index: number,
  bytes: Buffer,
): uplink.PutObjectsRequest[] {
  const { sha256, sizeBytes } = study.manifest.objects[index]!;
  const from = { offsetBytes: 0, encoding: '' };
  const header = { jobId: study.manifest.jobId, sha256, sizeBytes, ...from };
  const parts: uplink.PutObjectsRequest[] = [{ part: { $case: 'header', value: header } }];
  for (let offset = 0; offset < bytes.length; offset += 256 * 1024) {
    const value = bytes.subarray(offset, offset + 256 * 1024);
    parts.push({ part: { $case: 'chunk', value } });
  }
  return parts;
}
