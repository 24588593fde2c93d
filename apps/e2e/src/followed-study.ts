/**
 * FollowedStudy: everything that is known of one study at one hospital after a run.
 * Decides what of the PACS's objects is an original (the modality made it), a result of a product
 * or the study's status object (its own series number, results specification 4.3a).
 */
import type { DemoStudy, Hospital, Stack, StudyRun } from '@aifi/demo';
import { datasetOf, snapshot, type PacsObject } from './pacs-snapshot.js';

const STATUS_SERIES_NUMBER = '9900';

export interface FollowedStudy {
  readonly hospital: Hospital;
  readonly study: DemoStudy;
  readonly run: StudyRun;
  /** What the PACS holds now, by SOP Instance UID. */
  readonly objects: ReadonlyMap<string, PacsObject>;
  readonly results: readonly PacsObject[];
  readonly statusObjects: readonly PacsObject[];
}

/** Reads the study back from its PACS. @param isOriginal by SOP Instance UID */
export async function readBack(
  stack: Stack,
  run: StudyRun,
  isOriginal: (sopInstanceUid: string) => boolean,
): Promise<FollowedStudy> {
  const { study, siteId } = run;
  const hospital = stack.parts.hospitals.find((candidate) => candidate.siteId === siteId)!;
  const objects = await snapshot(hospital.pacs, study.studyInstanceUid);
  const isStatus = (object: PacsObject): boolean =>
    datasetOf(object).string('SeriesNumber') === STATUS_SERIES_NUMBER;
  const made = [...objects.values()].filter(({ sopInstanceUid }) => !isOriginal(sopInstanceUid));
  return {
    hospital,
    study,
    run,
    objects,
    results: made.filter((object) => !isStatus(object)),
    statusObjects: made.filter(isStatus),
  };
}

/** Those of one SOP class. */
export function ofClass(objects: readonly PacsObject[], sopClassUid: string): PacsObject[] {
  return objects.filter((object) => datasetOf(object).string('SOPClassUID') === sopClassUid);
}
