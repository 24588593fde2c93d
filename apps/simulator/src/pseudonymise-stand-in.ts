/**
 * The stand-in for the work on pixels: a received file to a small one without identity.
 * Decides that the pixels (the oracle) go through as they are and all UIDs become keyed pseudonyms;
 * the real work has its own tests and takes too long here.
 * Invariants: the file on disk is checked against the digest of what was received; equal input
 * gives equal bytes. Source: reliability specification P1; pseudonymisation specification 1.3.
 */
import { join } from 'node:path';
import type { PendingInstance } from '@aifi/dicom-deidentification';
import type { SeriesWork, WrittenImage } from '@aifi/gateway-pseudonymise';
import { identityOf } from '@aifi/gateway-vault';
import {
  AifiError,
  keyedUid,
  ok,
  sha256Hex,
  writeDurableFile,
  type FileSystem,
  type OriginalUid,
  type PseudonymousUid,
} from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';
import { pixelsOf } from './sim-pacs.js';

export function pseudonymiseForSimulation(files: FileSystem, ring: KeyRing): SeriesWork {
  return async ({ folder, sources }) => {
    const images: WrittenImage[] = [];
    for (const { path, sha256 } of sources) {
      const received = await files.read(path);
      if (sha256Hex(received) !== sha256) throw new AifiError('DIGEST_MISMATCH', 'not as received');
      images.push(await writeImage(files, ring, { folder, received }));
    }
    return ok(images);
  };
}

async function writeImage(
  files: FileSystem,
  ring: KeyRing,
  { folder, received }: { readonly folder: string; readonly received: Buffer },
): Promise<WrittenImage> {
  const { dataset, pixels } = pixelsOf(received);
  const uids = new Map<PseudonymousUid, OriginalUid>();
  const pseudonym = (keyword: string): PseudonymousUid => {
    const original = dataset.string(keyword) as OriginalUid;
    const uid = keyedUid(ring.current.uid, 'uid', original) as PseudonymousUid;
    uids.set(uid, original);
    return uid;
  };
  const named = {
    sopInstanceUid: pseudonym('SOPInstanceUID'),
    seriesInstanceUid: pseudonym('SeriesInstanceUID'),
    studyInstanceUid: pseudonym('StudyInstanceUID'),
  };
  const bytes = Buffer.from(JSON.stringify({ ...named, pixels }));
  const sha256 = sha256Hex(bytes);
  const { path, sizeBytes } = await writeDurableFile(join(folder, `${sha256}.dcm`), bytes, files);
  const instance = {
    ...{ ...named, path, sizeBytes, sha256 },
    sopClassUid: dataset.string('SOPClassUID')!,
    transferSyntaxUid: '1.2.840.10008.1.2.1',
  };
  return {
    kind: 'written',
    instance: instance as PendingInstance,
    ...{ identity: identityOf(dataset), uids },
  };
}
