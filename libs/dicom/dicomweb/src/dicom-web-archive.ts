/**
 * DicomWebArchive: what we fetch from a PACS over HTTP: QIDO-RS lists and WADO-RS objects.
 * Decides that objects are asked for as they lie there (any transfer syntax), and streamed part by
 * part into a sink each. Invariants: lists and parts are bounded; an answer that breaks off is a
 * fault, whatever came before; no link and no redirect is followed.
 * Source: PS3.18 8.3.4 (paging), 8.7.3.5 (transfer-syntax), 10.4 (Retrieve), 10.6 (Search).
 */
import type { ListedSeries, ListingLimits, RetrieveTarget } from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import { datasetsOf, TAG, textOf, textsOf, type JsonDataset } from './dicom-json.js';
import type { DicomWebOptions } from './dicom-web-pacs.js';
import { parseMediaType } from './media-type.js';
import { MultipartReader, type MultipartEvent } from './multipart-reader.js';
import { webFault } from './store-answer.js';
import { nonsense, WebClient, type BodyReader } from './web-client.js';

/** Takes one object as a Part 10 file. After a rejection the owner calls abort(). */
export interface PartSink {
  write(bytes: Uint8Array): Promise<void>;
  /** It is whole; resolves when it is settled. */
  end(): Promise<void>;
  abort(): Promise<void>;
}
export interface WebRetrieval extends RetrieveTarget {
  /** Objects that there can be at most; more is no answer. */
  readonly objectsMax: number;
  readonly signal: AbortSignal;
  readonly begin: () => PartSink;
}
/** What a search of studies asks for; an empty value is not asked. */
export interface StudySearch {
  /** YYYYMMDD. */
  readonly date?: string | undefined;
  readonly modality?: string | undefined;
  readonly accessionNumber?: string | undefined;
}
/** A study as a search tells of it; empty where the PACS does not say. No patient attribute. */
export interface FoundStudy {
  readonly studyInstanceUid: string;
  readonly date: string;
  readonly time: string;
  readonly description: string;
  readonly modalities: readonly string[];
}
export interface FoundStudies {
  readonly studies: readonly FoundStudy[];
  /** False: there are more than were asked for. */
  readonly isWhole: boolean;
}

type Query = readonly (readonly [string, string])[];

const JSON_TYPE = 'application/dicom+json';
/** PS3.18 8.7.3.5.2: in the syntax in which the object lies. */
const PARTS_TYPE = 'multipart/related; type="application/dicom"; transfer-syntax=*';
/** Matches asked for at once: some 1.5 kB each, and an answer has at most 1 MiB. */
const PAGE = 200;
/** @unit ms */
const TIMEOUT_MS = 30_000;
/** The longest pause and the longest answer of a retrieve. @unit ms */
const [IDLE_MS, TOTAL_MS] = [300_000, 3_600_000];
/** PS3.5 9.1; also keeps wildcards and path segments out of a URL. */
const UID = /^[0-9]+(\.[0-9]+)*$/;
const UID_CHARACTERS_MAX = 64;

export interface DicomWebArchiveOptions extends DicomWebOptions {
  /** Longest silence of the service in a retrieve. @unit ms @default 300000 */
  readonly idleMs?: number | undefined;
  /** Longest retrieve in all. @unit ms @default 3600000 */
  readonly totalMs?: number | undefined;
}

export class DicomWebArchive {
  readonly #client: WebClient;

  constructor(private readonly options: DicomWebArchiveOptions) {
    this.#client = new WebClient(options);
  }

  /** Empty: the PACS has no such study. LIMIT_EXCEEDED for more than may be listed. */
  async listStudy(
    studyInstanceUid: string,
    { seriesMax, instancesMax }: ListingLimits,
  ): Promise<ListedSeries[]> {
    const path = `/studies/${uid(studyInstanceUid)}/instances`;
    const fields = [['includefield', 'SOPClassUID'] as const];
    const found = await this.#all(path, fields, instancesMax, (match) => ({
      seriesInstanceUid: textOf(match, TAG.seriesInstanceUid),
      sopInstanceUid: textOf(match, TAG.sopInstanceUid),
      sopClassUid: textOf(match, TAG.sopClassUid),
    }));
    const series = new Map<string, { sopInstanceUid: string; sopClassUid: string }[]>();
    for (const { seriesInstanceUid, ...object } of found.matches) {
      if (object.sopInstanceUid === '' || seriesInstanceUid === '') continue;
      const objects = series.get(seriesInstanceUid) ?? [];
      objects.push(object);
      series.set(seriesInstanceUid, objects);
    }
    if (!found.isWhole || series.size > seriesMax) {
      throw new AifiError('LIMIT_EXCEEDED', 'the study has too much');
    }
    return [...series].map(([seriesInstanceUid, objects]) => {
      return { seriesInstanceUid, instances: objects.length, objects };
    });
  }

  async findStudies(search: StudySearch, matchesMax: number): Promise<FoundStudies> {
    const { date, modality, accessionNumber } = search;
    const query = [
      ...(date ? [['StudyDate', date] as const] : []),
      ...(modality ? [['ModalitiesInStudy', modality] as const] : []),
      ...(accessionNumber ? [['AccessionNumber', accessionNumber] as const] : []),
      ...['StudyDescription', 'ModalitiesInStudy'].map((name) => ['includefield', name] as const),
    ];
    const { matches, isWhole } = await this.#all('/studies', query, matchesMax, (match) => ({
      studyInstanceUid: textOf(match, TAG.studyInstanceUid),
      date: textOf(match, TAG.studyDate),
      time: textOf(match, TAG.studyTime),
      description: textOf(match, TAG.studyDescription),
      modalities: textsOf(match, TAG.modalitiesInStudy),
    }));
    return { studies: matches.filter((one) => one.studyInstanceUid !== ''), isWhole };
  }

  /** Station names of the series of a study, as far as the PACS tells. */
  async stationsOf(studyInstanceUid: string, seriesMax: number): Promise<string[]> {
    const path = `/studies/${uid(studyInstanceUid)}/series`;
    const fields = [['includefield', 'StationName'] as const];
    const { matches } = await this.#all(path, fields, seriesMax, (match) => ({
      seriesInstanceUid: textOf(match, TAG.seriesInstanceUid),
      station: textOf(match, TAG.stationName),
    }));
    return matches.map(({ station }) => station).filter((name) => name !== '');
  }

  /** How many objects came; each has gone to a sink of its own. */
  async retrieve(retrieval: WebRetrieval): Promise<number> {
    const { studyInstanceUid, seriesInstanceUid, signal } = retrieval;
    const study = `/studies/${uid(studyInstanceUid)}`;
    const path = seriesInstanceUid ? `${study}/series/${uid(seriesInstanceUid)}` : study;
    const { idleMs = IDLE_MS, totalMs = TOTAL_MS } = this.options;
    const reader = new ObjectReader(retrieval);
    try {
      const request = { method: 'GET', path, accept: PARTS_TYPE } as const;
      const limits = { idleMs, totalMs };
      const { status } = await this.#client.read(request, limits, { reader, signal });
      if (status === 404) throw new AifiError('NOT_FOUND', 'the PACS has no such study');
      if (status !== 200) throw webFault(status);
      return reader.objects;
    } finally {
      await reader.drop();
    }
  }

  /** Page after page; a service that does not page repeats itself, and is read once. */
  async #all<T extends object>(
    path: string,
    query: Query,
    matchesMax: number,
    read: (match: JsonDataset) => T,
  ): Promise<{ matches: readonly T[]; isWhole: boolean }> {
    const matches = new Map<string, T>();
    for (let offset = 0; ; offset += PAGE) {
      const before = matches.size;
      const page = (await this.#page(path, query, offset)).map(read);
      for (const match of page) matches.set(JSON.stringify(match), match);
      if (matches.size > matchesMax) {
        return { matches: [...matches.values()].slice(0, matchesMax), isWhole: false };
      }
      const isLast = page.length < PAGE || matches.size === before;
      if (isLast) return { matches: [...matches.values()], isWhole: true };
    }
  }

  async #page(path: string, query: Query, offset: number): Promise<readonly JsonDataset[]> {
    const parameters = new URLSearchParams({ limit: String(PAGE), offset: String(offset) });
    for (const [name, value] of query) parameters.append(name, value);
    const { timeoutMs: idleMs = TIMEOUT_MS } = this.options;
    const { status, body } = await this.#client.ask(
      { method: 'GET', path: `${path}?${parameters}`, accept: JSON_TYPE },
      { idleMs, totalMs: idleMs },
    );
    // Some services answer 404 where there is no such study.
    if (status === 204 || status === 404) return [];
    if (status !== 200) throw webFault(status);
    return datasetsOf(body);
  }
}

/** The parts of an answer, one after the other into their sinks. */
class ObjectReader implements BodyReader {
  #parts: MultipartReader | undefined;
  #sink: PartSink | undefined;

  constructor(private readonly retrieval: WebRetrieval) {}

  get objects(): number {
    return this.#parts?.parts ?? 0;
  }
  begin(contentType: string): void {
    const { objectsMax: partsMax } = this.retrieval;
    this.#parts = readable(() => {
      const { type, parameters } = parseMediaType(contentType);
      if (type !== 'multipart/related') throw nonsense('answer is no multipart/related');
      return new MultipartReader(parameters.get('boundary') ?? '', { partsMax });
    });
  }
  async take(chunk: Buffer): Promise<void> {
    const events = this.#parts!.push(chunk);
    for (;;) {
      const { done, value } = readable(() => events.next());
      if (done) return;
      await this.#step(value);
    }
  }
  end(): void {
    readable(() => this.#parts!.end());
  }
  /** What was begun and did not end is not wanted. */
  async drop(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    await sink?.abort();
  }

  async #step(event: MultipartEvent): Promise<void> {
    if (event.kind === 'data') {
      await this.#sink!.write(event.bytes);
    } else if (event.kind === 'part') {
      const type = event.headers.get('content-type') ?? '';
      if (!/^application\/dicom\s*(;|$)/i.test(type)) throw nonsense('part type');
      this.#sink = this.retrieval.begin();
    } else {
      await this.#sink!.end();
      this.#sink = undefined;
    }
  }
}

/** What cannot be read, or is more than was announced, is no answer. */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw nonsense(AifiError.from(error).message);
  }
}

function uid(value: string): string {
  if (value.length <= UID_CHARACTERS_MAX && UID.test(value)) return value;
  throw new AifiError('INVALID_IDENTIFIER', 'not a UID');
}
