/**
 * Target: the report of a PACS about storage commitment. The first byte is the event type, the rest
 * the dataset in Implicit VR.
 * Properties: only refusals of the catalogue; no object occurs twice; what is understood says the
 * same after it was written again. Source: PS3.4 annex J.3.
 */
import { deepStrictEqual, strictEqual } from 'node:assert';
import { DicomDataset, ElementWalker, encodeDataset, encodingOf } from '@aifi/dicom-core';
import { decodeCommitmentReport, type CommitmentReport } from '@aifi/dicom-dimse';
import { DATASET_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, type FuzzTarget } from '../fuzz-target.js';

const IMPLICIT = encodingOf('1.2.840.10008.1.2');
/** With the event type of the command; a decoder that does not look at it takes one argument. */
const decode: (dataset: DicomDataset, eventTypeId: number) => CommitmentReport =
  decodeCommitmentReport;

function reportDataset({ transactionUid, committed, failed }: CommitmentReport): DicomDataset {
  const reference = (object: { sopClassUid: string; sopInstanceUid: string }): DicomDataset =>
    new DicomDataset()
      .setString('ReferencedSOPClassUID', object.sopClassUid)
      .setString('ReferencedSOPInstanceUID', object.sopInstanceUid);
  const dataset = new DicomDataset().setString('TransactionUID', transactionUid);
  if (committed.length > 0) dataset.setItems('ReferencedSOPSequence', committed.map(reference));
  if (failed.length === 0) return dataset;
  const items = failed.map((one) => reference(one).setNumbers('FailureReason', [one.reason]));
  return dataset.setItems('FailedSOPSequence', items);
}
function walked(bytes: Uint8Array): DicomDataset {
  const walker = new ElementWalker(IMPLICIT);
  walker.push(bytes);
  return walker.end().dataset;
}

export const storageCommitmentTarget: FuzzTarget = {
  name: 'storage-commitment',
  covers: ['libs/dicom/dimse/src/storage-commitment', 'libs/dicom/core/src/dataset'],
  maxBytes: 64 * 1024,
  tokens: DATASET_TOKENS,
  run(input) {
    const eventTypeId = input[0] ?? 1;
    const outcome = outcomeOf(() => decode(walked(input.subarray(1)), eventTypeId));
    if (!outcome.accepted) return;
    const { committed, failed } = outcome.value;
    const uids = [...committed, ...failed].map((object) => object.sopInstanceUid);
    strictEqual(new Set(uids).size, uids.length, 'an object occurs twice');
    const again = decode(
      walked(encodeDataset(reportDataset(outcome.value), IMPLICIT)),
      eventTypeId,
    );
    deepStrictEqual(again, outcome.value, 'a report reads differently again');
  },
  *seeds() {
    const object = (n: number) => ({
      sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
      sopInstanceUid: `2.25.${n}`,
    });
    const reports: [number, CommitmentReport][] = [
      [1, { transactionUid: '2.25.9', committed: [object(1), object(2)], failed: [] }],
      [2, { transactionUid: '2.25.9', committed: [], failed: [{ ...object(1), reason: 0x0112 }] }],
      [
        2,
        { transactionUid: '2.25.9', committed: [object(2)], failed: [{ ...object(1), reason: 1 }] },
      ],
    ];
    for (const [eventTypeId, report] of reports) {
      const dataset = encodeDataset(reportDataset(report), IMPLICIT);
      yield Buffer.concat([Buffer.from([eventTypeId]), dataset]);
    }
  },
};
