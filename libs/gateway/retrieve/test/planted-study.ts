/**
 * A study of the suites in archives of others, and an intake that keeps digests of what came.
 * Decides nothing. Invariant: the objects are sound, so that whoever walks them takes them.
 */
import { createHash } from 'node:crypto';
import { decodeFileMeta, DicomDataset, ElementWalker, encodeDataset } from '@aifi/dicom-core';
import type { IntakePort } from '../src/object-relay.js';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const MR = '1.2.840.10008.5.1.4.1.1.4';
const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
export const [STUDY, OTHER] = ['2.25.901', '2.25.902'];

export interface Planted {
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly sopClassUid: string;
  readonly dataset: Buffer;
}
export function planted(
  series: string,
  number: number,
  more: { study?: string; isImplicit?: boolean } = {},
) {
  const { study = STUDY, isImplicit = false } = more;
  const isMr = series.endsWith('2');
  const sopClassUid = isMr ? MR : CT;
  const transferSyntaxUid = isImplicit ? IMPLICIT : EXPLICIT;
  const sopInstanceUid = `${series}.${number}`;
  const dataset = new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', sopClassUid)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('StudyDate', '20261122')
    .setString('StudyTime', '091500')
    .setString('AccessionNumber', study === STUDY ? 'ACC-901' : 'ACC-902')
    .setString('Modality', isMr ? 'MR' : 'CT')
    .setString('StudyDescription', 'CT thorax')
    .setString('StationName', 'CT-SEH-1')
    .setBytes(0x00090010, Buffer.from('AIFI TEST '), 'LO')
    .setBytes(0x00091001, Buffer.from([1, 2, 3, 4]), 'UN')
    .setString('PatientName', 'Ünal^Zoë')
    .setString('PatientID', 'P-901')
    .setString('PatientBirthDate', '19700102')
    .setString('StudyInstanceUID', study)
    .setString('SeriesInstanceUID', series)
    .setString('StudyID', '1')
    .setString('SeriesNumber', '1')
    .setString('InstanceNumber', String(number))
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('Rows', [100])
    .setNumbers('Columns', [200])
    .setNumbers('BitsAllocated', [16])
    .setBytes('PixelData', Buffer.alloc(40_000, number), 'OW');
  const encoding = { explicitVr: !isImplicit, littleEndian: true };
  const object: Planted = {
    ...{ sopInstanceUid, seriesInstanceUid: series, transferSyntaxUid, sopClassUid },
    dataset: encodeDataset(dataset, encoding),
  };
  return object;
}
/** An archive may send another syntax than it was given: DCMTK's makes explicit what is not. */
export const objectsOf = (isImplicit: boolean): Planted[] => [
  ...Array.from({ length: 5 }, (_, at) => planted('2.25.901.1', at + 1)),
  ...Array.from({ length: 3 }, (_, at) => planted('2.25.901.2', at + 1, { isImplicit })),
];
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const digestsOf = (objects: readonly Planted[]): Map<string, string> =>
  new Map(objects.map((one) => [one.sopInstanceUid, sha(one.dataset)]));

/** Keeps the digest of each dataset, and refuses one of another study as the real intake does. */
export class KeepingIntake implements IntakePort {
  readonly kept = new Map<string, string>();
  largest = 0;
  async store(
    file: AsyncIterable<Uint8Array>,
    { studyInstanceUid }: { readonly studyInstanceUid: string },
  ): Promise<number> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of file) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    this.largest = Math.max(this.largest, bytes.length);
    const { meta, datasetOffset } = decodeFileMeta(bytes);
    const dataset = bytes.subarray(datasetOffset);
    const explicitVr = meta.transferSyntaxUid !== IMPLICIT;
    const walker = new ElementWalker({ explicitVr, littleEndian: true });
    walker.push(dataset);
    if (walker.end().dataset.string('StudyInstanceUID') !== studyInstanceUid) return 0xa900;
    this.kept.set(meta.sopInstanceUid, sha(dataset));
    return 0;
  }
}
