/**
 * SourceStudy: a demo study made of committed DICOM files under a planted identity.
 * Decides what is repaired: the marks of an earlier de-identification go (the study has an identity
 * again), values whose VR is not that of PS3.6 get it, decimal strings keep to their length.
 * Invariant: the pixels are those of the source, encapsulated ones byte by byte.
 * Source: PS3.3 C.7.1.1, PS3.5 6.2 and A.4, PS3.6; deploy/demo/data/SOURCES.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  decodePart10,
  encodePart10,
  isEncapsulated,
  vrOf,
  type DicomDataset,
} from '@aifi/dicom-core';
import {
  plant,
  uidCanaries,
  uidSource,
  type DemoStudy,
  type ExpectedProduct,
  type StudyOptions,
} from './demo-study.js';
import { plantIdentity } from './planted-identity.js';

const PIXEL_DATA = 0x7fe00010;
/** PS3.5 6.2, VR DS. */
const DECIMAL_STRING_CHARACTERS_MAX = 16;

export interface SourceSeries {
  /** Of the study, and of its folder in `deploy/demo/data`. */
  readonly name: string;
  readonly modality: string;
  readonly expected: readonly ExpectedProduct[];
  /** What this source needs besides the general repair; after the identity was planted. */
  readonly adjust: (dataset: DicomDataset) => void;
}

/** Gives every public element the VR of PS3.6 where the source has another, numbers kept. */
function repair(dataset: DicomDataset): DicomDataset {
  dataset.delete('PatientIdentityRemoved');
  dataset.delete('DeidentificationMethod');
  for (const { tag, vr } of [...dataset]) {
    const isPublic = ((tag >>> 16) & 1) === 0;
    if (!isPublic) continue;
    const standard = vrOf(tag);
    // UN: not in the dictionary; US stands for "US or SS", where the source knows better.
    if (vr !== standard && standard !== 'UN' && standard !== 'US') {
      dataset.setStrings(tag, dataset.strings(tag), standard);
    }
    const isTooLong = (text: string): boolean => text.length > DECIMAL_STRING_CHARACTERS_MAX;
    if (standard === 'DS' && dataset.strings(tag).some(isTooLong)) {
      dataset.setNumbers(tag, dataset.numbers(tag));
    }
  }
  return dataset;
}

/** The study of the folder `<dataFolder>/<name>`, one instance per file in the order of names. */
export function sourceStudy(
  dataFolder: string,
  { runId, uidsOf = runId, nowMs }: StudyOptions,
  { name, modality, expected, adjust }: SourceSeries,
): DemoStudy {
  const folder = join(dataFolder, name);
  const files = readdirSync(folder).sort();
  const uid = uidSource(name, uidsOf);
  const identity = plantIdentity(name, runId);
  return {
    name,
    modality,
    studyInstanceUid: uid('study'),
    instanceCount: files.length,
    identity,
    canaries: [...identity.canaries, ...uidCanaries(uid, files.length)],
    expected,
    *instances() {
      for (const [index, file] of files.entries()) {
        const bytes = gunzipSync(readFileSync(join(folder, file)));
        yield rewritten(bytes, (dataset) => {
          plant(repair(dataset), identity, { uid, instanceNumber: index + 1, nowMs });
          adjust(dataset);
        });
      }
    },
  };
}

/** The file with another header; encapsulated pixel data keeps its bytes and its syntax. */
function rewritten(bytes: Buffer, change: (dataset: DicomDataset) => void): Buffer {
  const { dataset, datasetOffset, pixelData, meta } = decodePart10(bytes);
  change(dataset);
  const { elementOffset = 0, valueOffset = 0, valueLength = 0 } = pixelData ?? {};
  const end = datasetOffset + valueOffset + valueLength;
  if (isEncapsulated(meta.transferSyntaxUid)) {
    const element = bytes.subarray(datasetOffset + elementOffset, end);
    return Buffer.concat([encodePart10(dataset, meta.transferSyntaxUid), element]);
  }
  dataset.setBytes(PIXEL_DATA, bytes.subarray(datasetOffset + valueOffset, end), 'OW');
  return encodePart10(dataset);
}
