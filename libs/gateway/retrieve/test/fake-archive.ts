/**
 * FakeArchive: a PACS of the suites that lists studies and "sends" by writing rows of instances.
 * Decides nothing; a script says how each fetch ends. Invariant: what is not sent has no row.
 */
import type { FoundStudy } from '@aifi/dicom-dicomweb';
import type { ListedSeries } from '@aifi/dicom-dimse';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Archive, FetchOrder, RetrievalReason } from '../src/archive.js';

/** How one fetch goes: what of what was asked comes, and what is said in the end. */
export type Fetching = (
  send: (uids: readonly string[]) => Promise<void>,
  asked: readonly string[],
  order: FetchOrder,
) => Promise<RetrievalReason | undefined>;

export const all: Fetching = async (send, asked) => {
  await send(asked);
  return undefined;
};

export class FakeArchive implements Archive {
  readonly fetches: FetchOrder[] = [];
  lists = 0;
  /** Studies of a search. */
  found: FoundStudy[] = [];
  searches: unknown[] = [];
  stations: string[] = [];
  fault: unknown;
  readonly #studies = new Map<string, ListedSeries[]>();
  readonly #scripts: Fetching[] = [];

  constructor(private readonly database: GatewayDatabase) {}

  /** A study with so many images in each series. */
  has(study: string, series: Readonly<Record<string, number>>, isCounted = false): void {
    this.#studies.set(
      study,
      Object.entries(series).map(([seriesInstanceUid, instances]) => {
        const uids = Array.from({ length: instances }, (_, at) => `${seriesInstanceUid}.${at}`);
        const objects = uids.map((sopInstanceUid) => ({ sopInstanceUid, sopClassUid: '1.2' }));
        return { seriesInstanceUid, instances, objects: isCounted ? undefined : objects };
      }),
    );
  }
  /** The next fetches go like this, then all goes well. */
  next(...fetchings: readonly Fetching[]): void {
    this.#scripts.push(...fetchings);
  }

  async list(study: string): Promise<readonly ListedSeries[]> {
    this.lists += 1;
    if (this.fault) throw this.fault;
    return this.#studies.get(study) ?? [];
  }
  async fetch(order: FetchOrder): Promise<RetrievalReason | undefined> {
    this.fetches.push(order);
    const { studyInstanceUid: study, seriesInstanceUid: series } = order;
    const asked = (this.#studies.get(study) ?? [])
      .filter((one) => series === undefined || one.seriesInstanceUid === series)
      .flatMap(({ seriesInstanceUid, instances }) =>
        Array.from({ length: instances ?? 0 }, (_, at) => `${seriesInstanceUid}.${at}`),
      );
    const send = (uids: readonly string[]): Promise<void> => this.receive(study, uids);
    return (this.#scripts.shift() ?? all)(send, asked, order);
  }
  async findStudies(search: object): Promise<{ studies: FoundStudy[]; isWhole: boolean }> {
    this.searches.push(search);
    if (this.fault) throw this.fault;
    return { studies: this.found, isWhole: true };
  }
  async stationsOf(): Promise<string[]> {
    return this.stations;
  }

  /** Rows as the listener writes them: the last number of a UID is the image, the rest a series. */
  async receive(study: string, uids: readonly string[]): Promise<void> {
    await this.database.write((sql) => {
      sql.run('INSERT OR IGNORE INTO study (study_uid, last_received_ms) VALUES (?, 1)', study);
      const { study_id: id } = sql.get<{ study_id: number }>(
        'SELECT study_id FROM study WHERE study_uid = ?',
        study,
      )!;
      for (const uid of uids) {
        sql.run(
          `INSERT OR IGNORE INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
             transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms)
           VALUES (?, ?, ?, '1', '1', 'x', 1, 'p', '{}', 'PACS', 1)`,
          ...[id, uid.slice(0, uid.lastIndexOf('.')), uid],
        );
      }
    });
  }
}
