/**
 * An image that waits for a person, in the rows and files of a gateway, as pseudonymise leaves it.
 * Decides nothing; the picture is a grey ramp with one bright line, where text could be.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { recordJournal, type Sql } from '@aifi/gateway-database';
import { sha256Hex } from '@aifi/shared-kernel';

export interface PixelHoldSeed {
  /** Distinguishes job, series and instances from all others. */
  readonly number: number;
  readonly studyUid: string;
  readonly atMs: number;
  readonly lane: 'acute' | 'routine';
  /** Files of the job, each with a hold. */
  readonly files: number;
  /** Frames of each file, and those of them that have a mark. */
  readonly frames: number;
  readonly marked: readonly number[];
  /** Compressed, and this frame does not decode. */
  readonly broken?: number;
  /** Where its folder of received files is. */
  readonly folder: string;
}
export interface PlantedHold {
  readonly id: string;
  readonly jobId: string;
  readonly sha256: string;
  readonly path: string;
}

export const SIDE = 64;
/** One image of so many pixels, whose bytes depend on the name. */
export function pictureOf(
  sopInstanceUid: string,
  { frames, broken }: Pick<PixelHoldSeed, 'frames' | 'broken'> = { frames: 1 },
): Uint8Array {
  const frame = Uint16Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE) * 16);
  frame.fill(4_000, SIDE * 8, SIDE * 9);
  const dataset = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.1.1')
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('Rows', [SIDE])
    .setNumbers('Columns', [SIDE])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [12])
    .setNumbers('HighBit', [11])
    .setNumbers('PixelRepresentation', [0])
    // The line is beyond it.
    .setNumbers('WindowCenter', [600])
    .setNumbers('WindowWidth', [1_200]);
  if (frames > 1) dataset.setString('NumberOfFrames', String(frames));
  if (broken === undefined) {
    const all = Array.from({ length: frames }, () => Buffer.from(frame.buffer));
    return encodePart10(dataset.setBytes('PixelData', Buffer.concat(all), 'OW'));
  }
  const parts = Array.from({ length: frames }, (_, at) => (at === broken ? NO_FRAME : GREY_FRAME));
  return Buffer.concat([
    encodePart10(dataset, RLE_LOSSLESS),
    Buffer.from('e07f10004f420000ffffffff', 'hex'),
    ...[Buffer.alloc(0), ...parts].map(itemOf),
    Buffer.from('feffdde000000000', 'hex'),
  ]);
}

const RLE_LOSSLESS = '1.2.840.10008.1.2.5';
function itemOf(value: Uint8Array): Buffer {
  const header = Buffer.from('feff00e000000000', 'hex');
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}
/** One value everywhere: two segments (PS3.5 G.5), each of runs of 128 bytes. */
const RUNS = Buffer.alloc((SIDE * SIDE * 2) / 128, Buffer.from([0x81, 1]));
const GREY_FRAME = Buffer.alloc(64 + 2 * RUNS.length);
[2, 64, 64 + RUNS.length].forEach((value, at) => GREY_FRAME.writeUInt32LE(value, at * 4));
RUNS.copy(GREY_FRAME, 64);
RUNS.copy(GREY_FRAME, 64 + RUNS.length);
/** A frame without segments. */
const NO_FRAME = Buffer.alloc(64);

const FINDING = { x: 2, y: 8, width: 60, height: 2 };

/** One hold for each file of a job of its own. */
export function plantPixelHolds(sql: Sql, seed: PixelHoldSeed): PlantedHold[] {
  const { number, studyUid, atMs, lane, folder } = seed;
  const study = sql.get<{ study_id: number }>(
    'SELECT study_id FROM study WHERE study_uid = ?',
    studyUid,
  );
  if (!study) throw new Error('no such study');
  const studyId = study.study_id;
  const jobId = `40${number.toString(16).padStart(30, '0')}`;
  const seriesUid = `1.2.40.${number}`;
  sql.run(
    `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
       series_uid, rule_set_sha256, attestations, state, code, detail, created_ms)
     VALUES (?, ?, 1, ?, '1.0.0', ?, ?, ?, 'x', '[]', 'QUARANTINED', 'QUARANTINED_PIXELS',
       'text was seen', ?)`,
    ...[jobId, studyId, `product-h${number}`, 'f'.repeat(64), lane, seriesUid, atMs],
  );
  recordJournal(sql, { studyId, jobId, stage: 'pseudonymise', event: 'held', atMs });
  const findings = JSON.stringify(seed.marked.map((frame) => ({ frame, ...FINDING })));
  return Array.from({ length: seed.files }, (_, index) => {
    const sopInstanceUid = `${seriesUid}.${index}`;
    const bytes = pictureOf(sopInstanceUid, seed);
    const [sha256, path] = [sha256Hex(bytes), join(folder, `${sopInstanceUid}.dcm`)];
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, bytes);
    sql.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
       VALUES (?, ?, ?, '1', '1', ?, ?, ?, '{"modality":"DX"}', 'DX1', ?, 1)`,
      ...[studyId, seriesUid, sopInstanceUid, sha256, bytes.length, path, atMs],
    );
    const id = sql.insert(
      `INSERT INTO pixel_hold (job_id, sha256, reason, findings, state, held_ms)
       VALUES (?, ?, 'text was seen', ?, 'WAITING', ?)`,
      ...[jobId, sha256, findings, atMs],
    );
    return { id: String(id), jobId, sha256, path };
  });
}
