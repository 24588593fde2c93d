/**
 * DemoStudy: one study of the demonstration, made at run time from committed pixels.
 * Decides what a study brings: its instances, the identity planted in them, what must become of it.
 * Invariant: instances are made one by one, so that memory holds one of them at a time.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset } from '@aifi/dicom-core';
import { uidFromBytes, type ReasonCode, type TerminalState } from '@aifi/shared-kernel';
import { fieldsOf, type Canary, type PlantedIdentity } from './planted-identity.js';

/** State that a deployed product must reach for this study; `code` where there is no result. */
export interface ExpectedProduct {
  readonly product: string;
  readonly terminalState: TerminalState;
  readonly code: ReasonCode | null;
}

export interface DemoStudy {
  readonly name: string;
  readonly modality: string;
  readonly studyInstanceUid: string;
  readonly instanceCount: number;
  readonly identity: PlantedIdentity;
  /** Identity and original UIDs: none of them may be found at the hub. */
  readonly canaries: readonly Canary[];
  readonly expected: readonly ExpectedProduct[];
  /** Part 10 files in the order of acquisition. */
  instances(): Iterable<Buffer>;
}

export interface StudyOptions {
  /** Makes identities and UIDs of this run unlike those of any other. */
  readonly runId: string;
  /** Run whose UIDs are taken instead, so that two hospitals hold equal ones. @default runId */
  readonly uidsOf?: string;
  /** Wall clock; the study was made the day before. @unit ms */
  readonly nowMs: number;
}

/** Unique UIDs of a study in a run: `uid('series')`, `uid('instance', '12')`. */
export type UidSource = (...parts: readonly string[]) => string;

export function uidSource(studyName: string, runId: string): UidSource {
  const field = fieldsOf('uid', studyName, runId);
  return (...parts) => uidFromBytes(field(parts.join('/')));
}

/** The original UIDs as canaries: the study, its series and frame, the first and last instance. */
export function uidCanaries(uid: UidSource, instanceCount: number): Canary[] {
  return [
    { carrier: 'StudyInstanceUID', text: uid('study') },
    { carrier: 'SeriesInstanceUID', text: uid('series') },
    { carrier: 'FrameOfReferenceUID', text: uid('frame') },
    { carrier: 'SOPInstanceUID', text: uid('instance', '1') },
    { carrier: 'SOPInstanceUID', text: uid('instance', String(instanceCount)) },
  ];
}

const PRIVATE_CREATOR = 0x00290010;
const PRIVATE_TEXT = 0x00291001;
const PRIVATE_BYTES = 0x00291002;

/** Writes identity, dates and UIDs of one instance over what the dataset had. */
export function plant(
  dataset: DicomDataset,
  identity: PlantedIdentity,
  at: { readonly uid: UidSource; readonly instanceNumber: number; readonly nowMs: number },
): DicomDataset {
  // UTF-8, because names have diacritics; everything else in the sources is ASCII.
  dataset.setString('SpecificCharacterSet', 'ISO_IR 192');
  for (const [keyword, text] of Object.entries(identity.attributes)) {
    dataset.setString(keyword, text);
  }
  dataset.setString('PatientSex', 'F');
  const other = new DicomDataset()
    .setString('PatientID', identity.citizenServiceNumber)
    .setString('IssuerOfPatientID', 'NLMINBIZA')
    .setString('TypeOfPatientID', 'TEXT');
  dataset.setItems('OtherPatientIDsSequence', [other]);
  const request = new DicomDataset();
  for (const [keyword, text] of Object.entries(identity.request)) request.setString(keyword, text);
  dataset.setItems('RequestAttributesSequence', [request]);
  dataset.setString(PRIVATE_CREATOR, 'AIFI DEMO', 'LO');
  dataset.setString(PRIVATE_TEXT, identity.privateText, 'LO');
  dataset.setBytes(PRIVATE_BYTES, Buffer.from(identity.privateBytes), 'OB');
  // A day before: a study date that no rule can take for the future in any time zone.
  const day = new Date(at.nowMs - 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
  for (const keyword of ['StudyDate', 'SeriesDate', 'AcquisitionDate', 'ContentDate']) {
    dataset.setString(keyword, day);
  }
  for (const keyword of ['StudyTime', 'SeriesTime', 'AcquisitionTime', 'ContentTime']) {
    dataset.setString(keyword, '101500');
  }
  return dataset
    .setString('StudyInstanceUID', at.uid('study'))
    .setString('SeriesInstanceUID', at.uid('series'))
    .setString('FrameOfReferenceUID', at.uid('frame'))
    .setString('SOPInstanceUID', at.uid('instance', String(at.instanceNumber)))
    .setNumbers('InstanceNumber', [at.instanceNumber]);
}

/** Writes the study as files `<folder>/<name>/0001.dcm ...` with what is expected of it beside. */
export function writeStudy(folder: string, study: DemoStudy): string {
  const target = join(folder, study.name);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  let number = 0;
  for (const bytes of study.instances()) {
    number += 1;
    writeFileSync(join(target, `${String(number).padStart(4, '0')}.dcm`), bytes);
  }
  const { name, modality, studyInstanceUid, expected, canaries } = study;
  const key = { name, modality, studyInstanceUid, instanceCount: number, expected, canaries };
  writeFileSync(join(target, 'expected.json'), `${JSON.stringify(key, null, 2)}\n`);
  return target;
}
