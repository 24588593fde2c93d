/**
 * Originals: which received file an output was made of, found without any key.
 * Decides by what pseudonymisation leaves alone: the digest of the pixel data, then numbers, times
 * and size of the image. Invariant: an original is given out once; the index holds digests and
 * paths only. Source: pseudonymisation specification 2.2 (e, f).
 */
import { createHash } from 'node:crypto';
import { AifiError } from '@aifi/shared-kernel';
import { filesBelow } from './files-below.js';
import { readObject } from './read-object.js';
import type { ReadObject } from './verify-object.js';

const STEADY = `SOPClassUID SeriesNumber AcquisitionNumber InstanceNumber StudyTime SeriesTime
  ContentTime AcquisitionTime Rows Columns NumberOfFrames ImagePositionPatient`.split(/\s+/);

interface Candidate {
  readonly path: string;
  readonly pixels: string | undefined;
  readonly steady: string;
}

export interface Original {
  readonly path: string;
  readonly object: ReadObject;
}

function steadyOf({ dataset }: ReadObject): string {
  const hash = createHash('sha256');
  for (const keyword of STEADY) {
    const element = dataset.get(keyword);
    hash.update(element?.value instanceof Uint8Array ? element.value : '').update('\0');
  }
  return hash.digest('base64');
}

export class OriginalIndex {
  readonly #left = new Set<Candidate>();
  readonly #byPixels = new Map<string, Candidate[]>();
  readonly #bySteady = new Map<string, Candidate[]>();

  /** Files that are no DICOM are passed over: folders hold other things too. */
  static async of(folder: string): Promise<OriginalIndex> {
    const index = new OriginalIndex();
    for await (const path of filesBelow(folder)) {
      const object = await readOrSkip(path);
      if (object) index.#add({ path, pixels: object.pixelsSha256, steady: steadyOf(object) });
    }
    return index;
  }

  #add(candidate: Candidate): void {
    this.#left.add(candidate);
    const put = (map: Map<string, Candidate[]>, key: string): void => {
      map.set(key, [...(map.get(key) ?? []), candidate]);
    };
    if (candidate.pixels !== undefined) put(this.#byPixels, candidate.pixels);
    put(this.#bySteady, candidate.steady);
  }

  /** The original of an output; undefined when there is none left that fits. */
  async take(output: ReadObject): Promise<Original | undefined> {
    const steady = steadyOf(output);
    const free = (candidates: readonly Candidate[] = []): Candidate[] =>
      candidates.filter((candidate) => this.#left.has(candidate));
    const alike = free(this.#byPixels.get(output.pixelsSha256 ?? ''));
    const chosen =
      alike.find((candidate) => candidate.steady === steady) ??
      free(this.#bySteady.get(steady))[0] ??
      alike[0];
    if (!chosen) return undefined;
    this.#left.delete(chosen);
    return { path: chosen.path, object: await readObject(chosen.path) };
  }
}

async function readOrSkip(path: string): Promise<ReadObject | undefined> {
  try {
    return await readObject(path);
  } catch (error) {
    const { code } = AifiError.from(error);
    if (code !== 'DICOM_MALFORMED' && code !== 'LIMIT_EXCEEDED') throw error;
    return undefined;
  }
}
