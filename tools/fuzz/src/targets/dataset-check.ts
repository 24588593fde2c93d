/**
 * Target: DatasetCheck of the receive stage, with inflation. The first byte chooses the transfer
 * syntax; the rest is what arrives.
 * Properties: only refusals of the catalogue; the verdict does not depend on chunks; a dataset has
 * the same verdict deflated and plain. Source: PS3.5 A.5; reliability specification F2, P0.
 */
import { deepStrictEqual } from 'node:assert';
import { deflateRawSync } from 'node:zlib';
import { ElementWalker, encodingOf, encodeDataset, type DicomDataset } from '@aifi/dicom-core';
import { chunksOf } from '../chunked.js';
import { DATASET_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, outcomeOfAsync, type FuzzTarget } from '../fuzz-target.js';
import { internalModule } from '../internal-module.js';
import { datasetOf, seedDatasets } from './seed-datasets.js';

interface CheckedDataset {
  readonly dataset: DicomDataset;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
}
interface Check {
  write(chunk: Uint8Array): Promise<void> | void;
  end(): Promise<CheckedDataset>;
  close(): void;
}
interface Announced {
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
  readonly transferSyntaxUid: string;
}
const FILE = 'libs/gateway/receive/src/dataset-check.ts';
const { DatasetCheck } = await internalModule<{
  DatasetCheck: new (announced: Announced) => Check;
}>(FILE, ['DatasetCheck']);
const HEADER_FILE = 'libs/gateway/receive/src/instance-header-reader.ts';
const { readInstanceHeader } = await internalModule<{
  readInstanceHeader(dataset: DicomDataset): unknown;
}>(HEADER_FILE, ['readInstanceHeader']);

const DEFLATED = '1.2.840.10008.1.2.1.99';
const EXPLICIT = '1.2.840.10008.1.2.1';
const SYNTAXES = [
  EXPLICIT,
  '1.2.840.10008.1.2',
  '1.2.840.10008.1.2.2',
  '1.2.840.10008.1.2.4.70',
  DEFLATED,
];

/** What a truthful command says of these bytes, as far as they can be read. */
function announcedOf(bytes: Uint8Array, transferSyntaxUid: string): Announced {
  const walker = new ElementWalker(encodingOf(transferSyntaxUid));
  outcomeOf(() => walker.push(bytes));
  const uid = (keyword: string): string => {
    const value = outcomeOf(() => walker.dataset.string(keyword));
    return (value.accepted && value.value) || '2.25.3';
  };
  return {
    affectedSopClassUid: uid('SOPClassUID'),
    affectedSopInstanceUid: uid('SOPInstanceUID'),
    transferSyntaxUid,
  };
}
/** UIDs, tags that were kept and the header of the row, or the refusal. */
async function verdictOf(announced: Announced, chunks: Iterable<Uint8Array>): Promise<unknown> {
  const check = new DatasetCheck(announced);
  try {
    const outcome = await outcomeOfAsync(async () => {
      for (const chunk of chunks) await check.write(chunk);
      const { dataset, studyInstanceUid, seriesInstanceUid } = await check.end();
      const header = outcomeOf(() => readInstanceHeader(dataset));
      return [studyInstanceUid, seriesInstanceUid, [...dataset].map(({ tag }) => tag), header];
    });
    return outcome.accepted ? outcome.value : outcome.refusal;
  } finally {
    check.close();
  }
}

async function run(input: Uint8Array): Promise<void> {
  if (input.length === 0) return;
  const bytes = input.subarray(1);
  const transferSyntaxUid = SYNTAXES[input[0]! % SYNTAXES.length]!;
  if (transferSyntaxUid === DEFLATED) {
    const announced = { ...announcedOf(bytes, EXPLICIT), transferSyntaxUid };
    const whole = await verdictOf(announced, [bytes]);
    const cut = await verdictOf(announced, chunksOf(bytes));
    // A stream that is broken in two ways is refused for either of them.
    const areRefused = typeof whole === 'string' && typeof cut === 'string';
    if (!areRefused) deepStrictEqual(cut, whole, 'chunks change the verdict');
    return;
  }
  const announced = announcedOf(bytes, transferSyntaxUid);
  const whole = await verdictOf(announced, [bytes]);
  deepStrictEqual(await verdictOf(announced, chunksOf(bytes)), whole, 'chunks change the verdict');
  if (transferSyntaxUid !== EXPLICIT) return;
  const deflated = { ...announced, transferSyntaxUid: DEFLATED };
  const packed = await verdictOf(deflated, chunksOf(deflateRawSync(bytes)));
  deepStrictEqual(packed, whole, 'deflated and plain differ');
}

export const datasetCheckTarget: FuzzTarget = {
  name: 'dataset-check',
  covers: [
    FILE,
    HEADER_FILE,
    'libs/dicom/core/src/element-walker',
    'libs/dicom/core/src/pixel-description',
  ],
  maxBytes: 64 * 1024,
  tokens: DATASET_TOKENS,
  run,
  *seeds() {
    for (const [index, uid] of SYNTAXES.slice(0, 4).entries()) {
      for (const bytes of seedDatasets([uid])) yield Buffer.concat([Buffer.from([index]), bytes]);
    }
    const packed = deflateRawSync(encodeDataset(datasetOf(), encodingOf(EXPLICIT)));
    yield Buffer.concat([Buffer.from([4]), packed]);
    yield Buffer.concat([Buffer.from([4]), packed, Buffer.alloc(1)]);
  },
};
