/**
 * Archive: the instances of the stand-in PACS, one file each, and an index in memory.
 * Decides identifiers as Orthanc does, so that callers cannot tell the two apart. Invariant: the
 * first version of an instance stays (Orthanc's OverwriteInstances: false).
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePart10, keywordOf, tagOf, type DicomDataset } from '@aifi/dicom-core';
import { AifiError, writeDurableFile } from '@aifi/shared-kernel';

export const LEVELS = ['Patient', 'Study', 'Series', 'Instance'] as const;
export type Level = (typeof LEVELS)[number];
/** The UID (or patient id) that names a resource of each level. */
export const KEY_OF_LEVEL: Readonly<Record<Level, string>> = {
  Patient: 'PatientID',
  Study: 'StudyInstanceUID',
  Series: 'SeriesInstanceUID',
  Instance: 'SOPInstanceUID',
};
/** Attributes kept for queries and answers. */
const INDEXED = [
  ...Object.values(KEY_OF_LEVEL),
  ...['SOPClassUID', 'PatientName', 'PatientBirthDate', 'PatientSex', 'IssuerOfPatientID'],
  ...['AccessionNumber', 'StudyDate', 'StudyDescription', 'Modality', 'SeriesDescription'],
  ...['SeriesNumber', 'InstanceNumber'],
].map(tagOf);

export interface ArchivedInstance {
  readonly ids: Readonly<Record<Level, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly path: string;
  readonly sizeBytes: number;
}

/** SHA-1 over the UIDs of the resource and its parents, in five groups of eight digits. */
function orthancId(tags: Readonly<Record<string, string>>, level: Level): string {
  const parents = LEVELS.slice(0, LEVELS.indexOf(level) + 1);
  const text = parents.map((parent) => tags[KEY_OF_LEVEL[parent]] ?? '').join('|');
  const digest = createHash('sha1').update(text).digest('hex');
  return digest.match(/.{8}/g)!.join('-');
}
function indexedTags(dataset: DicomDataset): Record<string, string> {
  const present = INDEXED.filter((tag) => dataset.has(tag));
  return Object.fromEntries(
    present.map((tag) => [keywordOf(tag), dataset.strings(tag).join('\\')]),
  );
}

export class Archive {
  readonly #instances = new Map<string, ArchivedInstance>();

  private constructor(private readonly folder: string) {}

  static async open(folder: string): Promise<Archive> {
    await mkdir(folder, { recursive: true });
    const archive = new Archive(folder);
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.dcm'))) {
      archive.#index(await readFile(join(folder, name)));
    }
    return archive;
  }

  /** Keeps a whole Part 10 object; DICOM_MALFORMED when it is none. */
  async add(part10: Buffer): Promise<{ instance: ArchivedInstance; isNew: boolean }> {
    const count = this.#instances.size;
    const instance = this.#index(part10);
    const isNew = this.#instances.size > count;
    if (isNew) await writeDurableFile(instance.path, part10);
    return { instance, isNew };
  }
  get all(): ArchivedInstance[] {
    return [...this.#instances.values()];
  }
  /** Instances below a resource of any level, by its id. */
  ofResource(id: string): ArchivedInstance[] {
    return this.all.filter(({ ids }) => Object.values(ids).includes(id));
  }
  /** One instance of each resource of the level whose tags equal the non-empty values asked. */
  resources(level: Level, query: Readonly<Record<string, string>>): ArchivedInstance[] {
    const keys = Object.entries(query).filter(([, value]) => value !== '' && value !== '*');
    const found = this.all.filter(({ tags }) => keys.every(([key, value]) => tags[key] === value));
    return [...new Map(found.map((one) => [one.ids[level], one])).values()];
  }

  #index(part10: Buffer): ArchivedInstance {
    const tags = indexedTags(decodePart10(part10).dataset);
    if (!tags['SOPInstanceUID']) throw new AifiError('DICOM_MALFORMED', 'no SOP Instance UID');
    const ids = Object.fromEntries(
      LEVELS.map((level) => [level, orthancId(tags, level)]),
    ) as Record<Level, string>;
    const known = this.#instances.get(ids.Instance);
    if (known) return known;
    const path = join(this.folder, `${ids.Instance}.dcm`);
    const instance = { ids, tags, path, sizeBytes: part10.length };
    this.#instances.set(ids.Instance, instance);
    return instance;
  }
}
