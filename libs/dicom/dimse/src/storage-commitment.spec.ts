/**
 * Goal: a request names what is to be kept; a report counts only when it is whole and consistent.
 * Method: reports as datasets, changed one way at a time.
 */
import { describe, expect, it } from '@jest/globals';
import { DicomDataset } from '@aifi/dicom-core';
import {
  COMMITMENT_EVENT,
  decodeCommitmentReport,
  encodeCommitmentRequest,
} from './storage-commitment.js';

const CLASS = '1.2.840.10008.5.1.4.1.1.7';
const reference = (instance: string, sopClassUid = CLASS): DicomDataset =>
  new DicomDataset()
    .setString('ReferencedSOPClassUID', sopClassUid)
    .setString('ReferencedSOPInstanceUID', instance);
const failure = (instance: string, reason = 0x0112): DicomDataset =>
  reference(instance).setNumbers('FailureReason', [reason]);
const report = (): DicomDataset =>
  new DicomDataset()
    .setString('TransactionUID', '2.25.1')
    .setItems('ReferencedSOPSequence', [reference('2.25.2')])
    .setItems('FailedSOPSequence', [failure('2.25.3')]);

describe(encodeCommitmentRequest.name, () => {
  it('names transaction, classes and instances', () => {
    const objects = [{ sopClassUid: CLASS, sopInstanceUid: '2.25.2' }];
    const dataset = encodeCommitmentRequest({ transactionUid: '2.25.1', objects });
    expect(dataset.string('TransactionUID')).toBe('2.25.1');
    const [item] = dataset.items('ReferencedSOPSequence');
    expect(item?.string('ReferencedSOPClassUID')).toBe(CLASS);
    expect(item?.string('ReferencedSOPInstanceUID')).toBe('2.25.2');
  });

  it('refuses to ask about nothing', () => {
    const empty = { transactionUid: '2.25.1', objects: [] };
    expect(() => encodeCommitmentRequest(empty)).toThrow();
  });
});

describe(decodeCommitmentReport.name, () => {
  it('tells committed and failed objects apart', () => {
    expect(decodeCommitmentReport(report(), COMMITMENT_EVENT.failuresExist)).toEqual({
      transactionUid: '2.25.1',
      committed: [{ sopClassUid: CLASS, sopInstanceUid: '2.25.2' }],
      failed: [{ sopClassUid: CLASS, sopInstanceUid: '2.25.3', reason: 0x0112 }],
    });
    const good = report().setItems('FailedSOPSequence', []);
    expect(decodeCommitmentReport(good, COMMITMENT_EVENT.success).failed).toEqual([]);
  });

  const bad: readonly (readonly [string, DicomDataset, number?])[] = [
    ['no transaction', report().setString('TransactionUID', '')],
    ['a transaction that is no UID', report().setString('TransactionUID', '1.2.x')],
    ['two transactions', report().setStrings('TransactionUID', ['1.2', '1.3'])],
    ['no object', new DicomDataset().setString('TransactionUID', '2.25.1')],
    ['an object without class', report().setItems('ReferencedSOPSequence', [reference('1', '')])],
    ['an object without UID', report().setItems('ReferencedSOPSequence', [reference('')])],
    ['a UID that is too long', report().setItems('FailedSOPSequence', [failure('1'.repeat(65))])],
    ['a failure without reason', report().setItems('FailedSOPSequence', [reference('1.2')])],
    ['an object kept and lost', report().setItems('FailedSOPSequence', [failure('2.25.2')])],
    ['success with failures', report(), COMMITMENT_EVENT.success],
    ['failures without one', report().setItems('FailedSOPSequence', []), 2],
    ['an unknown event', report(), 3],
  ];
  for (const [what, dataset, event] of bad) {
    it(`refuses a report with ${what}`, () => {
      const decode = (): unknown => decodeCommitmentReport(dataset, event);
      expect(decode).toThrow(expect.objectContaining({ code: 'DICOM_MALFORMED' }));
    });
  }
});
