/**
 * What a PACS holds of a study, and what independent programs say of it.
 * Decides how an object is told from another: SHA-256 of the file as the PACS gives it back.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10, type DicomDataset } from '@aifi/dicom-core';
import type { OrthancClient } from '@aifi/demo';
import { sha256Hex } from '@aifi/shared-kernel';

export interface PacsObject {
  readonly sopInstanceUid: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** All objects of a study by SOP Instance UID. */
export async function snapshot(
  pacs: OrthancClient,
  studyInstanceUid: string,
): Promise<Map<string, PacsObject>> {
  const objects = new Map<string, PacsObject>();
  for (const { id, sopInstanceUid } of await pacs.instancesOf(studyInstanceUid)) {
    const bytes = await pacs.file(id);
    objects.set(sopInstanceUid, { sopInstanceUid, bytes, sha256: sha256Hex(bytes) });
  }
  return objects;
}

/** Every UID in the object that names an instance: Referenced SOP Instance UID, at any depth. */
export function referencedInstances(dataset: DicomDataset): string[] {
  return [...dataset].flatMap(({ tag, value }) => {
    if (!(value instanceof Uint8Array)) return value.flatMap((item) => referencedInstances(item));
    return tag === 0x00081155 ? dataset.strings(tag) : [];
  });
}

export function datasetOf(object: PacsObject): DicomDataset {
  return decodePart10(object.bytes).dataset;
}

/** Runs a validator on an object: exit status and everything it printed. */
export function judge(
  command: string,
  object: PacsObject,
  folder: string,
): { readonly status: number | null; readonly text: string } {
  const path = join(folder, `${object.sha256}.dcm`);
  writeFileSync(path, object.bytes);
  const { status, stdout, stderr } = spawnSync(command, [path], { maxBuffer: 64 * 1024 * 1024 });
  return { status, text: `${stdout.toString('latin1')}\n${stderr.toString('latin1')}` };
}
