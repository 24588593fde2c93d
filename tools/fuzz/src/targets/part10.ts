/**
 * Target: preamble and file meta of Part 10 objects, then their dataset.
 * Property: only refusals of the catalogue; file meta and dataset fill the file.
 * Source: PS3.10 7.1.
 */
import { strictEqual } from 'node:assert';
import { decodePart10, encodeFileMeta } from '@aifi/dicom-core';
import { DATASET_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, type FuzzTarget } from '../fuzz-target.js';
import { seedDatasets } from './seed-datasets.js';

const SYNTAXES = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'];
const sopClassUid = '1.2.840.10008.5.1.4.1.1.7';

export const part10Target: FuzzTarget = {
  name: 'part10',
  covers: ['libs/dicom/core/src/part10', 'libs/dicom/core/src/element-walker'],
  maxBytes: 16 * 1024,
  tokens: DATASET_TOKENS,
  run(input) {
    const outcome = outcomeOf(() => decodePart10(input));
    if (!outcome.accepted) return;
    const { datasetOffset, sizeBytes } = outcome.value;
    strictEqual(datasetOffset + sizeBytes, input.length, 'a file was not consumed whole');
  },
  *seeds() {
    for (const transferSyntaxUid of SYNTAXES) {
      const meta = encodeFileMeta({ sopClassUid, sopInstanceUid: '2.25.3', transferSyntaxUid });
      for (const dataset of seedDatasets([transferSyntaxUid])) {
        yield Buffer.concat([meta, dataset]);
      }
    }
  },
};
