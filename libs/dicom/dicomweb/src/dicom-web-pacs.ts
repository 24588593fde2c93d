/**
 * DicomWebPacs: what we ask of a PACS over HTTP: STOW-RS, and QIDO-RS of a study and an instance.
 * Decides that an answer of HTTP means what the same answer of DIMSE would mean, so that whoever
 * delivers need not know which of the two it talks to.
 * Invariants: one instance per request; an answer that does not name the instance is no answer; no
 * link and no redirect is followed; only a match that names what was asked for counts.
 * Source: PS3.18 8 (media types), 10.5 (Store), 10.6 (Search); reliability specification P6, C7.
 */
import { randomBytes } from 'node:crypto';
import { encodeFileMeta } from '@aifi/dicom-core';
import { chunksOf, type StoreObject, type StudyMatch } from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import { datasetsOf, nameOf, TAG, textOf, textsOf, type JsonDataset } from './dicom-json.js';
import { storeStatus, webFault } from './store-answer.js';
import { WebClient, type WebClientOptions } from './web-client.js';

export interface DicomWebOptions extends WebClientOptions {
  /**
   * Longest search; of a store the longest silence, to which the answer to a large object adds 1 s
   * for each 10 MB. @unit ms @default 30000
   */
  readonly timeoutMs?: number | undefined;
  /** Longest store in all. @unit ms @default 3600000 */
  readonly storeTimeoutMs?: number | undefined;
}

/** What C7 compares; one parameter each, some services do not read the list of PS3.18 8.3.4.3. */
const IDENTITY = [
  ...['PatientID', 'IssuerOfPatientID', 'PatientBirthDate'],
  ...['PatientName', 'PatientSex', 'AccessionNumber'],
];
const JSON_TYPE = 'application/dicom+json';
/** A long silence for a PACS on a local network. @unit ms */
const TIMEOUT_MS = 30_000;
/** The largest object (4 GiB) at 10 Mbit/s. @unit ms */
const STORE_TIMEOUT_MS = 3_600_000;
/** Matches of one search: ours ask for one study or one instance. */
const MATCHES_MAX = 100;
/** How much of an object in memory is sent at once; progress is counted in these. @unit bytes */
const CHUNK_BYTES = 256 * 1024;
/** No study has this UID: it is the UUID of all zeros (PS3.5 B.2). */
const NO_STUDY = '2.25.0';
/** PS3.5 9.1; also keeps wildcards and path segments out of a URL. */
const UID = /^[0-9]+(\.[0-9]+)*$/;
const UID_CHARACTERS_MAX = 64;

export class DicomWebPacs {
  readonly #client: WebClient;
  readonly #timeoutMs: number;
  readonly #storeTimeoutMs: number;

  /** CONFIG_INVALID for a URL that is neither https with `tls` nor http with `plain`. */
  constructor(options: DicomWebOptions) {
    this.#client = new WebClient(options);
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#storeTimeoutMs = options.storeTimeoutMs ?? STORE_TIMEOUT_MS;
  }

  /** Resolves when the service answers a search; PS3.18 has nothing lighter that all offer. */
  async echo(): Promise<void> {
    await this.#search('/studies', [['StudyInstanceUID', NO_STUDY]]);
  }

  /** The DIMSE status that the answer amounts to. */
  async store(object: StoreObject): Promise<number> {
    const boundary = randomBytes(16).toString('hex');
    const head = Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
      encodeFileMeta(object),
    ]);
    const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
    const { dataset } = object;
    const isWhole = dataset instanceof Uint8Array;
    const request = {
      method: 'POST',
      path: '/studies',
      accept: JSON_TYPE,
      contentType: `multipart/related; type="application/dicom"; boundary=${boundary}`,
      body: bodyOf(head, chunksOf(dataset), tail),
      bodyBytes: isWhole ? head.length + dataset.length + tail.length : undefined,
    } as const;
    const totalMs = Math.max(this.#timeoutMs, this.#storeTimeoutMs);
    const answer = await this.#client.ask(request, { idleMs: this.#timeoutMs, totalMs });
    return storeStatus(answer, object.sopInstanceUid);
  }

  /** The study as the PACS knows it: none, one, or more when patients are mixed up. */
  async findStudy(studyInstanceUid: string): Promise<StudyMatch[]> {
    const matches = await this.#search('/studies', [
      ['StudyInstanceUID', uid(studyInstanceUid)],
      ...IDENTITY.map((keyword) => ['includefield', keyword] as const),
    ]);
    return matches
      .filter((match) => textOf(match, TAG.studyInstanceUid) === studyInstanceUid)
      .map((match) => ({
        studyInstanceUid,
        patientId: textOf(match, TAG.patientId),
        issuerOfPatientId: textOf(match, TAG.issuerOfPatientId),
        patientBirthDate: textOf(match, TAG.patientBirthDate),
        patientName: nameOf(match, TAG.patientName),
        patientSex: textOf(match, TAG.patientSex),
        accessionNumber: textsOf(match, TAG.accessionNumber).join('\\'),
      }));
  }

  /** True when the PACS lists this very instance. */
  async findInstance(study: string, series: string, instance: string): Promise<boolean> {
    const path = `/studies/${uid(study)}/series/${uid(series)}/instances`;
    // Some services answer 404 where there is no such study or series.
    const matches = await this.#search(path, [['SOPInstanceUID', uid(instance)]], [404]);
    return matches.some((match) => textOf(match, TAG.sopInstanceUid) === instance);
  }

  async #search(
    path: string,
    query: readonly (readonly [string, string])[],
    empty: readonly number[] = [],
  ): Promise<readonly JsonDataset[]> {
    const parameters = new URLSearchParams({ limit: String(MATCHES_MAX) });
    for (const [name, value] of query) parameters.append(name, value);
    const [idleMs, totalMs] = [this.#timeoutMs, this.#timeoutMs];
    const { status, body } = await this.#client.ask(
      { method: 'GET', path: `${path}?${parameters}`, accept: JSON_TYPE },
      { idleMs, totalMs },
    );
    if (status === 204 || empty.includes(status)) return [];
    if (status !== 200) throw webFault(status);
    return datasetsOf(body);
  }
}

function uid(value: string): string {
  if (value.length <= UID_CHARACTERS_MAX && UID.test(value)) return value;
  throw new AifiError('INVALID_IDENTIFIER', 'not a UID');
}

async function* bodyOf(
  head: Buffer,
  chunks: AsyncIterable<Uint8Array>,
  tail: Buffer,
): AsyncGenerator<Uint8Array> {
  yield head;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
      yield chunk.subarray(at, at + CHUNK_BYTES);
    }
  }
  yield tail;
}
