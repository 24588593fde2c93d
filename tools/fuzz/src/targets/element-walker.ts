/**
 * Target: ElementWalker, in the three encodings.
 * Properties: verdict and result do not depend on chunks, nor the verdict on what is kept; what is
 * accepted was consumed whole, and says the same again after encoding.
 * Source: PS3.5 7.1, 7.5, A.4; reliability specification F2.
 */
import { deepStrictEqual, strictEqual } from 'node:assert';
import {
  type DicomDataset,
  ElementWalker,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  type WalkOptions,
  type WalkResult,
} from '@aifi/dicom-core';
import { chunksOf } from '../chunked.js';
import { DATASET_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, type FuzzTarget, type Outcome } from '../fuzz-target.js';
import { seedDatasets } from './seed-datasets.js';

const SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN];
const EXPLICIT = encodingOf(EXPLICIT_VR_LITTLE_ENDIAN);
/** As in a dataset on the wire: no groups of messages and file meta (PS3.5 7.1). */
const ON_WIRE: WalkOptions = { lowestGroup: 0x0004 };
const KEEPING_LITTLE: WalkOptions = { ...ON_WIRE, keep: new Set([0x00080016, 0x00080018]) };
/** Longest value with a 16-bit length; a longer one is written as UN. @unit bytes */
const SHORT_VALUE_BYTES_MAX = 0xfffe;

/** Tags, VRs and values, for comparison. */
function contentOf(dataset: DicomDataset): unknown[] {
  return [...dataset].map(({ tag, vr, value }) => {
    if (!(value instanceof Uint8Array)) return [tag, vr, value.map(contentOf)];
    return [
      tag,
      value.length > SHORT_VALUE_BYTES_MAX ? 'UN' : vr,
      Buffer.from(value).toString('hex'),
    ];
  });
}
function walk(syntax: string, chunks: Iterable<Uint8Array>, options: WalkOptions): WalkResult {
  const walker = new ElementWalker(encodingOf(syntax), options);
  for (const chunk of chunks) walker.push(chunk);
  return walker.end();
}
const comparable = (outcome: Outcome<WalkResult>): unknown =>
  outcome.accepted
    ? [outcome.value.sizeBytes, outcome.value.pixelData, contentOf(outcome.value.dataset)]
    : outcome.refusal;

function checkAccepted({ dataset, sizeBytes }: WalkResult, input: Uint8Array): void {
  strictEqual(sizeBytes, input.length, 'an accepted dataset was not consumed whole');
  const again = walk(EXPLICIT_VR_LITTLE_ENDIAN, [encodeDataset(dataset, EXPLICIT)], {});
  deepStrictEqual(
    contentOf(again.dataset),
    contentOf(dataset),
    'a dataset reads differently again',
  );
}

function run(input: Uint8Array): void {
  for (const syntax of SYNTAXES) {
    const whole = outcomeOf(() => walk(syntax, [input], ON_WIRE));
    const cut = outcomeOf(() => walk(syntax, chunksOf(input), ON_WIRE));
    deepStrictEqual(comparable(cut), comparable(whole), 'chunks change the result');
    const lean = outcomeOf(() => walk(syntax, chunksOf(input, 1), KEEPING_LITTLE));
    strictEqual(lean.accepted, whole.accepted, 'what is kept changes the verdict');
    if (whole.accepted) checkAccepted(whole.value, input);
  }
}

/** The input as a file, in the first encoding that takes it. */
function part10Of(input: Uint8Array): Uint8Array | undefined {
  for (const transferSyntaxUid of SYNTAXES) {
    const outcome = outcomeOf(() => walk(transferSyntaxUid, [input], ON_WIRE));
    if (!outcome.accepted || outcome.value.dataset.size === 0) continue;
    const sopClassUid = '1.2.840.10008.5.1.4.1.1.7';
    const meta = encodeFileMeta({ sopClassUid, sopInstanceUid: '2.25.1', transferSyntaxUid });
    return Buffer.concat([meta, input]);
  }
  return undefined;
}

export const elementWalkerTarget: FuzzTarget = {
  name: 'element-walker',
  covers: [
    'libs/dicom/core/src/element-walker',
    'libs/dicom/core/src/element-header',
    'libs/dicom/core/src/pixel-description',
    'libs/dicom/core/src/dataset',
  ],
  maxBytes: 64 * 1024,
  tokens: DATASET_TOKENS,
  run,
  part10Of,
  seeds: () => seedDatasets(SYNTAXES),
};
