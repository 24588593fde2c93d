/**
 * The images of one job, from the files as received to files that may leave.
 * Decides which of them are written, held or refused; knows no database and no vault, so that it
 * can be done by a thread of its own. Invariants: every header is read once; all images, and those
 * of the study's other series, are of one patient; after a refused image none begins any more.
 * Source: pseudonymisation specification 1.2, 1.5; reliability specification C4, P1.
 */
import { readPart10Header } from '@aifi/dicom-core';
import {
  PseudonymisedFolder,
  type DeidentificationContext,
  type PendingInstance,
  type PixelClearance,
} from '@aifi/dicom-deidentification';
import type { PixelGate } from '@aifi/dicom-pixel-gate';
import type { Identity } from '@aifi/gateway-vault';
import {
  AifiError,
  ok,
  refuse,
  type OriginalUid,
  type PseudonymousUid,
  type Refusal,
  type Result,
  type Sha256,
} from '@aifi/shared-kernel';
import { judgePixels, OnePatient, type SamePatientRule } from './judge-image.js';
import type { NewPixelHold } from './pixel-hold.store.js';
import { sideBySide } from './side-by-side.js';

/** Plain values: it may go to another thread. */
export interface SeriesRequest {
  /** Takes the files that may leave; made when it is missing. */
  readonly folder: string;
  readonly sources: readonly { readonly path: string; readonly sha256: Sha256 }[];
  /** Files of the study's other series. */
  readonly siblings: readonly string[];
  /** Digests of received files whose pixels a person has released. */
  readonly released: ReadonlySet<string>;
  readonly context: DeidentificationContext;
}
/** Who asks, as far as the work needs to know more, or has something to tell. */
export interface SeriesClient {
  readonly areOnePatient: SamePatientRule;
  readonly onGateFault: (error: unknown) => void;
}
export interface WrittenImage {
  readonly kind: 'written';
  readonly instance: PendingInstance;
  readonly identity: Identity;
  readonly uids: ReadonlyMap<PseudonymousUid, OriginalUid>;
}
export type Image =
  | WrittenImage
  | { readonly kind: 'held'; readonly hold: NewPixelHold }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Images that began, in their order; or why none did. Throws for faults of disk and machine. */
export type SeriesWork = (
  request: SeriesRequest,
  client: SeriesClient,
) => Promise<Result<readonly Image[]>>;

/**
 * Images of one job in work: two are read and examined (the writer's turns, which bound memory),
 * while others wait for the disk, which serves several with one commit.
 */
const IMAGES_AT_A_TIME = 6;

/** The work in this very thread. */
export function seriesWork(gate: Pick<PixelGate, 'judge'>): SeriesWork {
  return async (request, client) => {
    const patient = new OnePatient(client.areOnePatient);
    // The same image decides each time whose number the others get; its own faults show below.
    await admitSibling(patient, request.sources[0]!.path);
    const siblings = await admitSiblings(patient, request.siblings);
    if (!siblings.ok) return siblings;
    const folder = await PseudonymisedFolder.open(request.folder);
    const series = { request, patient, folder, gate, onGateFault: client.onGateFault };
    return ok(
      await sideBySide(request.sources, IMAGES_AT_A_TIME, async (source) => {
        const image = await writeImage(series, source);
        // After a hold the others go on: a person is not asked about a job that would be refused.
        return { result: image, stop: image.kind === 'refused' };
      }),
    );
  };
}

/** The study's other series stay behind, but must be of the same patient. */
async function admitSiblings(
  patient: OnePatient,
  paths: readonly string[],
): Promise<Result<undefined>> {
  const answers = await sideBySide(paths, IMAGES_AT_A_TIME, async (path) => {
    const result = await admitSibling(patient, path);
    return { result, stop: !result.ok };
  });
  return answers.find((answer) => answer && !answer.ok) ?? ok(undefined);
}

async function admitSibling(patient: OnePatient, path: string): Promise<Result<undefined>> {
  try {
    const admitted = await patient.admit((await readPart10Header(path)).dataset);
    return admitted.ok ? ok(undefined) : admitted;
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return refuse('QUARANTINED_IDENTIFIER', 'identity does not decode');
  }
}

interface Series extends Pick<SeriesClient, 'onGateFault'> {
  readonly request: SeriesRequest;
  readonly patient: OnePatient;
  readonly folder: PseudonymisedFolder;
  readonly gate: Pick<PixelGate, 'judge'>;
}

async function writeImage(
  { request, patient, folder, gate, onGateFault }: Series,
  { path, sha256 }: SeriesRequest['sources'][number],
): Promise<Image> {
  let hold: NewPixelHold | undefined;
  let identity: Identity | undefined;
  let uids: WrittenImage['uids'] = new Map();
  const written = await folder.write({
    ...{ sourcePath: path, expectedSha256: sha256, context: request.context },
    clear: async (header, received) => {
      const admitted = await patient.admit(header);
      if (!admitted.ok) return admitted;
      identity = admitted.value;
      const question = { header, received, path, isReleased: request.released.has(sha256) };
      const verdict = await judgePixels(gate, question, onGateFault);
      if (!verdict.ok || !('reason' in verdict.value)) return verdict as Result<PixelClearance>;
      hold = { sha256, ...verdict.value };
      return refuse('QUARANTINED_PIXELS', hold.reason);
    },
    onUids: (added) => (uids = added),
  });
  if (written.ok) return { kind: 'written', instance: written.value, identity: identity!, uids };
  return hold ? { kind: 'held', hold } : { kind: 'refused', refusal: written.refusal };
}
