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
export function pictureOf(sopInstanceUid: string): Uint8Array {
  const pixels = Uint16Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE) * 16);
  pixels.fill(4_000, SIDE * 8, SIDE * 9);
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
    .setBytes('PixelData', new Uint8Array(pixels.buffer), 'OW');
  return encodePart10(dataset);
}

const FINDING = { frame: 0, x: 2, y: 8, width: 60, height: 2 };

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
  return Array.from({ length: seed.files }, (_, index) => {
    const sopInstanceUid = `${seriesUid}.${index}`;
    const bytes = pictureOf(sopInstanceUid);
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
      ...[jobId, sha256, JSON.stringify([FINDING]), atMs],
    );
    return { id: String(id), jobId, sha256, path };
  });
}
